/* SPDX-License-Identifier: Apache-2.0
 *
 * Marks functions whose result says whether they failed: ignoring it does not compile. */
#ifndef WEIR_BASE_CHECK_H
#define WEIR_BASE_CHECK_H

#define WEIR_MUST_CHECK __attribute__((warn_unused_result))

#endif
