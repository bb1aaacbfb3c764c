/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/identity.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/command.h"
#include "gateway/prepared.h"

static bool has_plugins(const struct session *session)
{
    return session->worker->gateway->has_plugins;
}

static unsigned hears(const struct session *session)
{
    return plugin_registry_hears(session->worker->gateway->registry);
}

static void set_fact(struct session *session, enum weir_text_fact fact, const char *data,
                     size_t size)
{
    session->facts.text[fact] = (weir_string){data, size};
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

void identity_set_database(struct session *session, const char *name, size_t size)
{
    strbuf_release(&session->database); /* names are short and change rarely: no slack is kept */
    strbuf_add(&session->database, name, size);
    set_fact(session, WEIR_TEXT_database, session->database.data, session->database.size);
}

/* Clients name their library's version among their attributes. */
static void note_client_version(struct session *session)
{
    struct wire_reader reader =
        wire_reader_of(session->facts.attributes, session->facts.attributes_size);
    struct wire_string name, value;
    set_fact(session, WEIR_TEXT_client_version, NULL, 0);
    while (wire_attribute_next(&reader, &name, &value))
        if (name.size == 15 && memcmp(name.data, "_client_version", 15) == 0)
            set_fact(session, WEIR_TEXT_client_version, value.data, value.size);
}

bool identity_set_user(struct session *session, struct wire_string user,
                       struct wire_string database, struct wire_string attributes,
                       unsigned collation)
{
    char *new_user = copy_of(user);
    char *new_attributes = has_plugins(session) ? copy_of(attributes) : NULL;
    if (!new_user || (has_plugins(session) && !new_attributes)) {
        free(new_user);
        free(new_attributes);
        return false;
    }
    free(session->user);
    free(session->attributes);
    session->user = new_user;
    session->attributes = new_attributes;
    session->facts.attributes = (const uint8_t *)new_attributes;
    session->facts.attributes_size = new_attributes ? attributes.size : 0;
    note_client_version(session);
    set_fact(session, WEIR_TEXT_user, session->user, user.size);
    identity_set_database(session, database.data ? database.data : "", database.size);
    session->mode = (struct sql_mode){.dialect = session->mode.dialect,
                                      .server_version = session->mode.server_version,
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

bool identity_prepare_change_user(struct session *session, const struct wire_packet *command)
{
    struct change_of_user *change = malloc(sizeof *change + command->payload_size);
    if (!change)
        return false;
    memcpy(change->payload, command->payload, command->payload_size);
    free(session->change);
    session->change = change;
    return wire_decode_change_user(change->payload, command->payload_size,
                                   session->tracker.client_capabilities, &change->asked);
}

bool identity_change_user(struct session *session)
{
    struct change_of_user *change = session->change;
    session->change = NULL;
    bool fine = change && identity_set_user(session, change->asked.user, change->asked.database,
                                            change->asked.attributes, change->asked.charset);
    free(change);
    prepared_release(session);
    plugin_session_values_begin(session->worker->gateway->registry, &session->facts);
    session->stale |= STALE_ACCOUNT | STALE_MODE;
    return fine;
}

/* ---- What statements change ---- */

static bool is_database(const struct session *session, struct sql_span name)
{
    return name.size == session->database.size &&
           strncasecmp(name.at, session->database.data, name.size) == 0;
}

/* Whether a statement may run a SET NAMES or SET sql_mode that its text does not show. */
static bool hides_settings(enum sql_kind kind)
{
    return kind == SQL_KIND_CALL || kind == SQL_KIND_COMPOUND || kind == SQL_KIND_EXECUTE ||
           kind == SQL_KIND_EXECUTE_IMMEDIATE || kind == SQL_KIND_UNKNOWN;
}

void identity_after_statement(struct session *session, const struct statement *statement)
{
    struct sql_span text = {statement->text, statement->size};
    struct sql_span name;
    struct sql_mode after;
    if (!has_plugins(session) || !statement->text)
        return;
    switch (statement->kinds.kind) {
    case SQL_KIND_USE:
        if (sql_use_target(text, &statement->mode, &name))
            identity_set_database(session, name.at, name.size);
        break;
    case SQL_KIND_DROP_DATABASE:
        if (sql_drop_database_target(text, &statement->mode, &name) && is_database(session, name))
            identity_set_database(session, "", 0);
        break;
    case SQL_KIND_SET_ROLE:
        session->stale |= STALE_ACCOUNT;
        break;
    case SQL_KIND_SET:
    case SQL_KIND_SET_GLOBAL: /* SET GLOBAL a = 1, SESSION sql_mode = '' */
        if (sql_mode_after(text, &session->mode, &after) == SQL_MODE_UNSURE)
            session->stale |= STALE_MODE;
        else
            session->mode = after;
        break;
    default:
        if (hides_settings(statement->kinds.kind))
            session->stale |= STALE_MODE;
        break;
    }
}

void identity_after_failure(struct session *session, const struct statement *statement)
{
    enum sql_kind kind = statement->kinds.kind;
    bool is_set = kind == SQL_KIND_SET || kind == SQL_KIND_SET_GLOBAL;
    if (has_plugins(session) && (is_set || hides_settings(kind)))
        session->stale |= STALE_MODE;
}

void identity_after_command(struct session *session, uint8_t command)
{
    if (command == WIRE_COM_SET_OPTION)
        session->multi_statements = session->multi_asked;
    if (command == WIRE_COM_RESET_CONNECTION) {
        prepared_release(session);
        plugin_session_values_begin(session->worker->gateway->registry, &session->facts);
        session->stale |= STALE_ACCOUNT | STALE_MODE;
    }
}

void identity_after_session_state(struct session *session, const uint8_t *state, size_t size)
{
    struct wire_session_states states;
    struct wire_session_state change;
    if (!has_plugins(session))
        return;
    wire_session_states_begin(&states, state, size);
    while (wire_session_state_next(&states, &change)) {
        struct sql_span value = {change.value.data, change.value.size};
        if (change.type == WIRE_SESSION_SCHEMA)
            identity_set_database(session, value.at, value.size);
        else if (change.type != WIRE_SESSION_SYSTEM_VARIABLES)
            continue;
        else if (change.name.size == 20 &&
                 memcmp(change.name.data, "character_set_client", 20) == 0)
            session->mode.charset = sql_charset_from_name(value);
        else if (change.name.size == 8 && memcmp(change.name.data, "sql_mode", 8) == 0)
            sql_mode_set_flags(&session->mode, value);
    }
}

/* ---- Asking the backend ---- */

bool identity_must_ask(const struct session *session)
{
    unsigned heard = session->stale ? hears(session) : 0;
    bool wants_account = (session->stale & STALE_ACCOUNT) && (heard & PLUGIN_NEEDS_ACCOUNT);
    bool wants_mode = (session->stale & STALE_MODE) && (heard & PLUGIN_HEARS_GENERAL);
    return wants_account || wants_mode;
}

bool identity_must_wait(struct session *session, const uint8_t *payload, size_t size)
{
    if (size == 0 || (payload[0] != WIRE_COM_QUERY && payload[0] != WIRE_COM_STMT_PREPARE))
        return false;
    struct wire_string text = command_text(session, payload, size);
    bool reads = sql_reads_diagnostics((struct sql_span){text.data, text.size});
    if (reads && (session->stale & STALE_MODE))
        session->mode.unsure = true;
    return reads;
}

static void keep_answer(struct session *session, enum weir_text_fact fact, struct strbuf *kept,
                        struct wire_string value)
{
    strbuf_release(kept);
    strbuf_add(kept, value.data, value.size);
    set_fact(session, fact, kept->data, kept->size);
}

void identity_answered(struct session *session, const struct wire_string *values, size_t count)
{
    if (count < IDENTITY_ANSWERS)
        return;
    keep_answer(session, WEIR_TEXT_current_user, &session->current_user, values[0]);
    keep_answer(session, WEIR_TEXT_current_role, &session->current_role, values[1]);
    identity_set_database(session, values[2].data ? values[2].data : "", values[2].size);
    sql_mode_set_flags(&session->mode, (struct sql_span){values[3].data, values[3].size});
    session->mode.unsure = false;
    session->mode.charset =
        sql_charset_from_name((struct sql_span){values[4].data, values[4].size});
}

/* ---- The forecast ---- */

void identity_forecast_begin(struct identity_forecast *forecast)
{
    strbuf_init(&forecast->database);
}

void identity_forecast_statement(struct session *session, struct identity_forecast *forecast,
                                 const struct statement *statement)
{
    struct sql_span name;
    if (statement->kinds.kind != SQL_KIND_USE ||
        !sql_use_target((struct sql_span){statement->text, statement->size}, &statement->mode,
                        &name))
        return;
    strbuf_reset(&forecast->database);
    strbuf_add(&forecast->database, name.at, name.size);
    set_fact(session, WEIR_TEXT_database, forecast->database.data, forecast->database.size);
}

void identity_forecast_end(struct session *session, struct identity_forecast *forecast)
{
    set_fact(session, WEIR_TEXT_database, session->database.data, session->database.size);
    strbuf_release(&forecast->database);
}

void identity_init(struct session *session)
{
    strbuf_init(&session->database);
    strbuf_init(&session->current_user);
    strbuf_init(&session->current_role);
}

void identity_release(struct session *session)
{
    free(session->user);
    free(session->attributes);
    free(session->change);
    strbuf_release(&session->database);
    strbuf_release(&session->current_user);
    strbuf_release(&session->current_role);
}
