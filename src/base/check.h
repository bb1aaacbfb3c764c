/* SPDX-License-Identifier: Apache-2.0
 *
 * WEIR_MUST_CHECK, before a function that can fail: the compiler refuses a call that ignores what
 * it returns. */
#ifndef WEIR_BASE_CHECK_H
#define WEIR_BASE_CHECK_H

#define WEIR_MUST_CHECK __attribute__((warn_unused_result))

#endif
