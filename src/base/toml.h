/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading TOML, which plugins share: see <weir/toml.h>. */
#ifndef WEIR_BASE_TOML_H
#define WEIR_BASE_TOML_H

#include <weir/toml.h>

#endif
