/* SPDX-License-Identifier: Apache-2.0
 *
 * The name that somebody meant, which plugins look for, too: see <weir/nearest.h>. */
#ifndef WEIR_BASE_NEAREST_H
#define WEIR_BASE_NEAREST_H

#include <weir/nearest.h>

#endif
