/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading commands: a text is copied and cut into its statements; commands that are statements in
 * disguise (COM_DROP_DB ...) get the text that they amount to; an Execute gets the statement that
 * was prepared. */
#include "gateway/statement/command.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/statement/memo.h"
#include "gateway/statement/prepared.h"

#define KEPT_TEXT_BYTES   1024 /* most memory that an idle session keeps for its next text */
#define LISTED_LEAST      256  /* the same without plugins, */
#define LISTED_TEXT_BYTES 4096 /* ... and at most */

static bool may_be_multi(const struct observed *observed)
{
    return observed->command.code == WIRE_COM_QUERY && observed->identity.multi_statements;
}

/* One entry for each statement of the text. */
static void split_text(struct observed *observed, struct sql_span text)
{
    struct command *command = &observed->command;
    struct sql_splitter splitter;
    struct sql_span span;
    size_t count = 0, capacity = 0;
    sql_splitter_init(&splitter, text, &observed->identity.mode);
    while (sql_splitter_next(&splitter, &span)) {
        if (count == capacity) {
            capacity = capacity ? 2 * capacity : 8;
            struct statement *grown = realloc(command->many, capacity * sizeof *grown);
            if (!grown) {
                count = 0;
                break;
            }
            command->many = grown;
        }
        command->many[count++] = (struct statement){
            span.at, span.size, sql_statement_quick_kind(span, &splitter.mode), splitter.mode};
        sql_mode_follow(&splitter.mode, span);
    }
    command->count = count;
    if (count == 0) {
        free(command->many);
        command->many = NULL;
        command->count = 1;
        command->out_of_memory = true;
    }
}

static void read_statements(struct observed *observed)
{
    struct command *command = &observed->command;
    struct sql_span text = {command->text.data, command->text.size};
    command->count = 1;
    command->one = (struct statement){text.at, text.size,
                                      sql_statement_quick_kind(text, &observed->identity.mode),
                                      observed->identity.mode};
    if (may_be_multi(observed) && sql_is_multi(text, &observed->identity.mode))
        split_text(observed, text);
}

/* Some commands are statements in disguise; plugins are shown what they amount to, so that a rule
 * about DROP DATABASE applies to a COM_DROP_DB, too. */
static void write_disguised(struct command *command, const uint8_t *argument, size_t size)
{
    const uint8_t *end = memchr(argument, 0, size);
    struct sql_span name = {(const char *)argument, size};
    struct sql_span table = {(const char *)argument, end ? (size_t)(end - argument) : size};
    switch (command->code) {
    case WIRE_COM_INIT_DB:
        strbuf_add_text(&command->text, "USE ");
        sql_quote_name(&command->text, name);
        break;
    case WIRE_COM_CREATE_DB:
        strbuf_add_text(&command->text, "CREATE DATABASE ");
        sql_quote_name(&command->text, name);
        break;
    case WIRE_COM_DROP_DB:
        strbuf_add_text(&command->text, "DROP DATABASE ");
        sql_quote_name(&command->text, name);
        break;
    case WIRE_COM_FIELD_LIST:
        strbuf_add_text(&command->text, "SHOW COLUMNS FROM ");
        sql_quote_name(&command->text, table);
        break;
    case WIRE_COM_PROCESS_KILL: {
        struct wire_reader reader = wire_reader_of(argument, size);
        strbuf_printf(&command->text, "KILL %u", (unsigned)wire_read_u32(&reader));
        break;
    }
    default:
        break;
    }
}

struct wire_string command_text(const struct observed *observed, const uint8_t *payload,
                                size_t size)
{
    struct wire_query query;
    if (payload[0] == WIRE_COM_QUERY &&
        wire_decode_query(payload, size, observed->capabilities, &query))
        return query.text;
    return (struct wire_string){(const char *)payload + 1, size - 1};
}

static void note_types(struct observed *observed, const struct wire_packet *packet)
{
    struct prepared *prepared = observed->command.prepared;
    struct wire_execute execute = {0};
    struct wire_bulk_execute bulk = {0};
    struct wire_string none = {0};
    if (!prepared)
        return;
    if (packet->command == WIRE_COM_STMT_BULK_EXECUTE &&
        wire_bulk_execute_begin(&bulk, packet->payload, packet->payload_size,
                                prepared->parameter_count, none))
        execute.types = bulk.types;
    else if (packet->command == WIRE_COM_STMT_EXECUTE)
        wire_execute_begin(&execute, packet->payload, packet->payload_size, observed->capabilities,
                           prepared->parameter_count, none, NULL);
    if (execute.types.data)
        prepared_note_types(prepared, execute.types);
}

