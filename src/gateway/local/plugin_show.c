/* SPDX-License-Identifier: Apache-2.0
 *
 * SHOW VARIABLES and SHOW STATUS: the reply is the backend's, packet by packet, with our rows (the
 * plugins', and the gateway's own counters) in their places by name.
 *
 *     [QUERY max_allowed_packet] ──► [QUERY our rows] ──► FORWARD
 *
 * Which of our rows the LIKE or WHERE lets through is read off their names, so that nothing else
 * runs in the client's session: counters, profiles and the last query's cost stay as they are. Only
 * the rows of which names do not decide it are asked for, as a table under the filter, and only as
 * far as the server takes a packet of that size: for a larger one it would close the connection.
 * Without an answer the reply is without these rows.
 *
 * Numbers of packets go up by the rows that were put in; the packets themselves are not changed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/local/local.h"
#include "gateway/local/variables_text.h"

/* Compared as the server compares names and values of its own. */
#define COLLATED " USING utf8mb4) COLLATE utf8mb4_general_ci"

/* Whatever sql_select_limit is; the filter before it may end with a comment. */
#define ALL_ROWS "\nLIMIT 18446744073709551615"

enum {
    ALWAYS_TAKEN = 1000, /* bytes of a question that every server takes: 1024 is the least limit */
    AROUND = 24,         /* bytes of its packet around the text, at most */
};

struct row {
    char *name, *value; /* owned; value is not NUL-terminated */
    size_t name_size, value_size;
};

struct plugin_show {
    struct local local;
    struct sql_show_variables written; /* borrowed from the command; until begin() has returned */
    struct strbuf query;               /* that filters the rows whose names do not decide it */
    size_t query_limit;                /* the largest packet that the backend takes; 0: unknown */
    const char *unanswered;            /* why it has said nothing of these rows; NULL: it has */
    struct row *rows;                  /* owned */
    size_t count, capacity;
    size_t decided; /* rows that are there without the question */
    size_t next;    /* the first row that has not been put in */
    bool is_binary; /* rows of a prepared statement */
    bool no_memory;
    size_t bytes; /* of the rows that were put in */
};

static struct plugin_show *show_of(struct local *local)
{
    return (struct plugin_show *)local;
}

/* Without plugins a text has not been cut. */
static bool is_show(const struct observed *observed, struct sql_show_variables *show)
{
    const struct statement *statement = &observed->command.one;
    const struct wire_string *sent = &observed->command.sent;
    return statement->kinds.kind == SQL_KIND_SHOW &&
           sql_show_variables(statement->text ? statement_text(statement)
                                              : (struct sql_span){sent->data, sent->size},
                              &statement->mode, show);
}

/* SHOW STATUS has rows of the gateway's own, also without plugins. */
static bool is_plain_status(const struct observed *observed, const struct wire_packet *packet)
{
    struct sql_show_variables show;
    return observed->command.one.kinds.kind == SQL_KIND_SHOW &&
           packet->payload_size < WIRE_FRAME_MAX && local_is_single_query(observed, packet) &&
           is_show(observed, &show) && show.is_status;
}

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    const struct command *command = &observed->command;
    struct sql_show_variables show;
    if (!observed->environment->has_variables && packet->command == WIRE_COM_QUERY)
        return is_plain_status(observed, packet);
    if (packet->payload_size >= WIRE_FRAME_MAX || command->many)
        return false;
    if (packet->command == WIRE_COM_STMT_EXECUTE)
        return command->prepared &&
               (observed->environment->has_variables || !command->prepared->parameter_count) &&
               is_show(observed, &show);
    return packet->command == WIRE_COM_QUERY && is_show(observed, &show);
}

/* ---- Rows ---- */

static void free_rows(struct plugin_show *show, size_t from)
{
    for (size_t i = from; i < show->count; i++) {
        free(show->rows[i].name);
        free(show->rows[i].value);
    }
    show->count = from;
}

static void release(struct local *local)
{
    struct plugin_show *show = show_of(local);
    free_rows(show, 0);
    free(show->rows);
    strbuf_release(&show->query);
}

static char *copy(weir_string text)
{
    char *bytes = malloc(text.size + 1);
    if (bytes && text.size)
        memcpy(bytes, text.data, text.size);
    return bytes;
}

static bool has_room(struct plugin_show *show)
{
    if (show->count < show->capacity)
        return true;
    size_t capacity = show->capacity ? 2 * show->capacity : 32;
    struct row *grown = realloc(show->rows, capacity * sizeof *grown);
    if (!grown)
        return false;
    show->rows = grown;
    show->capacity = capacity;
    return true;
}

