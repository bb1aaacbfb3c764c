/* SPDX-License-Identifier: Apache-2.0
 *
 * What a function says of its callers: it is one of the helpers that plugins have too. */
#ifndef WEIR_BASE_CHECK_H
#define WEIR_BASE_CHECK_H

#include <weir/check.h>

#endif
