/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: a SET of plugins' variables, taken apart (plugin_set_text.c) and at work
 * (plugin_set.c). */
#ifndef WEIR_GATEWAY_LOCAL_PLUGIN_SET_H
#define WEIR_GATEWAY_LOCAL_PLUGIN_SET_H

#include "gateway/local/local.h"

/* One assignment of ours. */
struct plugin_set_item {
    const struct plugin_variable *variable;
    enum plugin_set_scope scope;
    enum plugin_input_kind kind;
    bool must_query;    /* text is an expression, for the backend to evaluate */
    struct strbuf text; /* the value */
};

struct plugin_set {
    struct local local;
    struct plugin_set_item *items;          /* owned */
    struct plugin_assignment **assignments; /* as many as items; owned */
    size_t count, queried;                  /* queried: items whose values are known */
    struct strbuf query;                    /* of the value that is asked for */
    bool wants_privilege;
    size_t granted;            /* items whose plugin's own privilege is granted */
    bool is_set;               /* ours have taken effect */
    struct strbuf rest;        /* what the backend gets; empty: nothing */
    bool rest_scoped;          /* a GLOBAL, SESSION ... stands in it */
    struct strbuf answer;      /* the backend's OK to the rest */
    struct wire_result result; /* of the rest */
    bool is_refused;
    struct plugin_refusal refusal;
};

/* Returns whether the statement sets a variable of a plugin, perhaps among others. Costs a
 * statement that is no SET a look at its kind. */
bool plugin_set_is(const struct observed *observed, const struct statement *statement);

/* Takes the statement apart: fills items, rest, wants_privilege. Returns false and sets
 * set->refusal when it cannot be done. The text is borrowed during the call. */
WEIR_MUST_CHECK bool plugin_set_read(struct plugin_set *set, const struct statement *statement);

#endif
