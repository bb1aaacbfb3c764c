/* SPDX-License-Identifier: Apache-2.0
 *
 * What a function says of its callers: that they look at what it returns, and that they hand it a
 * live object of the right type. */
#ifndef WEIR_CHECK_H
#define WEIR_CHECK_H

#include <assert.h>
#include <stddef.h>

/* Before a function that can fail: the compiler refuses a call that ignores what it returns. */
#define WEIR_MUST_CHECK __attribute__((warn_unused_result))

/* An object that others keep a pointer to (a session's data, say) has `uint32_t magic` as its first
 * member, a number of its type that is set when it is made and cleared before it is freed. A
 * function that takes the pointer back begins with this. pluginpkg leaves asserts alive. */
#define WEIR_CHECK(object, number) assert((object) != NULL && (object)->magic == (number))

#endif
