/* SPDX-License-Identifier: Apache-2.0
 *
 * Variables of plugins in the texts of statements, which three rows of the table share:
 *
 *   SELECT @@x and the like   the name is replaced by the value, as a literal with the column's
 *                             name, and the backend runs the rest (plugin_select.c)
 *   SET                       the gateway sets its own, the backend gets the others; all or none
 *                             (plugin_set.c)
 *   SHOW VARIABLES, STATUS    the backend's rows with those of the plugins among them
 *                             (plugin_show.c)
 *
 * Names that no plugin has go to the backend as they are, which has a message for that. What the
 * server sees is not what the client wrote; plugins are shown what the client wrote.
 *
 * Texts are borrowed during the call. On the worker's thread. */
#ifndef WEIR_GATEWAY_LOCAL_VARIABLES_TEXT_H
#define WEIR_GATEWAY_LOCAL_VARIABLES_TEXT_H

#include "gateway/statement/statement.h"

/* Returns whether some plugin has variables, and the command is small enough to be sent on as one
 * frame with another text. */
static inline bool variables_may_match(const struct observed *observed,
                                       const struct wire_packet *packet)
{
    return observed->environment->has_variables && packet->payload_size < WIRE_FRAME_MAX;
}

/* Returns whether the command is a Query or Prepare and one of its statements is such a one. */
bool variables_match(const struct observed *observed, const struct wire_packet *packet,
                     bool (*is_such)(const struct observed *observed,
                                     const struct statement *statement));

/* Returns whether the statement keeps its own text for later (CREATE VIEW ...): the names stay, so
 * that today's values are not frozen in it. */
bool variables_are_stored(enum sql_kind kind);

/* Returns whether the statement names a variable of a plugin by @@name. Costs one that does not a
 * search for '@'. */
bool variables_are_named(const struct observed *observed, const struct statement *statement);

/* Adds a fragment of a statement to out, with literals in place of the names. Returns false and
 * sets *refusal when a variable is read in a scope that it does not have. */
WEIR_MUST_CHECK bool variables_rewrite(const struct observed *observed, struct sql_span text,
                                       const struct sql_mode *mode, struct strbuf *out,
                                       struct plugin_refusal *refusal);

#endif
