/* SPDX-License-Identifier: Apache-2.0
 *
 * The clocks, which plugins share: see <weir/clock.h>. */
#ifndef WEIR_BASE_CLOCK_H
#define WEIR_BASE_CLOCK_H

#include <weir/clock.h>

#endif
