/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the room share: spans of texts that end at the end of an allocation of their
 * own, so that a read behind them is found by the sanitizer. */
#ifndef WEIR_TESTS_SQL_TEST_H
#define WEIR_TESTS_SQL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "sql/sql.h"

static const struct sql_mode plain_mode;

static inline struct sql_span span_of(const char *text)
{
    return (struct sql_span){text, strlen(text)};
}

static inline void assert_span(struct sql_span span, const char *expected)
{
    if (span.size != strlen(expected) || memcmp(span.at, expected, span.size) != 0)
        fail_msg("got \"%.*s\", expected \"%s\"", (int)span.size, span.at, expected);
}

#endif
