/* SPDX-License-Identifier: Apache-2.0
 *
 * How a cold path fails, which plugins share: see <weir/error.h>. */
#ifndef WEIR_BASE_ERROR_H
#define WEIR_BASE_ERROR_H

#include <weir/error.h>

#endif