static void add_row(struct plugin_show *show, weir_string name, weir_string value)
{
    struct row row = {copy(name), copy(value), name.size, value.size};
    if (row.name && row.value && has_room(show)) {
        show->rows[show->count++] = row;
    } else {
        free(row.name);
        free(row.value);
        show->no_memory = true;
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

/* ---- Merging ---- */

static struct wire_writer writer_for(struct plugin_show *show, const struct wire_packet *packet)
{
    return wire_writer_to(&show->local.reply, (uint8_t)(packet->sequence + show->local.shift));
}

/* Puts a row of ours in before the packet. */
static void put_row(struct plugin_show *show, const struct wire_packet *packet,
                    const struct row *row)
{
    struct wire_string fields[2] = {{row->name, row->name_size}, {row->value, row->value_size}};
    struct wire_writer writer = writer_for(show, packet);
    size_t before = show->local.reply.size;
    if (show->is_binary) {
        wire_begin_packet(&writer);
        wire_write_u8(&writer, 0);
        wire_write_u8(&writer, 0); /* neither is NULL */
        wire_write_lenenc_string(&writer, fields[0]);
        wire_write_lenenc_string(&writer, fields[1]);
        wire_end_packet(&writer);
    } else {
        wire_encode_text_row(&writer, fields, 2);
    }
    show->local.shift++;
    show->bytes += show->local.reply.size - before;
}

/* The name in a row of the backend's. */
static struct wire_string name_of(const struct plugin_show *show, const struct wire_packet *packet)
{
    struct wire_reader reader = wire_reader_of(packet->payload, packet->payload_size);
    struct wire_string name = {0};
    if (show->is_binary)
        wire_read_bytes(&reader, 2);
    wire_text_field_next(&reader, &name);
    return name;
}

static void reply_packet(struct local *local, const struct wire_packet *packet,
                         struct wire_result *result)
{
    struct plugin_show *show = show_of(local);
    bool is_end = packet->ends_result && result->is_result_set && !result->is_error;
    struct wire_string name =
        packet->kind == WIRE_ROW ? name_of(show, packet) : (struct wire_string){0};
    while (show->next < show->count && (is_end || name.data)) {
        const struct row *row = &show->rows[show->next];
        if (!is_end && compare(row->name, row->name_size, name.data, name.size) > 0)
            break;
        put_row(show, packet, row);
        show->next++;
    }
    struct wire_writer writer = writer_for(show, packet);
    wire_begin_packet(&writer);
    wire_write_bytes(&writer, packet->payload, packet->payload_size);
    wire_end_packet(&writer);
    if (is_end) {
        result->rows += show->next;
        result->bytes += show->bytes;
    }
    if (is_end && show->unanswered) /* and not because the filter is wrong */
        log_warn("local", "rows of plugins are left out of a SHOW: %s connection=%u",
                 show->unanswered, local->observed->id);
}

static struct local_action forward(struct plugin_show *show)
{
    if (show->no_memory)
        return local_out_of_memory(&show->local);
    if (show->count)
        qsort(show->rows, show->count, sizeof *show->rows, by_name);
    struct local_action action = local_forward(&show->local);
    action.reply_packet = show->count || show->unanswered ? reply_packet : NULL;
    return action;
}

/* ---- The filter ---- */

/* Our rows as a table: this is one more. */
static void ask_for_row(struct plugin_show *show, weir_string name, weir_string value)
{
    struct strbuf *out = &show->query;
    strbuf_add_text(out, out->size ? " UNION ALL SELECT CONVERT("
                                   : "SELECT HEX(Variable_name), HEX(Value) FROM (SELECT CONVERT(");
    sql_quote_text(out, (struct sql_span){name.data, name.size});
    strbuf_add_text(out, COLLATED " AS Variable_name, CONVERT(");
    sql_quote_text(out, (struct sql_span){value.data, value.size});
    strbuf_add_text(out, COLLATED " AS Value");
}

static void filter_row(void *user, weir_string name, weir_string value)
{
    struct plugin_show *show = user;
    const struct sql_mode *mode = &show->local.observed->command.one.mode;
    switch (sql_show_passes(&show->written, mode, (struct sql_span){name.data, name.size})) {
    case SQL_PASSES:
        add_row(show, name, value);
        break;
    case SQL_PASSES_PERHAPS:
        ask_for_row(show, name, value);
        break;
    case SQL_PASSES_NOT:
        break;
    }
}

static void collect_variables(struct plugin_show *show)
{
    bool is_global = show->written.is_global;
    const struct observed *observed = show->local.observed;
    const struct plugin_registry *registry = observed->environment->registry;
    for (size_t i = 0; i < plugin_variable_count(registry); i++) {
        const struct plugin_variable *variable = plugin_variable_at(registry, i);
        const char *name = plugin_variable_name(variable);
        if (is_global && !(plugin_variable_scopes(variable) & PLUGIN_SCOPE_GLOBAL))
            continue;
        filter_row(show, (weir_string){name, strlen(name)},
                   plugin_variable_shown(variable, is_global ? NULL : &observed->handle).text);
    }
}

/* ---- The gateway's own status ---- */

static void status_text(struct plugin_show *show, const char *name, const char *value)
{
    filter_row(show, (weir_string){name, strlen(name)}, (weir_string){value, strlen(value)});
}

static void collect_metrics(struct plugin_show *show)
{
    static const char *const names[] = {
#define X(enumerator, name, ...) [METRIC_##enumerator] = "Weir_" name,
        METRICS(X)
#undef X
    };
    const struct session_environment *environment = show->local.observed->environment;
    const struct session_backend *backend = show->local.observed->backend;
    struct metrics sums = {0};
    char text[24];
    if (environment->operations->metrics_read)
        environment->operations->metrics_read(environment->owner, &sums);
    else
        metrics_sum(&environment->metrics, &sums);
    for (int i = 0; i < METRIC_COUNT; i++) {
        snprintf(text, sizeof text, "%" PRId64, metric_value(&sums, (enum metric)i));
        status_text(show, names[i], text);
    }
    status_text(show, "Weir_backend", backend ? backend->address : "");
    status_text(show, "Weir_version", WEIR_VERSION);
}

/* ---- The question ---- */

static void filtered_row(struct local *local, const struct wire_string *values, size_t count)
{
    struct plugin_show *show = show_of(local);
    struct strbuf name = STRBUF_INIT, value = STRBUF_INIT;
    if (count < 2)
        return;
    sql_unhex(&name, (struct sql_span){values[0].data, values[0].size});
    sql_unhex(&value, (struct sql_span){values[1].data, values[1].size});
    show->no_memory = show->no_memory || name.failed || value.failed;
    add_row(show, (weir_string){name.data, name.size}, (weir_string){value.data, value.size});
    strbuf_release(&name);
    strbuf_release(&value);
}

/* An error of the filter is an error of the statement: the backend will say it itself. */
static struct local_action filtered(struct local *local, const struct local_outcome *outcome)
{
    struct plugin_show *show = show_of(local);
    if (outcome->error_code) {
        free_rows(show, show->decided);
        show->unanswered = "the backend has failed to filter them";
    }
    return forward(show);
}

static struct local_action query_rows(struct plugin_show *show)
{
    show->decided = show->count;
    return (struct local_action){
        .kind = LOCAL_QUERY, .text = show->query.data, .row = filtered_row, .next = filtered};
}

static void limit_row(struct local *local, const struct wire_string *values, size_t count)
{
    struct plugin_show *show = show_of(local);
    for (size_t i = 0; count == 1 && i < values[0].size && i < 10; i++)
        if (values[0].data[i] >= '0' && values[0].data[i] <= '9')
            show->query_limit = 10 * show->query_limit + (size_t)(values[0].data[i] - '0');
}

static struct local_action limited(struct local *local, const struct local_outcome *outcome)
{
    struct plugin_show *show = show_of(local);
    if (!outcome->error_code && show->query.size + AROUND <= show->query_limit)
        return query_rows(show);
    show->unanswered = "max_allowed_packet is too small to have the backend filter them";
    return forward(show);
}

/* What names have not decided goes into a question; its reply brings back the rows that pass. */
static struct local_action ask(struct plugin_show *show)
{
    const struct sql_show_variables *written = &show->written;
    struct strbuf *out = &show->query;
    strbuf_add_text(out,
                    written->is_like ? ") AS weir WHERE Variable_name LIKE " : ") AS weir WHERE ");
    strbuf_add(out, written->filter.at, written->filter.size);
    strbuf_add_text(out, ALL_ROWS);
    if (show->no_memory || out->failed)
        return local_out_of_memory(&show->local);
    if (out->size + AROUND <= ALWAYS_TAKEN)
        return query_rows(show);
    return (struct local_action){.kind = LOCAL_QUERY,
                                 .text = "SELECT @@session.max_allowed_packet LIMIT 1",
                                 .row = limit_row,
                                 .next = limited};
}

/* ---- The beginning ---- */

static struct local_action begin(struct local *local, const struct wire_packet *packet)
{
    const struct command *command = &local->observed->command;
    struct plugin_show *show = show_of(local);
    struct wire_writer writer = wire_writer_to(&local->packet, 0);
    strbuf_init(&show->query);
    show->is_binary = packet->command == WIRE_COM_STMT_EXECUTE;
    if (show->is_binary && command->prepared->parameter_count)
        return local_fail(local, WIRE_ER_UNSUPPORTED_PS,
                          "This command is not supported in the prepared statement protocol yet");
    is_show(local->observed, &show->written);
    wire_begin_packet(&writer);
    wire_write_bytes(&writer, packet->payload, packet->payload_size);
    wire_end_packet(&writer);
    if (show->written.is_status) {
        collect_metrics(show);
        plugin_status(local->observed->environment->registry, &local->observed->handle, filter_row,
                      show);
    } else {
        collect_variables(show);
    }
    return show->query.size || show->query.failed ? ask(show) : forward(show);
}

const struct local_statement local_plugin_show = {
    .name = "plugin_show",
    .size = sizeof(struct plugin_show),
    .matches = matches,
    .begin = begin,
    .release = release,
};
