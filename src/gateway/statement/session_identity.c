/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of a session's identity: set, forgotten, and asked of the backend. */
#include "gateway/statement/session_identity.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/statement/command.h"
#include "gateway/statement/facts.h"
#include "gateway/statement/prepared.h"
#include "gateway/statement/tracking.h"

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

void identity_set_database(struct observed *observed, const char *name, size_t size)
{
    struct identity *identity = &observed->identity;
    strbuf_release(&identity->database); /* names are short and change rarely: no slack is kept */
    strbuf_add(&identity->database, name, size);
    identity->unknown &= ~(unsigned)IDENTITY_DATABASE;
    facts_database(observed, identity->database.data, identity->database.size);
    if (identity->database.failed)
        identity_forget(observed, IDENTITY_DATABASE, "there was no memory");
}

static void forget_text(char **text)
{
    free(*text);
    *text = NULL;
}

void identity_forget(struct observed *observed, unsigned parts, const char *why)
{
    struct identity *identity = &observed->identity;
    assert((parts & ~(unsigned)IDENTITY_ALL) == 0 && why);
    if (parts == 0)
        return;
    identity->unknown |= parts;
    identity->why_unknown = why;
    if (parts & IDENTITY_ACCOUNT)
        forget_text(&identity->current_user);
    if (parts & IDENTITY_ROLES)
        forget_text(&identity->current_role);
    if (parts & IDENTITY_DATABASE) {
        strbuf_release(&identity->database);
        facts_database(observed, NULL, 0);
    }
    if (parts & IDENTITY_READING)
        identity->mode.unsure = true;
    facts_account(observed);
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

void identity_begin(struct observed *observed)
{
    bool asks = subscriptions(observed) & (PLUGIN_NEEDS_ACCOUNT | PLUGIN_SUBSCRIBES_GENERAL);
    if (!has_plugins(observed))
        return;
    identity_forget(observed, asks ? IDENTITY_ALL : IDENTITY_ALL & ~IDENTITY_DATABASE,
                    "the backend has not said yet who the session is");
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
    tracking_reset(observed);
    identity_forget(observed, IDENTITY_ACCOUNT | IDENTITY_ROLES | IDENTITY_READING,
                    "the user has changed, and the backend has not said yet who that is");
    return ok;
}

/* ---- Commands ---- */

void identity_after_command(struct observed *observed, uint8_t command)
{
    if (command == WIRE_COM_SET_OPTION)
        observed->identity.multi_statements = observed->identity.multi_statements_asked;
    if (command != WIRE_COM_RESET_CONNECTION || !has_plugins(observed))
        return;
    prepared_release(observed);
    plugin_session_values_begin(observed->environment->registry, &observed->handle);
    tracking_reset(observed);
    identity_forget(observed, IDENTITY_ROLES | IDENTITY_READING,
                    "the session was reset, and the backend has not said yet to what");
}

/* ---- Asking the backend ---- */

/* What some plugin needs of what is not known. */
static unsigned wanted(const struct observed *observed)
{
    const struct identity *identity = &observed->identity;
    if (!identity->unknown && !identity->tracking_is_in_doubt)
        return 0;
    unsigned parts = 0, subscribed = subscriptions(observed);
    if (subscribed & PLUGIN_NEEDS_ACCOUNT)
        parts |= IDENTITY_ACCOUNT | IDENTITY_ROLES;
    if (subscribed & PLUGIN_SUBSCRIBES_GENERAL)
        parts |= IDENTITY_DATABASE | IDENTITY_READING;
    return identity->unknown & parts;
}

bool identity_is_wanted(const struct observed *observed)
{
    return wanted(observed) != 0;
}

/* The text of a command that has one: its own, or what was prepared. false: it has none. */
static bool text_of(const struct observed *observed, const uint8_t *payload, size_t size,
                    struct sql_span *text)
{
    struct wire_reader arguments = wire_reader_of(payload + 1, size - 1);
    const struct prepared *prepared;
    struct wire_string own;
    switch (payload[0]) {
    case WIRE_COM_QUERY:
    case WIRE_COM_STMT_PREPARE:
        own = command_text(observed, payload, size);
        *text = (struct sql_span){own.data, own.size};
        return true;
    case WIRE_COM_STMT_EXECUTE:
    case WIRE_COM_STMT_BULK_EXECUTE:
        prepared = prepared_find(observed, wire_read_u32(&arguments));
        *text = prepared ? (struct sql_span){prepared->text, prepared->text_size}
                         : (struct sql_span){"", 0};
        return true;
    default:
        return false;
    }
}

bool identity_is_wanted_for(struct observed *observed, const uint8_t *payload, size_t size)
{
    struct sql_span text;
    unsigned parts = wanted(observed);
    bool in_doubt = observed->identity.tracking_is_in_doubt;
    if ((!parts && !in_doubt) || size == 0)
        return false;
    bool has_text = text_of(observed, payload, size, &text);
    if (parts & IDENTITY_ACCOUNT)
        return has_text || payload[0] != WIRE_COM_QUIT;
    bool is_new = payload[0] == WIRE_COM_QUERY || payload[0] == WIRE_COM_STMT_PREPARE;
    if (!is_new || sql_reading_is_fixed(text))
        parts &= ~(unsigned)IDENTITY_READING;
    return has_text && (parts || in_doubt) && !sql_reads_diagnostics(text);
}

/* CAST keeps character_set_results out, LIMIT sql_select_limit. */
#define IDENTITY_SELECT                                                                            \
    "SELECT CAST(CURRENT_USER() AS BINARY), CAST(CURRENT_ROLE() AS BINARY), "                      \
    "CAST(DATABASE() AS BINARY), CAST(@@sql_mode AS BINARY), "                                     \
    "CAST(@@character_set_client AS BINARY), "
#define IDENTITY_TRACKS "@@session_track_system_variables"

const char *identity_question(const struct observed *observed)
{
    static const char plain[] = IDENTITY_SELECT "NULL, NULL, NULL LIMIT 1";
    static const char tracking[] =
        "BEGIN NOT ATOMIC " IDENTITY_SELECT "CAST(" IDENTITY_TRACKS " AS BINARY), "
        "CAST(@@session_track_schema AS BINARY), CAST(@@session_track_state_change AS BINARY) "
        "LIMIT 1; SET SESSION session_track_system_variables = IF(" IDENTITY_TRACKS " = '*', '*', "
        "CONCAT_WS(',', NULLIF(" IDENTITY_TRACKS ", ''), 'character_set_client', 'sql_mode', "
        "'session_track_system_variables', 'session_track_schema', 'session_track_state_change')), "
        "SESSION session_track_schema = 1, SESSION session_track_state_change = 1; END";
    const struct identity *identity = &observed->identity;
    bool reads_blocks = observed->capabilities & WIRE_CAP(CLIENT_MULTI_RESULTS);
    bool tracks = reads_blocks && identity->tracking != TRACKING_NONE &&
                  identity->mode.dialect == SQL_DIALECT_MARIADB;
    return tracks ? tracking : plain;
}

static bool keep(char **kept, struct wire_string value)
{
    forget_text(kept);
    *kept = strndup(value.data ? value.data : "", value.size);
    return *kept != NULL;
}

void identity_answer(struct observed *observed, const struct wire_string *values, size_t count)
{
    struct identity *identity = &observed->identity;
    if (count != IDENTITY_COLUMNS || !values[0].data || !values[3].data || !values[4].data)
        return;
    identity->unknown = 0;
    identity->mode.unsure = false;
    if (!keep(&identity->current_user, values[0]) || !keep(&identity->current_role, values[1]))
        identity_forget(observed, IDENTITY_ACCOUNT | IDENTITY_ROLES, "there was no memory");
    facts_account(observed);
    identity_set_database(observed, values[2].data ? values[2].data : "", values[2].size);
    sql_mode_set_flags(&identity->mode, (struct sql_span){values[3].data, values[3].size});
    identity->mode.charset =
        sql_charset_from_name((struct sql_span){values[4].data, values[4].size});
    const struct tracking_variables variables = {values[5], values[6], values[7]};
    tracking_answer(observed, &variables);
}

/* ---- The forecast ---- */

void identity_forecast(struct observed *observed, const struct statement *statement)
{
    struct strbuf *forecast = &observed->command.forecast;
    if (!statement->text || sql_kind_is_plain(statement->kinds.kind))
        return;
    const weir_string *now = &observed->handle.text[WEIR_TEXT_database];
    struct sql_effects after = tracking_forecast(
        observed, statement, (struct sql_database){now->data != NULL, {now->data, now->size}});
    if (after.database == SQL_UNCHANGED)
        return;
    strbuf_reset(forecast);
    strbuf_add(forecast, after.name.at, after.name.size);
    if (after.database == SQL_UNSURE || forecast->failed)
        facts_database(observed, NULL, 0);
    else
        facts_database(observed, forecast->data, forecast->size);
}

void identity_end_forecast(struct observed *observed)
{
    const struct identity *identity = &observed->identity;
    if (identity->unknown & IDENTITY_DATABASE)
        facts_database(observed, NULL, 0);
    else
        facts_database(observed, identity->database.data, identity->database.size);
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
    sql_named_clear(&identity->named);
    free(identity->current_user);
    free(identity->current_role);
}
