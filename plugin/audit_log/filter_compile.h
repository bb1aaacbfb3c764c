/* SPDX-License-Identifier: Apache-2.0
 *
 * What compiling items (filter_compile.c) and conditions (filter_condition.c) share: the arena, and
 * saying what is wrong. */
#ifndef AUDIT_LOG_FILTER_COMPILE_H
#define AUDIT_LOG_FILTER_COMPILE_H

#include <weir/check.h>

#include "filter_tree.h"

#define FILTER_DEEPEST 32 /* conditions within conditions, filters within filters */

struct compile {
    struct filter_definition *definition;
    struct error *error;
};

/* Zeroed memory of the definition's arena; NULL, and the problem, when there is none. */
WEIR_MUST_CHECK void *compile_memory(struct compile *compile, size_t count, size_t size);
/* A copy of a JSON string. false: no memory. */
WEIR_MUST_CHECK bool compile_text(struct compile *compile, const json_t *string, weir_string *copy);

/* -1 unless the object has no items but these (a list that NULL ends). */
int compile_keys(struct compile *compile, const json_t *object, const char *what,
                 const char *const *known);

/* Compiles a condition about events of `classes` (bits) into *condition. */
int compile_condition(struct compile *compile, const json_t *json, unsigned classes,
                      struct filter_condition **condition);

/* A field's whole name that all of the classes have. */
int compile_field_name(struct compile *compile, const json_t *name, unsigned classes,
                       enum filter_field *field, enum filter_kind *kind);

#endif
