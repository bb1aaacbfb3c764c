/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader of TOML is compiled here for the plugin. */
#include <weir/toml_reader.h>
