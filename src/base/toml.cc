/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader of TOML is compiled here for all programs. */
#include <weir/toml_reader.h>
