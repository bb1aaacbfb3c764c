/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/command.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/administration.h"
#include "gateway/prepared.h"

#define KEPT_TEXT_BYTES 1024 /* most memory that an idle session keeps for its next text */

static bool may_be_multi(const struct session *session)
{
    return session->run.command == WIRE_COM_QUERY && session->multi_statements;
}

/* One entry for each statement of the text. */
static void split_text(struct session *session, struct sql_span text)
{
    struct run *run = &session->run;
    struct sql_splitter splitter;
    struct sql_span span;
    size_t count = 0, capacity = 0;
    sql_splitter_init(&splitter, text, &session->mode);
    while (sql_splitter_next(&splitter, &span)) {
        if (count == capacity) {
            capacity = capacity ? 2 * capacity : 8;
            struct statement *grown = realloc(run->many, capacity * sizeof *grown);
            if (!grown) {
                count = 0;
                break;
            }
            run->many = grown;
        }
        run->many[count++] = (struct statement){
            span.at, span.size, sql_statement_quick_kind(span, &splitter.mode), splitter.mode};
        sql_mode_follow(&splitter.mode, span);
    }
    run->count = count;
    if (count == 0) {
        free(run->many);
        run->many = NULL;
        run->count = 1;
        run->out_of_memory = true;
    }
}

static void read_statements(struct session *session)
{
    struct run *run = &session->run;
    struct sql_span text = {run->text.data, run->text.size};
    run->count = 1;
    run->one = (struct statement){text.at, text.size,
                                  sql_statement_quick_kind(text, &session->mode), session->mode};
    if (may_be_multi(session) && sql_is_multi(text, &session->mode))
        split_text(session, text);
}

/* Some commands are statements in disguise; plugins are shown what they amount to, so that no rule
 * is blind to DROP DATABASE in the form of a COM_DROP_DB. */
static void write_disguised(struct run *run, const uint8_t *argument, size_t size)
{
    const uint8_t *end = memchr(argument, 0, size);
    struct sql_span name = {(const char *)argument, size};
    struct sql_span table = {(const char *)argument, end ? (size_t)(end - argument) : size};
    switch (run->command) {
    case WIRE_COM_INIT_DB:
        strbuf_add_text(&run->text, "USE ");
        sql_quote_name(&run->text, name);
        break;
    case WIRE_COM_CREATE_DB:
        strbuf_add_text(&run->text, "CREATE DATABASE ");
        sql_quote_name(&run->text, name);
        break;
    case WIRE_COM_DROP_DB:
        strbuf_add_text(&run->text, "DROP DATABASE ");
        sql_quote_name(&run->text, name);
        break;
    case WIRE_COM_FIELD_LIST:
        strbuf_add_text(&run->text, "SHOW COLUMNS FROM ");
        sql_quote_name(&run->text, table);
        break;
    case WIRE_COM_PROCESS_KILL: {
        struct wire_reader reader = wire_reader_of(argument, size);
        strbuf_printf(&run->text, "KILL %u", (unsigned)wire_read_u32(&reader));
        break;
    }
    default:
        break;
    }
}

struct wire_string command_text(const struct session *session, const uint8_t *payload, size_t size)
{
    struct wire_query query;
    if (payload[0] == WIRE_COM_QUERY &&
        wire_decode_query(payload, size, session->tracker.client_capabilities, &query))
        return query.text;
    return (struct wire_string){(const char *)payload + 1, size - 1};
}

static void note_types(struct session *session, const struct wire_packet *command)
{
    struct prepared *prepared = session->run.prepared;
    struct wire_execute execute = {0};
    struct wire_bulk_execute bulk = {0};
    struct wire_string none = {0};
    if (!prepared)
        return;
    if (command->command == WIRE_COM_STMT_BULK_EXECUTE &&
        wire_bulk_execute_begin(&bulk, command->payload, command->payload_size,
                                prepared->parameter_count, none))
        execute.types = bulk.types;
    else if (command->command == WIRE_COM_STMT_EXECUTE)
        wire_execute_begin(&execute, command->payload, command->payload_size,
                           session->tracker.client_capabilities, prepared->parameter_count, none,
                           NULL);
    if (execute.types.data)
        prepared_note_types(prepared, execute.types);
}

/* Fills run.text and run.prepared from the command's payload. */
void command_read(struct session *session, const struct wire_packet *command)
{
    struct run *run = &session->run;
    const uint8_t *argument = command->payload + 1;
    size_t size = command->payload_size - 1;
    struct wire_reader reader = wire_reader_of(argument, size);
    switch (command->command) {
    case WIRE_COM_QUERY:
    case WIRE_COM_STMT_PREPARE: {
        struct wire_string text = command_text(session, command->payload, command->payload_size);
        strbuf_add(&run->text, text.data, text.size);
        read_statements(session);
        break;
    }
    case WIRE_COM_STMT_EXECUTE:
    case WIRE_COM_STMT_BULK_EXECUTE:
        strbuf_add(&run->arguments, command->payload, command->payload_size);
        run->prepared = prepared_find(session, wire_read_u32(&reader));
        note_types(session, command);
        break;
    case WIRE_COM_STMT_FETCH:
    case WIRE_COM_STMT_RESET:
    case WIRE_COM_STMT_CLOSE:
    case WIRE_COM_STMT_SEND_LONG_DATA:
        run->prepared = prepared_find(session, wire_read_u32(&reader));
        break;
    default:
        write_disguised(run, argument, size);
        if (run->text.size)
            read_statements(session);
        break;
    }
    if (run->prepared) {
        run->one.text = run->prepared->text;
        run->one.size = run->prepared->text_size;
        run->one.kinds = run->prepared->kinds;
        run->one.mode = run->prepared->mode;
    }
    run->out_of_memory = run->out_of_memory || run->text.failed || run->arguments.failed;
}

/* Without plugins only what the gateway itself acts upon matters: KILL, and its own statements. */
void command_read_kind(struct session *session, const struct wire_packet *command)
{
    struct run *run = &session->run;
    run->command = command->command;
    run->count = 1;
    run->one = (struct statement){0};
    if (command->command != WIRE_COM_QUERY)
        return;
    struct wire_string text = command_text(session, command->payload, command->payload_size);
    struct sql_span span = {text.data, text.size};
    run->one.kinds = sql_statement_quick_kind(span, &session->mode);
    run->one.mode = session->mode;
    if (administration_may_take(run->one.kinds.kind) && sql_is_multi(span, &session->mode))
        run->count = 2; /* several: not for the gateway */
}

void command_forget(struct run *run, uint8_t command)
{
    if (run->text.capacity > KEPT_TEXT_BYTES)
        strbuf_release(&run->text);
    strbuf_reset(&run->text);
    strbuf_release(&run->arguments);
    free(run->many);
    run->many = NULL;
    run->one = (struct statement){0};
    run->count = 1;
    run->current = 0;
    run->bytes_before = 0;
    run->rows_before = 0;
    run->prepared = NULL;
    run->heard = false;
    run->out_of_memory = false;
    run->command = command;
}
