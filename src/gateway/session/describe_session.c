/* SPDX-License-Identifier: Apache-2.0
 *
 * What a session does now, for people who list them. */
#include <string.h>

#include "gateway/session/machine.h"

#define NORMALIZED_BYTES                                                                           \
    ((size_t)64 << 10) /* of a text: a list must not hold up the other sessions */

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

/* What is kept of the text. Without plugins that is its beginning, of all its statements. */
static struct sql_span kept_text(const struct observed *observed, bool *is_whole)
{
    const struct statement *statement = statement_current(observed);
    if (!has_plugins(observed))
        return command_listed_text(observed, is_whole);
    *is_whole = statement->size <= NORMALIZED_BYTES;
    return (struct sql_span){statement->text, *is_whole ? statement->size : NORMALIZED_BYTES};
}

static void describe_statement(struct session *session, struct session_description *description)
{
    const struct observed *observed = &session->observed;
    struct sql_digester *digester = &observed->environment->digester;
    bool is_whole = false;
    const struct sql_span span = kept_text(observed, &is_whole);
    if (!span.at || !span.size)
        return;
    if (!sql_normalize(digester, span, &description->text))
        description->text = (struct sql_span){NULL, 0};
    else if (!is_whole || !sql_digest(digester, description->text, description->digest))
        description->digest[0] = 0;
}

bool session_describe(struct session *session, struct session_description *description)
{
    session_check(session);
    const struct observed *observed = &session->observed;
    if (session->is_check || !session_is_open(session) || !observed->id)
        return false;
    *description = (struct session_description){.id = observed->id,
                                                .user = text_or_empty(observed->identity.user),
                                                .host = observed->client_ip,
                                                .state = session_state_name(session)};
    if (!(observed->identity.unknown & IDENTITY_DATABASE))
        description->database = observed->identity.database.data;
    description->database = text_or_empty(description->database);
    if (session->login) {
        description->command = "Connect";
        description->since_ns = observed->accepted_ns;
    } else if (session->state == SESSION_READY) {
        description->command = "Sleep";
    } else {
        description->command = text_or_empty(wire_command_name(observed->command.code));
        description->since_ns = observed->command.started_ns;
        describe_statement(session, description);
    }
    return true;
}
