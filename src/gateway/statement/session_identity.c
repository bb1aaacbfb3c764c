/* SPDX-License-Identifier: Apache-2.0
 *
 * What changes a session's identity: the login, statements, commands, and what the backend says in
 * its OK packets. What cannot be followed is marked as needing a refresh. */
#include "gateway/statement/session_identity.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/statement/command.h"
#include "gateway/statement/facts.h"
#include "gateway/statement/prepared.h"

static unsigned subscriptions(const struct observed *observed)
{
    return plugin_registry_subscribed(observed->environment->registry);
}

static char *copy_of(struct wire_string text)
{
    char *copy = malloc(text.size + 1);
    if (copy) {
        if (text.size)
            memcpy(copy, text.data, text.size);
        copy[text.size] = 0;
    }
    return copy;
}

static void identity_set_database(struct observed *observed, const char *name, size_t size)
{
    strbuf_release(
        &observed->identity.database); /* names are short and change rarely: no slack is kept */
    strbuf_add(&observed->identity.database, name, size);
    facts_database(observed, observed->identity.database.data, observed->identity.database.size);
}

bool identity_set_user(struct observed *observed, struct wire_string user,
                       struct wire_string database, struct wire_string attributes,
                       unsigned collation)
{
    char *new_user = copy_of(user);
    char *new_attributes = has_plugins(observed) ? copy_of(attributes) : NULL;
    if (!new_user || (has_plugins(observed) && !new_attributes)) {
        free(new_user);
        free(new_attributes);
        return false;
    }
    free(observed->identity.user);
    free(observed->identity.attributes);
    observed->identity.user = new_user;
    observed->identity.attributes = new_attributes;
    facts_user(observed, user.size, attributes.size);
    identity_set_database(observed, database.data ? database.data : "", database.size);
    observed->identity.mode =
        (struct sql_mode){.dialect = observed->identity.mode.dialect,
                          .server_version = observed->identity.mode.server_version,
                          .charset = sql_charset_from_collation(collation)};
    return true;
}

/* ---- COM_CHANGE_USER ---- */

/* Who the session will be if the backend agrees: the command's payload, kept meanwhile. */
struct change_of_user {
    struct wire_change_user asked;
    size_t size;
    uint8_t payload[];
};

bool identity_prepare_change_user(struct observed *observed, const struct wire_packet *command)
{
    struct change_of_user *change = malloc(sizeof *change + command->payload_size);
    if (!change)
        return false;
    memcpy(change->payload, command->payload, command->payload_size);
    free(observed->identity.change);
    observed->identity.change = change;
    return wire_decode_change_user(change->payload, command->payload_size, observed->capabilities,
                                   &change->asked);
}

bool identity_change_user(struct observed *observed)
{
    struct change_of_user *change = observed->identity.change;
    observed->identity.change = NULL;
    bool ok = change && identity_set_user(observed, change->asked.user, change->asked.database,
                                          change->asked.attributes, change->asked.charset);
    free(change);
    prepared_release(observed);
    plugin_session_values_begin(observed->environment->registry, &observed->handle);
    observed->identity.needs_refresh |= IDENTITY_ACCOUNT | IDENTITY_MODE;
    return ok;
}

/* ---- What statements change ---- */

/* What the text says of a statement; false: there is no memory. */
static bool read_runs(const struct statement *statement, struct sql_span database,
                      struct sql_runs *runs)
{
    struct sql_session session = {
        .mode = statement->mode,
        .database = {.known = true, .name = database},
    };
    sql_runs_init(runs);
    return sql_runs_read(runs, statement_text(statement), &session);
}

static struct sql_span database_of(const struct observed *observed)
{
    const struct strbuf *database = &observed->identity.database;
    return (struct sql_span){database->data, database->size};
}

enum sql_results statement_results(const struct observed *observed,
                                   const struct statement *statement)
{
    struct sql_runs runs;
    if (sql_kind_is_plain(statement->kinds.kind))
        return SQL_RESULTS_ONE;
    bool read = read_runs(statement, database_of(observed), &runs);
    enum sql_results results = read ? runs.results : SQL_RESULTS_UNKNOWN;
    sql_runs_release(&runs);
    return results;
}

void identity_after_statement(struct observed *observed, const struct statement *statement)
{
    struct identity *identity = &observed->identity;
    struct sql_runs runs;
    if (!has_plugins(observed) || !statement->text || sql_kind_is_plain(statement->kinds.kind))
        return;
    bool read = read_runs(statement, database_of(observed), &runs);
    const struct sql_effects *after = &runs.after;
    if (!read || after->mode.unsure)
        identity->needs_refresh |= IDENTITY_MODE;
    else
        identity->mode = after->mode;
    if (!read || after->account != SQL_UNCHANGED)
        identity->needs_refresh |= IDENTITY_ACCOUNT;
    if (read && after->database == SQL_CHANGED)
        identity_set_database(observed, after->name.at, after->name.size);
    else if (!read || after->database == SQL_UNSURE)
        identity->needs_refresh |= IDENTITY_MODE; /* asks for the database, too */
    sql_runs_release(&runs);
}

