/* SPDX-License-Identifier: Apache-2.0
 *
 * Which statements name variables of plugins, and SELECT @@x: the text that the backend gets has
 * literals in place of the names. */
#include "gateway/variables.h"

#include <stdio.h>
#include <string.h>

#include "gateway/answer.h"
#include "gateway/outcome.h"
#include "gateway/prepared.h"
#include "gateway/relay.h"
#include "gateway/statement.h"

#define ALIAS_BYTES 255 /* longest name that the server takes for a column */

static const struct plugin_registry *registry_of(const struct session *session)
{
    return session->worker->gateway->registry;
}

/* ---- Recognising ---- */

static struct sql_span text_of(const struct statement *statement)
{
    return (struct sql_span){statement->text, statement->size};
}

static bool is_set(const struct statement *statement)
{
    return statement->kinds.kind == SQL_KIND_SET || statement->kinds.kind == SQL_KIND_SET_GLOBAL;
}

/* What stores a text for later keeps the name, so that it does not freeze today's value. */
static bool stores_text(enum sql_kind kind)
{
    switch (kind) {
    case SQL_KIND_CREATE_VIEW:
    case SQL_KIND_ALTER_VIEW:
    case SQL_KIND_CREATE_PROCEDURE:
    case SQL_KIND_CREATE_FUNCTION:
    case SQL_KIND_CREATE_PACKAGE:
    case SQL_KIND_CREATE_TRIGGER:
    case SQL_KIND_CREATE_EVENT:
    case SQL_KIND_ALTER_EVENT:
        return true;
    default:
        return false;
    }
}

/* Texts can be long, and an '@' is rare. */
static bool has_two_at_signs(const char *text, size_t size)
{
    const char *end = text + size;
    for (const char *at = text; size && (at = memchr(at, '@', (size_t)(end - at))) != NULL; at++)
        if (end - at > 1 && at[1] == '@')
            return true;
    return false;
}

static bool names_variable(const struct session *session, const struct statement *statement)
{
    struct sql_variables variables;
    struct sql_variable_use use;
    if (stores_text(statement->kinds.kind) || !has_two_at_signs(statement->text, statement->size) ||
        !plugin_variable_may_be_in(registry_of(session), statement->text, statement->size))
        return false;
    sql_variables_init(&variables, text_of(statement), &statement->mode);
    while (sql_variables_next(&variables, &use))
        if (plugin_variable_find(registry_of(session), use.name.at, use.name.size))
            return true;
    return false;
}

static bool sets_variable(const struct session *session, const struct statement *statement)
{
    struct sql_settings settings;
    struct sql_setting setting;
    if (!is_set(statement) ||
        !plugin_variable_may_be_in(registry_of(session), statement->text, statement->size))
        return false;
    sql_settings_init(&settings, text_of(statement), &statement->mode);
    while (sql_settings_next(&settings, &setting))
        if (setting.scope != SQL_SCOPE_USER && setting.scope != SQL_SCOPE_NAMES &&
            plugin_variable_find(registry_of(session), setting.name.at, setting.name.size))
            return true;
    return false;
}

static bool shows_variables(const struct statement *statement, struct sql_show_variables *show)
{
    return statement->kinds.kind == SQL_KIND_SHOW &&
           sql_show_variables(text_of(statement), &statement->mode, show);
}

static const struct statement *statement_at(const struct run *run, size_t index)
{
    return run->many ? &run->many[index] : &run->one;
}

static size_t statement_count(const struct run *run)
{
    return run->many ? run->count : 1;
}

bool variables_take(const struct session *session, const struct wire_packet *command)
{
    const struct run *run = &session->run;
    struct sql_show_variables show;
    bool takes = false;
    if (!session->worker->gateway->has_variables || command->payload_size >= WIRE_FRAME_MAX)
        return false;
    switch (command->command) {
    case WIRE_COM_STMT_EXECUTE:
        return run->prepared && shows_variables(&run->one, &show);
    case WIRE_COM_QUERY:
        if (!run->many && shows_variables(&run->one, &show))
            return true;
        break;
    case WIRE_COM_STMT_PREPARE:
        break;
    default:
        return false;
    }
    for (size_t i = 0; !takes && i < statement_count(run); i++)
        takes = sets_variable(session, statement_at(run, i)) ||
                names_variable(session, statement_at(run, i));
    return takes;
}

/* ---- Rewriting ---- */

static void add_value(struct strbuf *out, const struct plugin_shown *shown)
{
    if (shown->literal == PLUGIN_LITERAL_TEXT)
        sql_quote_text(out, (struct sql_span){shown->text.data, shown->text.size});
    else if (shown->number.size && shown->number.data[0] == '-')
        strbuf_printf(out, "(%s)", shown->number.data);
    else
        strbuf_add(out, shown->number.data, shown->number.size);
}

static void add_alias(struct strbuf *out, struct sql_span name)
{
    size_t size = name.size < ALIAS_BYTES ? name.size : ALIAS_BYTES;
    while (size > 1 && (name.at[size - 1] == ' ' ||
                        (size < name.size && ((unsigned char)name.at[size] & 0xc0) == 0x80)))
        size--;
    strbuf_add_text(out, " AS ");
    sql_quote_name(out, (struct sql_span){name.at, size});
}

