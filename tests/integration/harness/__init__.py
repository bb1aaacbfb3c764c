# SPDX-License-Identifier: Apache-2.0
"""What the integration tests stand on: real servers, real clients, and ways to look at them."""
