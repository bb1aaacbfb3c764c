/* SPDX-License-Identifier: Apache-2.0
 *
 * The system and status variables of plugins, in the statements of clients.
 *
 *   SELECT @@x and the like   the name is replaced by the value, as a literal with the column's
 *                             name, and the backend runs the rest (variables.c)
 *   SET                       the gateway sets its own, the backend gets the others; all or none
 *                             (variables_set.c)
 *   SHOW VARIABLES, STATUS    the backend's rows with those of the plugins among them
 *                             (variables_show.c)
 *
 * Names that no plugin has go to the backend as they are, which has words for that. What the server
 * sees is not what the client wrote; plugins are shown what the client wrote. */
#ifndef WEIR_GATEWAY_VARIABLES_H
#define WEIR_GATEWAY_VARIABLES_H

#include "gateway/session.h"

/* Whether the command that has begun is one of these. Costs an ordinary statement a search for
 * "@@". */
bool variables_take(const struct session *session, const struct wire_packet *command);

/* Deals with it: answers it, now or later, or sends something else to the backend. The command has
 * been withdrawn from the tracker. */
void variables_begin(struct session *session, const struct wire_packet *command);

/* While a reply gets further rows (session->merge): each packet of it, before anybody else looks
 * at it; then what the client is to read instead of the bytes that came. */
void variables_merge(struct session *session, const struct wire_packet *packet);
void variables_send_merged(struct session *session);

void variables_release(struct session *session);

/* ---- Between the three ---- */

/* Ends the command with an error. */
void variables_refuse(struct session *session, const struct plugin_refusal *refusal);

/* Adds a fragment of a statement to out, with the values of plugins' variables in place of their
 * names. false: *refusal is set. */
bool variables_rewrite(const struct session *session, struct sql_span text,
                       const struct sql_mode *mode, struct strbuf *out,
                       struct plugin_refusal *refusal);

/* Sends a packet to the backend in place of the client's command, whose reply it will have; takes
 * the bytes. */
void variables_resend(struct session *session, struct strbuf *packet);

void variables_set_begin(struct session *session, struct sql_span text,
                         const struct sql_mode *mode);
void variables_set_release(struct session *session);

void variables_show_begin(struct session *session, const struct wire_packet *command,
                          const struct sql_show_variables *show);
void variables_show_release(struct session *session);

#endif
