# SPDX-License-Identifier: Apache-2.0
"""Why something differs where that is known: (features, pattern of what is read through weir, why). What stands here is in
docs/clients.md as a difference with its reason; what does not fails the run."""

REASONS = []
