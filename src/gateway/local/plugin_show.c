/* SPDX-License-Identifier: Apache-2.0
 *
 * SHOW VARIABLES and SHOW STATUS: the reply is the backend's, packet by packet, with our rows in
 * their places by name. Which of our rows the LIKE or WHERE lets through is for the backend to say:
 * it is asked first, with the rows as a table. Numbers of packets go up by the rows that were put
 * in; the packets themselves are not changed. */
#include <stdlib.h>
#include <string.h>

#include "gateway/hold.h"
#include "gateway/outcome.h"
#include "gateway/prepared.h"
#include "gateway/question.h"
#include "gateway/relay.h"
#include "gateway/variables.h"

/* Compared as the server compares names and values of its own. */
#define COLLATED " USING utf8mb4) COLLATE utf8mb4_general_ci"

struct row {
    char *name, *value; /* owned; value is not NUL-terminated */
    size_t name_size, value_size;
};

struct merge {
    struct strbuf command; /* the client's packet, until it is sent */
    struct row *rows;
    size_t count, capacity, next;
    bool is_binary; /* rows of a prepared statement */
    bool no_memory;
    uint8_t shift;     /* rows put in so far: what is added to sequence numbers */
    struct strbuf out; /* packets for the client */
    size_t bytes;      /* of the rows that were put in */
};

/* ---- Rows ---- */

static void free_rows(struct merge *merge)
{
    for (size_t i = 0; i < merge->count; i++) {
        free(merge->rows[i].name);
        free(merge->rows[i].value);
    }
    merge->count = 0;
}

void variables_show_release(struct session *session)
{
    struct merge *merge = session->merge;
    session->merge = NULL;
    if (!merge)
        return;
    free_rows(merge);
    free(merge->rows);
    strbuf_release(&merge->command);
    strbuf_release(&merge->out);
    free(merge);
}

static char *copy(const char *data, size_t size)
{
    char *bytes = malloc(size + 1);
    if (bytes && size)
        memcpy(bytes, data, size);
    return bytes;
}

static void add_row(void *user, weir_string name, weir_string value)
{
    struct merge *merge = user;
    if (merge->count == merge->capacity) {
        size_t capacity = merge->capacity ? 2 * merge->capacity : 32;
        struct row *grown = realloc(merge->rows, capacity * sizeof *grown);
        merge->no_memory = merge->no_memory || !grown;
        if (!grown)
            return;
        merge->rows = grown;
        merge->capacity = capacity;
    }
    struct row row = {copy(name.data, name.size), copy(value.data, value.size), name.size,
                      value.size};
    if (row.name && row.value) {
        merge->rows[merge->count++] = row;
    } else {
        free(row.name);
        free(row.value);
        merge->no_memory = true;
    }
}

static void collect_variables(struct session *session, bool is_global, struct merge *merge)
{
    const struct plugin_registry *registry = session->worker->gateway->registry;
    for (size_t i = 0; i < plugin_variable_count(registry); i++) {
        const struct plugin_variable *variable = plugin_variable_at(registry, i);
        const char *name = plugin_variable_name(variable);
        if (is_global && !(plugin_variable_scopes(variable) & PLUGIN_SCOPE_GLOBAL))
            continue;
        add_row(merge, (weir_string){name, strlen(name)},
                plugin_variable_shown(variable, is_global ? NULL : &session->facts).text);
    }
}

/* As the server orders names: by their bytes. */
static int compare(const char *left, size_t left_size, const char *right, size_t right_size)
{
    size_t least = left_size < right_size ? left_size : right_size;
    int order = memcmp(left, right, least);
    return order ? order : (left_size > right_size) - (left_size < right_size);
}

static int by_name(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    return compare(a->name, a->name_size, b->name, b->name_size);
}

/* ---- The filter ---- */

/* Our rows as a table under the filter of the statement. */
static void write_filter(const struct merge *merge, const struct sql_show_variables *show,
                         struct strbuf *out)
{
    strbuf_add_text(out, "SELECT HEX(Variable_name), HEX(Value) FROM (");
    for (size_t i = 0; i < merge->count; i++) {
        const struct row *row = &merge->rows[i];
        strbuf_add_text(out, i ? " UNION ALL SELECT CONVERT(" : "SELECT CONVERT(");
        sql_quote_text(out, (struct sql_span){row->name, row->name_size});
        strbuf_add_text(out, COLLATED " AS Variable_name, CONVERT(");
        sql_quote_text(out, (struct sql_span){row->value, row->value_size});
        strbuf_add_text(out, COLLATED " AS Value");
    }
    strbuf_add_text(out,
                    show->is_like ? ") AS weir WHERE Variable_name LIKE " : ") AS weir WHERE ");
    strbuf_add(out, show->filter.at, show->filter.size);
}

static void filtered_row(struct session *session, const struct wire_string *values, size_t count)
{
    struct strbuf name = STRBUF_INIT, value = STRBUF_INIT;
    if (count < 2)
        return;
    sql_unhex(&name, (struct sql_span){values[0].data, values[0].size});
    sql_unhex(&value, (struct sql_span){values[1].data, values[1].size});
    session->merge->no_memory = session->merge->no_memory || name.failed || value.failed;
    add_row(session->merge, (weir_string){name.data, name.size},
            (weir_string){value.data, value.size});
    strbuf_release(&name);
    strbuf_release(&value);
}