void identity_after_failure(struct observed *observed, const struct statement *statement)
{
    struct sql_runs runs;
    if (!has_plugins(observed) || !statement->text || sql_kind_is_plain(statement->kinds.kind))
        return;
    if (!read_runs(statement, database_of(observed), &runs) || !runs.fails_as_whole)
        observed->identity.needs_refresh |= IDENTITY_MODE;
    sql_runs_release(&runs);
}

void identity_after_command(struct observed *observed, uint8_t command)
{
    if (command == WIRE_COM_SET_OPTION)
        observed->identity.multi_statements = observed->identity.multi_statements_asked;
    if (command == WIRE_COM_RESET_CONNECTION) {
        prepared_release(observed);
        plugin_session_values_begin(observed->environment->registry, &observed->handle);
        observed->identity.needs_refresh |= IDENTITY_ACCOUNT | IDENTITY_MODE;
    }
}

void identity_after_session_state(struct observed *observed, const uint8_t *state, size_t size)
{
    struct wire_session_states states;
    struct wire_session_state change;
    if (!has_plugins(observed))
        return;
    wire_session_states_begin(&states, state, size);
    while (wire_session_state_next(&states, &change)) {
        struct sql_span value = {change.value.data, change.value.size};
        if (change.type == WIRE_SESSION_SCHEMA)
            identity_set_database(observed, value.at, value.size);
        else if (change.type != WIRE_SESSION_SYSTEM_VARIABLES)
            continue;
        else if (change.name.size == 20 &&
                 memcmp(change.name.data, "character_set_client", 20) == 0)
            observed->identity.mode.charset = sql_charset_from_name(value);
        else if (change.name.size == 8 && memcmp(change.name.data, "sql_mode", 8) == 0)
            sql_mode_set_flags(&observed->identity.mode, value);
    }
}

/* ---- Refreshing from the backend ---- */

bool identity_needs_refresh(const struct observed *observed)
{
    unsigned subscribed = observed->identity.needs_refresh ? subscriptions(observed) : 0;
    bool wants_account = (observed->identity.needs_refresh & IDENTITY_ACCOUNT) &&
                         (subscribed & PLUGIN_NEEDS_ACCOUNT);
    bool wants_mode = (observed->identity.needs_refresh & IDENTITY_MODE) &&
                      (subscribed & PLUGIN_SUBSCRIBES_GENERAL);
    return wants_account || wants_mode;
}

bool identity_refresh_must_wait(struct observed *observed, const uint8_t *payload, size_t size)
{
    if (size == 0 || (payload[0] != WIRE_COM_QUERY && payload[0] != WIRE_COM_STMT_PREPARE))
        return false;
    struct wire_string text = command_text(observed, payload, size);
    bool waits = sql_reads_diagnostics((struct sql_span){text.data, text.size});
    if (waits && (observed->identity.needs_refresh & IDENTITY_MODE))
        observed->identity.mode.unsure = true;
    return waits;
}

static void keep(char **kept, struct wire_string value)
{
    free(*kept);
    *kept = strndup(value.data ? value.data : "", value.size);
}

void identity_refresh_row(struct observed *observed, const struct wire_string *values, size_t count)
{
    if (count < IDENTITY_COLUMNS)
        return;
    keep(&observed->identity.current_user, values[0]);
    keep(&observed->identity.current_role, values[1]);
    facts_account(observed);
    identity_set_database(observed, values[2].data ? values[2].data : "", values[2].size);
    sql_mode_set_flags(&observed->identity.mode, (struct sql_span){values[3].data, values[3].size});
    observed->identity.mode.unsure = false;
    observed->identity.mode.charset =
        sql_charset_from_name((struct sql_span){values[4].data, values[4].size});
}

/* ---- The forecast ---- */

void identity_forecast(struct observed *observed, const struct statement *statement)
{
    struct strbuf *forecast = &observed->command.forecast;
    struct sql_runs runs;
    if (sql_kind_is_plain(statement->kinds.kind))
        return;
    struct sql_span now = database_of(observed);
    if (forecast->size > 0)
        now = (struct sql_span){forecast->data, forecast->size};
    if (read_runs(statement, now, &runs) && runs.after.database == SQL_CHANGED) {
        strbuf_reset(forecast);
        strbuf_add(forecast, runs.after.name.at, runs.after.name.size);
        facts_database(observed, forecast->data, forecast->size);
    }
    sql_runs_release(&runs);
}

void identity_end_forecast(struct observed *observed)
{
    facts_database(observed, observed->identity.database.data, observed->identity.database.size);
    strbuf_release(&observed->command.forecast);
}

/* ---- Beginning and end ---- */

void identity_init(struct observed *observed)
{
    strbuf_init(&observed->identity.database);
}

void identity_release(struct observed *observed)
{
    struct identity *identity = &observed->identity;
    free(identity->user);
    free(identity->attributes);
    free(identity->change);
    strbuf_release(&identity->database);
    free(identity->current_user);
    free(identity->current_role);
}
