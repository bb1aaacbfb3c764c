/* SPDX-License-Identifier: Apache-2.0
 *
 * A filter's definition, compiled: what is right has become a tree of plain structs, so that
 * deciding about an event needs no JSON, no names and no memory. What the language has and weir has
 * not is refused here, with a sentence.
 *
 * A tree is in one arena and is freed as a whole. It is immutable once compiled: any
 * thread may walk it. */
#ifndef AUDIT_LOG_FILTER_TREE_H
#define AUDIT_LOG_FILTER_TREE_H

#include <jansson.h>
#include <weir/check.h>
#include <weir/error.h>
#include <weir/plugin.h>

#include "filter_language.h"

/* IN_LIST and LIST_IS_NULL look at the list of included accounts, or with `value` at that of the
 * excluded ones. */
enum condition_kind {
    CONDITION_CONSTANT,
    CONDITION_FIELD_TEXT,
    CONDITION_FIELD_NUMBER,
    CONDITION_VARIABLE,
    CONDITION_STRING_FIND,
    CONDITION_IN_LIST,
    CONDITION_LIST_IS_NULL,
    CONDITION_QUERY_DIGEST,
    CONDITION_NOT,
    CONDITION_AND,
    CONDITION_OR
};

/* A piece of a text argument: a field, or (FIELD_END) a literal. */
struct filter_piece {
    enum filter_field field;
    weir_string literal;
};
struct filter_argument {
    struct filter_piece *pieces; /* one after the other */
    size_t count;
};

struct filter_condition {
    enum condition_kind kind;
    bool value;     /* CONSTANT; IN_LIST, LIST_IS_NULL: the excluded ones */
    bool is_length; /* FIELD_NUMBER: the size in bytes of a text */
    enum filter_field field;
    enum filter_variable variable;
    uint64_t number;  /* FIELD_NUMBER, VARIABLE */
    weir_string text; /* FIELD_TEXT, QUERY_DIGEST */
    struct filter_argument arguments[2];
    struct filter_condition *parts; /* NOT, AND, OR */
    size_t part_count;
};

/* What an item says of its events; NULL: nothing. */
struct filter_action {
    struct filter_condition *log, *abort;
    struct filter_condition *keeps_text; /* `print`: where it does not hold, the text is replaced */
};

struct filter_tree;

struct filter_event_item {
    unsigned events; /* bits 1 << enum filter_event */
    struct filter_action action;
    struct filter_tree *next; /* the filter that may take over; NULL: none */
};

struct filter_class_item {
    unsigned classes; /* bits 1 << enum filter_class */
    struct filter_action action;
    struct filter_event_item *events;
    size_t event_count;
    bool has_events; /* there is an event item, which may be an empty list */
};

struct filter_tree {
    weir_string id, ref;
    struct filter_tree *target; /* what takes over: the filter that ref names, or this one */
    struct filter_condition *activates; /* NULL: always */
    struct filter_action action;
    struct filter_class_item *classes;
    size_t class_count;
    bool has_classes;
};

struct filter_definition {
    struct filter_tree *root;
    struct filter_block *blocks; /* of the arena */
};

/* Compiles {"filter": {...}}. Returns owned, or NULL and the problem, a sentence. */
WEIR_MUST_CHECK struct filter_definition *filter_compile(const json_t *json, struct error *error);
void filter_definition_free(struct filter_definition *definition);

#endif
