/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON format: one object a callback, with the fields of the recordings of a real client. */
#include <inttypes.h>
#include <stdlib.h>
#include <weir/escape.h>
#include <zlib.h>

#include "trace/protocol/format.h"

enum { SHOWN_BYTES = 64 };

struct connection {
    bool of_secret; /* the statement sent last holds a password that is masked */
};

/* Appends a JSON string. A byte that JSON cannot show as it is becomes the character of the same
 * number. */
static void put_text(struct strbuf *out, const char *key, const char *text)
{
    strbuf_printf(out, ",\"%s\":", key);
    if (!text) {
        strbuf_add_text(out, "null");
        return;
    }
    strbuf_add_byte(out, '"');
    for (const unsigned char *byte = (const unsigned char *)text; *byte; byte++) {
        char form[ESCAPE_JSON_BYTES];
        size_t size = escape_json_byte(*byte, form);
        if (*byte >= 0x80)
            strbuf_printf(out, "\\u%04x", *byte);
        else
            strbuf_add(out, form, size);
    }
    strbuf_add_byte(out, '"');
}

static void put_bytes(struct strbuf *out, const char *key, const uint8_t *bytes, size_t size,
                      size_t most)
{
    strbuf_printf(out, ",\"%s\":", key);
    if (!bytes) {
        strbuf_add_text(out, "null");
        return;
    }
    strbuf_add_byte(out, '"');
    for (size_t i = 0; i < size && i < most; i++)
        strbuf_printf(out, "%02x", bytes[i]);
    strbuf_add_byte(out, '"');
}

static void write_line(struct strbuf *line)
{
    strbuf_add_text(line, "}\n");
    fwrite(line->data, 1, line->size, trace_output.stream);
    strbuf_release(line);
}

/* Begins an object: the callback, the connection and the time. */
static struct strbuf begin_line(const char *callback)
{
    struct strbuf line = STRBUF_INIT;
    strbuf_printf(&line, "{\"cb\":\"%s\"", callback);
    if (trace_output.connection)
        strbuf_printf(&line, ",\"connection\":%u", trace_output.connection);
    uint64_t now = trace_now();
    if (now)
        strbuf_printf(&line, ",\"time_ns\":%" PRIu64, now);
    return line;
}

static void *json_start(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle,
                        enum protocol_stage stage)
{
    struct strbuf line = begin_line("start");
    (void)self;
    (void)handle;
    put_text(&line, "stage", protocol_stage_name(stage));
    write_line(&line);
    return calloc(1, sizeof(struct connection));
}

static void json_stop(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle, void *data)
{
    struct strbuf line = begin_line("stop");
    (void)self;
    (void)handle;
    write_line(&line);
    free(data);
}

static void put_error(struct strbuf *line, const char *error, bool of_secret)
{
    struct strbuf masked = STRBUF_INIT;
    if (trace_mask_message(&masked, wire_text(error), of_secret))
        error = masked.failed ? "masked" : masked.data;
    put_text(line, "error", error);
    strbuf_release(&masked);
}

static int json_event(struct st_mysql_client_plugin_TRACE *self, void *data, MYSQL *handle,
                      enum protocol_stage stage, enum trace_event event,
                      struct st_trace_event_args args)
{
    struct strbuf line = begin_line("event");
    struct connection *connection = data;
    bool of_secret = !connection || connection->of_secret; /* in doubt it is masked */
    bool is_secret = trace_is_secret(event, handle, &args, of_secret);
    (void)self;
    if (connection && event == TRACE_EVENT_SEND_COMMAND)
        connection->of_secret = is_secret;
    put_text(&line, "stage", protocol_stage_name(stage));
    put_text(&line, "event", trace_event_name(event));
    put_text(&line, "plugin_name", args.plugin_name);
    strbuf_printf(&line, ",\"cmd\":%d", args.cmd);
    put_bytes(&line, "hdr", args.hdr, args.hdr_len, SIZE_MAX);
    strbuf_printf(&line, ",\"hdr_len\":%zu,\"pkt_len\":%zu", args.hdr_len, args.pkt_len);
    if (args.pkt && is_secret) {
        strbuf_add_text(&line, ",\"pkt\":\"masked\",\"pkt_crc32\":null");
    } else {
        put_bytes(&line, "pkt", args.pkt, args.pkt_len, SHOWN_BYTES);
        if (args.pkt)
            strbuf_printf(&line, ",\"pkt_crc32\":\"%08lx\"", crc32_z(0, args.pkt, args.pkt_len));
        else
            strbuf_add_text(&line, ",\"pkt_crc32\":null");
    }
    if (event == TRACE_EVENT_ERROR) {
        strbuf_printf(&line, ",\"errno\":%u", handle->net.last_errno);
        put_error(&line, handle->net.last_error, of_secret);
    }
    write_line(&line);
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
