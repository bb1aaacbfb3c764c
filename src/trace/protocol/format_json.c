/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON format: one object a callback, with the fields of the recordings of a real client.
 *
 * A capture has millions of callbacks, and their objects are several times its size. So a connection
 * keeps the buffer of its line, and what is in every line is written without printf(). */
#include <stdlib.h>
#include <weir/escape.h>
#include <zlib.h>

#include "trace/protocol/format.h"

enum { SHOWN_BYTES = 64, DIGITS_MOST = 20 };

struct connection {
    bool of_secret; /* the statement sent last holds a password that is masked */
    struct strbuf line;
};

/* ---- parts of a line ---- */

#define put(out, literal) strbuf_add((out), "" literal, sizeof literal - 1)

static void put_number(struct strbuf *out, uint64_t number)
{
    char digits[DIGITS_MOST];
    size_t first = sizeof digits;
    do
        digits[--first] = (char)('0' + number % 10);
    while (number /= 10);
    strbuf_add(out, digits + first, sizeof digits - first);
}

/* A name that is in no need of escapes. */
static void put_name(struct strbuf *out, const char *name)
{
    put(out, "\"");
    strbuf_add_text(out, name);
    put(out, "\"");
}

/* Appends a JSON string. A byte that JSON cannot show as it is becomes the character of the same
 * number. */
static void put_text(struct strbuf *out, const char *text)
{
    if (!text) {
        put(out, "null");
        return;
    }
    put(out, "\"");
    for (const unsigned char *byte = (const unsigned char *)text; *byte; byte++) {
        char form[ESCAPE_JSON_BYTES];
        size_t size = escape_json_byte(*byte, form);
        if (*byte >= 0x80)
            strbuf_printf(out, "\\u%04x", *byte);
        else
            strbuf_add(out, form, size);
    }
    put(out, "\"");
}

static void put_hex(struct strbuf *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *to = strbuf_room(out, 2 * size);
    if (!to)
        return;
    for (size_t i = 0; i < size; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
    strbuf_end(out, to);
}

static void put_bytes(struct strbuf *out, const uint8_t *bytes, size_t size)
{
    if (!bytes) {
        put(out, "null");
        return;
    }
    put(out, "\"");
    put_hex(out, bytes, size);
    put(out, "\"");
}

static void put_checksum(struct strbuf *out, const uint8_t *bytes, size_t size)
{
    uLong sum = crc32_z(0, bytes, size);
    const uint8_t in_order[4] = {(uint8_t)(sum >> 24), (uint8_t)(sum >> 16), (uint8_t)(sum >> 8),
                                 (uint8_t)sum};
    put(out, ",\"pkt_crc32\":");
    put_bytes(out, in_order, sizeof in_order);
}

/* ---- lines ---- */

/* Begins an object: the callback, the connection and the time. */
static void begin_line(struct strbuf *line, const char *callback)
{
    uint64_t now = trace_now();
    strbuf_reset(line);
    put(line, "{\"cb\":");
    put_name(line, callback);
    if (trace_output.connection) {
        put(line, ",\"connection\":");
        put_number(line, trace_output.connection);
    }
    if (now) {
        put(line, ",\"time_ns\":");
        put_number(line, now);
    }
}

static void write_line(struct strbuf *line)
{
    put(line, "}\n");
    fwrite(line->data, 1, line->size, trace_output.stream);
}

static void *json_start(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle,
                        enum protocol_stage stage)
{
    struct connection *connection = calloc(1, sizeof *connection);
    (void)self;
    (void)handle;
    if (!connection)
        return NULL; /* and json_event() ends it */
    strbuf_init(&connection->line);
    begin_line(&connection->line, "start");
    put(&connection->line, ",\"stage\":");
    put_name(&connection->line, protocol_stage_name(stage));
    write_line(&connection->line);
    return connection;
}

static void json_stop(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle, void *data)
{
    struct connection *connection = data;
    (void)self;
    (void)handle;
    if (!connection)
        return;
    begin_line(&connection->line, "stop");
    write_line(&connection->line);
    strbuf_release(&connection->line);
    free(connection);
}

static void put_error(struct strbuf *line, const char *error, bool of_secret)
{
    struct strbuf masked = STRBUF_INIT;
    if (trace_mask_message(&masked, wire_text(error), of_secret))
        error = masked.failed ? "masked" : masked.data;
    put(line, ",\"error\":");
    put_text(line, error);
    strbuf_release(&masked);
}

static void put_packet(struct strbuf *line, const struct st_trace_event_args *args, bool is_secret)
{
    size_t shown = args->pkt_len < SHOWN_BYTES ? args->pkt_len : SHOWN_BYTES;
    if (args->pkt && is_secret) {
        put(line, ",\"pkt\":\"masked\",\"pkt_crc32\":null");
        return;
    }
    put(line, ",\"pkt\":");
    put_bytes(line, args->pkt, shown);
    if (args->pkt)
        put_checksum(line, args->pkt, args->pkt_len);
    else
        put(line, ",\"pkt_crc32\":null");
}

static int json_event(struct st_mysql_client_plugin_TRACE *self, void *data, MYSQL *handle,
                      enum protocol_stage stage, enum trace_event event,
                      struct st_trace_event_args args)
{
    struct connection *connection = data;
    (void)self;
    if (!connection)
        return 1;
    struct strbuf *line = &connection->line;
    bool of_secret = connection->of_secret;
    bool is_secret = trace_is_secret(event, handle, &args, of_secret);
    if (event == TRACE_EVENT_SEND_COMMAND)
        connection->of_secret = is_secret;
    begin_line(line, "event");
    put(line, ",\"stage\":");
    put_name(line, protocol_stage_name(stage));
    put(line, ",\"event\":");
    put_name(line, trace_event_name(event));
    put(line, ",\"plugin_name\":");
    put_text(line, args.plugin_name);
    put(line, ",\"cmd\":");
    put_number(line, (uint64_t)args.cmd);
    put(line, ",\"hdr\":");
    put_bytes(line, args.hdr, args.hdr_len);
    put(line, ",\"hdr_len\":");
    put_number(line, args.hdr_len);
    put(line, ",\"pkt_len\":");
    put_number(line, args.pkt_len);
    put_packet(line, &args, is_secret);
    if (event == TRACE_EVENT_ERROR) {
        put(line, ",\"errno\":");
        put_number(line, handle->net.last_errno);
        put_error(line, handle->net.last_error, of_secret);
    }
    write_line(line);
    return 0;
}

struct st_mysql_client_plugin_TRACE trace_json_plugin = {
    .type = MYSQL_CLIENT_TRACE_PLUGIN,
    .interface_version = MYSQL_CLIENT_TRACE_PLUGIN_INTERFACE_VERSION,
    .name = "json",
    .tracing_start = json_start,
    .tracing_stop = json_stop,
    .trace_event = json_event,
};
