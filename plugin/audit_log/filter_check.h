/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a file of filters is right, and the fields that conditions can ask for. */
#ifndef AUDIT_LOG_FILTER_CHECK_H
#define AUDIT_LOG_FILTER_CHECK_H

#include <jansson.h>
#include <stdbool.h>

#include "filter.h"

/* X(enumerator, is_number) */
#define FILTER_FIELDS(X)                                                                           \
    X(FIELD_USER, false)                                                                           \
    X(FIELD_PRIVILEGED_USER, false)                                                                \
    X(FIELD_HOST, false)                                                                           \
    X(FIELD_IP, false)                                                                             \
    X(FIELD_DATABASE, false)                                                                       \
    X(FIELD_COMMAND, false)                                                                        \
    X(FIELD_QUERY, false)                                                                          \
    X(FIELD_SQL_COMMAND, false)                                                                    \
    X(FIELD_TABLE_DATABASE, false)                                                                 \
    X(FIELD_TABLE_NAME, false)                                                                     \
    X(FIELD_EMPTY, false)                                                                          \
    X(FIELD_CONNECTION_TYPE, false)                                                                \
    X(FIELD_STATUS, true)                                                                          \
    X(FIELD_CONNECTION_ID, true)

#define X(enumerator, is_number) enumerator,
enum filter_field { FILTER_FIELDS(X) FIELD_END };
#undef X

/* A field by MySQL's name, such as "general_query.str"; FIELD_END: there is none. */
enum filter_field filter_field_find(const char *name);
bool filter_field_is_number(enum filter_field field);

/* -1 and the problem, with the place in the file's terms. */
int filter_check(const json_t *root, const char *path, char problem[FILTER_PROBLEM_BYTES]);

#endif