void command_read(struct observed *observed, const struct wire_packet *packet)
{
    struct command *command = &observed->command;
    struct wire_reader reader = command_arguments(packet);
    const uint8_t *argument = reader.pos;
    size_t size = wire_left(&reader);
    switch (packet->command) {
    case WIRE_COM_QUERY:
    case WIRE_COM_STMT_PREPARE: {
        struct wire_string text = command_text(observed, packet->payload, packet->payload_size);
        strbuf_add(&command->text, text.data, text.size);
        command->sent = (struct wire_string){command->text.data, command->text.size};
        read_statements(observed);
        break;
    }
    case WIRE_COM_STMT_EXECUTE:
    case WIRE_COM_STMT_BULK_EXECUTE:
        strbuf_add(&command->arguments, packet->payload, packet->payload_size);
        command->prepared = prepared_find(observed, wire_read_u32(&reader));
        note_types(observed, packet);
        break;
    case WIRE_COM_STMT_FETCH:
    case WIRE_COM_STMT_RESET:
    case WIRE_COM_STMT_CLOSE:
    case WIRE_COM_STMT_SEND_LONG_DATA:
        command->prepared = prepared_find(observed, wire_read_u32(&reader));
        break;
    default:
        write_disguised(command, argument, size);
        if (command->text.size)
            read_statements(observed);
        break;
    }
    if (command->prepared) {
        command->one.text = command->prepared->text;
        command->one.size = command->prepared->text_size;
        command->one.kinds = command->prepared->kinds;
        command->one.mode = command->prepared->mode;
    }
    command->out_of_memory =
        command->out_of_memory || command->text.failed || command->arguments.failed;
}

/* A text that there is no room for yet, or not as a whole. Without memory the session is listed without it. */
__attribute__((noinline, cold)) static void keep_long_for_lists(struct observed *observed,
                                                                struct wire_string text)
{
    const size_t kept = text.size < LISTED_TEXT_BYTES ? text.size : LISTED_TEXT_BYTES;
    if (kept > observed->listed_capacity) {
        const size_t capacity = kept > LISTED_LEAST ? LISTED_TEXT_BYTES : LISTED_LEAST;
        char *grown = realloc(observed->listed, capacity);
        if (!grown)
            return;
        observed->listed = grown;
        observed->listed_capacity = capacity;
    }
    observed->listed_size = text.size;
    if (kept)
        memcpy(observed->listed, text.data, kept);
}

/* Each statement pays for this, and few are ever listed. It stays out of its caller, which would not be inlined any
 * more itself. */
__attribute__((noinline)) static void keep_for_lists(struct observed *observed,
                                                     struct wire_string text)
{
    if (text.size == 0 || text.size > observed->listed_capacity) {
        keep_long_for_lists(observed, text);
        return;
    }
    observed->listed_size = text.size;
    memcpy(observed->listed, text.data, text.size);
}

struct sql_span command_listed_text(const struct observed *observed, bool *is_whole)
{
    *is_whole = observed->listed_size <= LISTED_TEXT_BYTES;
    return (struct sql_span){observed->listed,
                             *is_whole ? observed->listed_size : LISTED_TEXT_BYTES};
}

/* Without plugins only what the gateway itself acts upon matters: KILL, and its own statements. */
void command_read_kind(struct observed *observed, const struct wire_packet *packet)
{
    struct command *command = &observed->command;
    const struct sql_mode *mode = &observed->identity.mode;
    command->code = packet->command;
    command->count = 1;
    command->one = (struct statement){0};
    observed->listed_size = 0;
    if (packet->command != WIRE_COM_QUERY && packet->command != WIRE_COM_STMT_PREPARE)
        return;
    command->sent = command_text(observed, packet->payload, packet->payload_size);
    keep_for_lists(observed, command->sent);
    struct sql_span span = {command->sent.data, command->sent.size};
    command->one.kinds = sql_statement_quick_kind(span, mode);
    command->one.mode = *mode;
}

const struct statement *command_statement(const struct command *command, size_t index)
{
    assert(index < command_statement_count(command));
    return command->many ? &command->many[index] : &command->one;
}

size_t command_statement_count(const struct command *command)
{
    return command->many ? command->count : 1;
}

const struct statement *statement_current(const struct observed *observed)
{
    static const struct statement none;
    const struct command *command = &observed->command;
    if (command->current >= command->count) /* all have ended */
        return &none;
    return command->many && !command->is_whole_text ? &command->many[command->current]
                                                    : &command->one;
}

void command_begin(struct observed *observed, uint8_t code)
{
    struct command *command = &observed->command;
    memo_end_command(observed);
    if (command->text.capacity > KEPT_TEXT_BYTES)
        strbuf_release(&command->text);
    strbuf_reset(&command->text);
    strbuf_release(&command->arguments);
    strbuf_release(&command->forecast);
    free(command->many);
    free(command->refusal);
    free(command->limits);
    *command = (struct command){.code = code,
                                .count = 1,
                                .text = command->text,
                                .arguments = command->arguments,
                                .forecast = command->forecast};
}

void command_release(struct observed *observed)
{
    command_begin(observed, 0);
    strbuf_release(&observed->command.text);
    free(observed->listed);
    observed->listed = NULL;
    observed->listed_capacity = observed->listed_size = 0;
}
