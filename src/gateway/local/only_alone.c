/* SPDX-License-Identifier: Apache-2.0
 *
 * SHOW PLUGINS, FLUSH TIDB PLUGINS, ADMIN PLUGINS, ADMIN TRACE, ADMIN BACKENDS and ADMIN SHOW where the gateway cannot run them:
 * prepared, among several statements, or inside of another one. They are refused, because the
 * backend would take them for something else: an error of syntax at best, and TiDB has such
 * statements about plugins of its own. */
#include <strings.h>

#include "gateway/local/grammar_backends.h"
#include "gateway/local/grammar_nodes.h"
#include "gateway/local/grammar_plugins.h"
#include "gateway/local/grammar_processes.h"
#include "gateway/local/grammar_reload.h"
#include "gateway/local/grammar_trace.h"
#include "gateway/local/local.h"

static bool is_ours(enum sql_kind kind, struct sql_span text, const struct sql_mode *mode)
{
    struct grammar_show_plugins show;
    struct grammar_trace trace;
    struct grammar_backends backends;
    bool wrong = false, is_cluster;
    switch (kind) {
    case SQL_KIND_FLUSH_PLUGINS:
    case SQL_KIND_ADMIN_PLUGINS:
        return true;
    case SQL_KIND_SHOW_PLUGINS:
        return grammar_show_plugins(text, mode, &show);
    case SQL_KIND_ADMIN:
        return grammar_trace(text, mode, &trace) || grammar_admin_variables(text, mode, &show) ||
               grammar_backends(text, mode, &backends) || grammar_reload(text, mode, &wrong) ||
               grammar_nodes(text, mode, &wrong) ||
               grammar_processes(text, mode, &is_cluster, &wrong);
    default:
        return false;
    }
}

static bool names(struct sql_span text, const char *word, size_t size)
{
    const char *end = text.at + text.size;
    for (const char *at = text.at; (size_t)(end - at) >= size; at++)
        if (strncasecmp(at, word, size) == 0)
            return true;
    return false;
}

/* From the verb on: the text of what SET STATEMENT runs begins with SET. */
static struct sql_span from_verb(struct sql_span text, struct sql_mode *mode)
{
    struct sql_cursor cursor;
    size_t before = 0;
    for (sql_cursor_begin(&cursor, text, mode);
         !sql_cursor_at_end(&cursor) && sql_cursor_word(&cursor) != SQL_WORD_SHOW &&
         sql_cursor_word(&cursor) != SQL_WORD_ADMIN;
         sql_cursor_next(&cursor))
        before = cursor.lexer.at;
    const char *at = text.at + sql_cursor_cut(&cursor, before, mode);
    return (struct sql_span){at, (size_t)(text.at + text.size - at)};
}

static bool part_is_ours(const struct sql_part *part)
{
    struct sql_mode mode = part->mode;
    struct sql_span text = from_verb(part->text, &mode);
    return is_ours(part->kind, text, &mode);
}

/* Whether one of them is what the statement runs, as far as its text shows that. */
static bool runs_ours(enum sql_kind kind, struct sql_span text, const struct sql_mode *mode)
{
    struct sql_parts parts;
    bool found = false;
    if ((kind != SQL_KIND_SET_STATEMENT && kind != SQL_KIND_COMPOUND && kind != SQL_KIND_PREPARE &&
         kind != SQL_KIND_EXECUTE_IMMEDIATE) ||
        text.size == 0 ||
        !(names(text, "plugins", 7) || names(text, "trace", 5) || names(text, "variables", 9) ||
          names(text, "backends", 8) || names(text, "reload", 6) || names(text, "nodes", 5) ||
          names(text, "processlist", 11)))
        return false;
    sql_parts_init(&parts);
    if (sql_parts_read(&parts, text, mode))
        for (size_t i = 1; !found && i < parts.count; i++)
            found = part_is_ours(&parts.items[i]);
    sql_parts_release(&parts);
    return found;
}

/* The statement of a command; without plugins a text has not been cut, and is known by its first. */
static struct sql_span text_of(const struct observed *observed, const struct statement *statement)
{
    const struct wire_string *sent = &observed->command.sent;
    return statement->text ? statement_text(statement) : (struct sql_span){sent->data, sent->size};
}

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    const struct command *command = &observed->command;
    bool is_prepare = packet->command == WIRE_COM_STMT_PREPARE;
    if (packet->command != WIRE_COM_QUERY && !is_prepare)
        return false;
    for (size_t i = 0; i < command_statement_count(command); i++) {
        const struct statement *statement = command_statement(command, i);
        struct sql_span text = text_of(observed, statement);
        enum sql_kind kind = statement->kinds.kind;
        if (runs_ours(kind, text, &statement->mode))
            return true;
        if (is_ours(kind, text, &statement->mode))
            return is_prepare || !local_is_single_query(observed, packet);
    }
    return false;
}

static struct local_action begin(struct local *local, const struct wire_packet *packet)
{
    if (packet->command == WIRE_COM_STMT_PREPARE)
        return local_fail(local, WIRE_ER_UNSUPPORTED_PS,
                          "This command is not supported in the prepared statement protocol yet");
    return local_fail(
        local, WIRE_ER_NOT_SUPPORTED_YET,
        "This version of weir doesn't yet support 'SHOW PLUGINS, FLUSH TIDB PLUGINS, "
        "ADMIN PLUGINS, ADMIN TRACE, ADMIN BACKENDS or ADMIN SHOW inside of a text of other "
        "statements'");
}

const struct local_statement local_only_alone = {
    .name = "only_alone",
    .size = sizeof(struct local),
    .matches = matches,
    .begin = begin,
};