static bool may_read(const struct plugin_variable *variable, const struct sql_variable_use *use,
                     struct plugin_refusal *refusal)
{
    unsigned scopes = plugin_variable_scopes(variable);
    bool wants_global = use->scope == SQL_SCOPE_GLOBAL;
    if (!use->is_scoped || (scopes & (wants_global ? PLUGIN_SCOPE_GLOBAL : PLUGIN_SCOPE_SESSION)))
        return true;
    refusal->code = WIRE_ER_INCORRECT_GLOBAL_LOCAL_VAR;
    memcpy(refusal->sqlstate, "HY000", 6);
    snprintf(refusal->message, sizeof refusal->message, "Variable '%s' is a %s variable",
             plugin_variable_name(variable), wants_global ? "SESSION" : "GLOBAL");
    return false;
}

bool variables_rewrite(const struct session *session, struct sql_span text,
                       const struct sql_mode *mode, struct strbuf *out,
                       struct plugin_refusal *refusal)
{
    struct sql_variables variables;
    struct sql_variable_use use;
    struct sql_span item = {0}; /* gets its alias once its end has been copied */
    const char *at = text.at, *end = text.at + text.size;
    sql_variables_init(&variables, text, mode);
    while (sql_variables_next(&variables, &use)) {
        const struct plugin_variable *variable =
            use.scope == SQL_SCOPE_GLOBAL || use.scope == SQL_SCOPE_SESSION
                ? plugin_variable_find(registry_of(session), use.name.at, use.name.size)
                : NULL;
        if (!variable)
            continue;
        if (!may_read(variable, &use, refusal))
            return false;
        if (item.size && use.written.at >= item.at + item.size) {
            strbuf_add(out, at, (size_t)(item.at + item.size - at));
            add_alias(out, item);
            at = item.at + item.size;
        }
        bool is_global = use.scope == SQL_SCOPE_GLOBAL;
        struct plugin_shown shown =
            plugin_variable_shown(variable, is_global ? NULL : &session->facts);
        strbuf_add(out, at, (size_t)(use.written.at - at));
        add_value(out, &shown);
        at = use.written.at + use.written.size;
        item = use.item;
    }
    if (item.size) {
        strbuf_add(out, at, (size_t)(item.at + item.size - at));
        add_alias(out, item);
        at = item.at + item.size;
    }
    strbuf_add(out, at, (size_t)(end - at));
    return true;
}

/* ---- Sending ---- */

void variables_refuse(struct session *session, const struct plugin_refusal *refusal)
{
    outcome_error(session, refusal->code, refusal->sqlstate, refusal->message);
}

void variables_resend(struct session *session, struct strbuf *packet)
{
    struct wire_input input = {(uint8_t *)packet->data, (uint8_t *)packet->data + packet->size};
    struct wire_packet command;
    if (packet->failed ||
        wire_tracker_next(&session->tracker, WIRE_FROM_CLIENT, &input, &command) != WIRE_PACKET) {
        session_close(session, CLOSE_NO_MEMORY);
    } else {
        session_enter(session, SESSION_RUNNING);
        stream_write(&session->backend, packet->data, packet->size);
    }
    strbuf_release(packet);
}

/* The command with another text: what stands in front of it (its byte, query attributes) stays. */
static void resend_with(struct session *session, const struct wire_packet *command,
                        const struct strbuf *text)
{
    struct strbuf packet = STRBUF_INIT;
    struct wire_writer writer = wire_writer_to(&packet, 0);
    wire_begin_packet(&writer);
    wire_write_bytes(&writer, command->payload, command->payload_size - session->run.text.size);
    wire_write_bytes(&writer, text->data, text->size);
    wire_end_packet(&writer);
    packet.failed = packet.failed || text->failed;
    variables_resend(session, &packet);
}

/* Every statement of the text; what stands behind the last one is white space. */
static void select_values(struct session *session, const struct wire_packet *command)
{
    const struct run *run = &session->run;
    struct strbuf text = STRBUF_INIT;
    struct plugin_refusal refusal;
    bool fine = true;
    for (size_t i = 0; fine && i < statement_count(run); i++) {
        const struct statement *statement = statement_at(run, i);
        if (stores_text(statement->kinds.kind))
            strbuf_add(&text, statement->text, statement->size);
        else
            fine =
                variables_rewrite(session, text_of(statement), &statement->mode, &text, &refusal);
    }
    if (fine)
        resend_with(session, command, &text);
    else
        variables_refuse(session, &refusal);
    strbuf_release(&text);
}

static bool sets_any(const struct session *session)
{
    for (size_t i = 0; i < statement_count(&session->run); i++)
        if (sets_variable(session, statement_at(&session->run, i)))
            return true;
    return false;
}

void variables_begin(struct session *session, const struct wire_packet *command)
{
    const struct statement *statement = &session->run.one;
    struct sql_show_variables show;
    if (!session->run.many && command->command != WIRE_COM_STMT_PREPARE &&
        shows_variables(statement, &show)) {
        variables_show_begin(session, command, &show);
    } else if (!sets_any(session)) {
        select_values(session, command);
    } else if (command->command == WIRE_COM_STMT_PREPARE) {
        session->prepare_refused = true;
        outcome_error(session, WIRE_ER_UNSUPPORTED_PS, NULL,
                      "This command is not supported in the prepared statement protocol yet");
    } else if (session->run.many) {
        outcome_error(
            session, WIRE_ER_NOT_SUPPORTED_YET, NULL,
            "This version of weir doesn't yet support 'SET of a plugin's variable in a text "
            "of several statements'");
    } else {
        variables_set_begin(session, text_of(statement), &statement->mode);
    }
}

void variables_release(struct session *session)
{
    variables_set_release(session);
    variables_show_release(session);
}