static void forward(struct session *session)
{
    struct merge *merge = session->merge;
    if (merge->no_memory) {
        session_close(session, CLOSE_NO_MEMORY);
        return;
    }
    if (merge->count)
        qsort(merge->rows, merge->count, sizeof *merge->rows, by_name);
    session_enter(session, SESSION_READY);
    wire_tracker_want(&session->tracker, WIRE_WANT_ALL);
    struct strbuf packet = merge->command;
    strbuf_init(&merge->command);
    variables_resend(session, &packet);
}

/* An error of the filter is an error of the statement: the backend will say it itself. */
static void filter_known(struct session *session, unsigned error_code)
{
    if (error_code)
        free_rows(session->merge);
    forward(session);
}

static const struct question_handlers filter_question = {.row = filtered_row, .done = filter_known};

/* The rows go into the question; its answer brings those back that pass. */
static void ask_filter(struct session *session, const struct sql_show_variables *show)
{
    struct strbuf text = STRBUF_INIT;
    write_filter(session->merge, show, &text);
    free_rows(session->merge);
    if (text.failed || !question_ask(session, text.data, &filter_question))
        session_close(session, CLOSE_NO_MEMORY);
    strbuf_release(&text);
}

void variables_show_begin(struct session *session, const struct wire_packet *command,
                          const struct sql_show_variables *show)
{
    struct merge *merge = session->merge = calloc(1, sizeof *merge);
    if (!merge) {
        session_close(session, CLOSE_NO_MEMORY);
        return;
    }
    strbuf_init(&merge->command);
    strbuf_init(&merge->out);
    merge->is_binary = command->command == WIRE_COM_STMT_EXECUTE;
    if (merge->is_binary && session->run.prepared->parameter_count) {
        variables_show_release(session);
        outcome_error(session, WIRE_ER_UNSUPPORTED_PS, NULL,
                      "This command is not supported in the prepared statement protocol yet");
        return;
    }
    struct wire_writer writer = wire_writer_to(&merge->command, 0);
    wire_begin_packet(&writer);
    wire_write_bytes(&writer, command->payload, command->payload_size);
    wire_end_packet(&writer);
    if (show->is_status)
        plugin_status(session->worker->gateway->registry, &session->facts, add_row, merge);
    else
        collect_variables(session, show->is_global, merge);
    if (show->filter.size && merge->count)
        ask_filter(session, show);
    else
        forward(session);
}

/* ---- Merging ---- */

static void put_packet(struct merge *merge, uint8_t sequence, const void *payload, size_t size)
{
    struct wire_writer writer = wire_writer_to(&merge->out, (uint8_t)(sequence + merge->shift));
    wire_begin_packet(&writer);
    wire_write_bytes(&writer, payload, size);
    wire_end_packet(&writer);
}

static void put_row(struct merge *merge, uint8_t sequence, const struct row *row)
{
    struct wire_string fields[2] = {{row->name, row->name_size}, {row->value, row->value_size}};
    struct wire_writer writer = wire_writer_to(&merge->out, (uint8_t)(sequence + merge->shift));
    size_t before = merge->out.size;
    if (merge->is_binary) {
        wire_begin_packet(&writer);
        wire_write_u8(&writer, 0);
        wire_write_u8(&writer, 0); /* neither is NULL */
        wire_write_lenenc_string(&writer, fields[0]);
        wire_write_lenenc_string(&writer, fields[1]);
        wire_end_packet(&writer);
    } else {
        wire_encode_text_row(&writer, fields, 2);
    }
    merge->shift++;
    merge->bytes += merge->out.size - before;
}

/* The name in a row of the backend's. */
static struct wire_string name_of(const struct merge *merge, const struct wire_packet *packet)
{
    struct wire_reader reader = wire_reader_of(packet->payload, packet->payload_size);
    struct wire_string name = {0};
    if (merge->is_binary)
        wire_read_bytes(&reader, 2);
    wire_text_field_next(&reader, &name);
    return name;
}

void variables_merge(struct session *session, const struct wire_packet *packet)
{
    struct merge *merge = session->merge;
    struct wire_result *result = &session->tracker.result;
    bool is_end = packet->ends_result && result->is_result_set && !result->is_error;
    struct wire_string name =
        packet->kind == WIRE_ROW ? name_of(merge, packet) : (struct wire_string){0};
    while (merge->next < merge->count && (is_end || name.data)) {
        const struct row *row = &merge->rows[merge->next];
        if (!is_end && compare(row->name, row->name_size, name.data, name.size) > 0)
            break;
        put_row(merge, packet->sequence, row);
        merge->next++;
    }
    put_packet(merge, packet->sequence, packet->payload, packet->payload_size);
    if (is_end) {
        result->rows += merge->next;
        result->bytes += merge->bytes;
    }
}

void variables_send_merged(struct session *session)
{
    struct merge *merge = session->merge;
    session->reply_is_split = false;
    session->reply_sequence = (uint8_t)(session->tracker.sequence + merge->shift);
    if (merge->out.failed) {
        session_close(session, CLOSE_NO_MEMORY);
        return;
    }
    client_send(session, merge->out.data, merge->out.size);
    strbuf_reset(&merge->out);
    if (wire_tracker_is_idle(&session->tracker)) {
        wire_tracker_want(&session->tracker, RELAY_WANTS);
        variables_show_release(session);
    }
}
