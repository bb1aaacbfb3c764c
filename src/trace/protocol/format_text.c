/* SPDX-License-Identifier: Apache-2.0
 *
 * The text format: one readable line an event.
 *
 *     0.001234 WAIT_FOR_ROW           PACKET_RECEIVED      12 bytes: 1, 'one'
 *
 * Text from the wire is escaped and cut: each event is exactly one line. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trace/protocol/format.h"

enum { TEXT_MOST = 200, HEX_MOST = 64, FIELDS_MOST = 16 };

struct reading {
    uint64_t began_ns;   /* of the connection */
    uint64_t command_ns; /* of the command in progress */
    uint64_t rows;
    uint64_t definitions;        /* of a process list, to come */
    enum protocol_stage listing; /* the real stage of a process list */
    int command;
    bool of_secret; /* its statement holds a password that is masked */
};

static void put_escaped(struct strbuf *out, const char *text, size_t size)
{
    for (size_t i = 0; text && i < size && i < TEXT_MOST; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '\n')
            strbuf_add_text(out, "\\n");
        else if (byte < ' ' || byte == 0x7f)
            strbuf_printf(out, "\\x%02x", byte);
        else
            strbuf_add_byte(out, byte);
    }
    if (size > TEXT_MOST)
        strbuf_printf(out, "... (%zu bytes)", size);
}

static void put_string(struct strbuf *out, const char *label, struct wire_string text)
{
    strbuf_add_text(out, label);
    put_escaped(out, text.data, text.size);
}

static uint64_t capabilities_of(const MYSQL *handle)
{
    return (uint64_t)handle->client_flag & handle->server_capabilities;
}

static void put_statement(struct strbuf *out, struct reading *reading, const MYSQL *handle,
                          const struct st_trace_event_args *args)
{
    struct wire_string text = trace_statement(handle, args);
    struct strbuf masked = STRBUF_INIT;
    reading->of_secret = trace_mask_statement(&masked, text);
    if (reading->of_secret)
        text = masked.failed ? wire_text("masked") : (struct wire_string){masked.data, masked.size};
    put_string(out, " ", text);
    strbuf_release(&masked);
}

static void put_message(struct strbuf *out, const struct reading *reading,
                        struct wire_string message)
{
    struct strbuf masked = STRBUF_INIT;
    if (trace_mask_message(&masked, message, reading->of_secret))
        message =
            masked.failed ? wire_text("masked") : (struct wire_string){masked.data, masked.size};
    put_string(out, "", message);
    strbuf_release(&masked);
}

static void put_command(struct strbuf *out, struct reading *reading, const MYSQL *handle,
                        const struct st_trace_event_args *args)
{
    struct wire_reader r = wire_reader_of(args->hdr ? args->hdr : args->pkt,
                                          args->hdr ? args->hdr_len : args->pkt_len);
    struct wire_string text = {(const char *)args->pkt, args->pkt_len};
    strbuf_printf(out, "%s", wire_command_name((uint8_t)args->cmd));
    reading->of_secret = false;
    switch (args->cmd) {
    case WIRE_COM_QUERY:
    case WIRE_COM_STMT_PREPARE:
        put_statement(out, reading, handle, args);
        break;
    case WIRE_COM_INIT_DB:
    case WIRE_COM_CREATE_DB:
    case WIRE_COM_DROP_DB:
    case WIRE_COM_FIELD_LIST:
        put_string(out, " ", text);
        break;
    case WIRE_COM_CHANGE_USER:
        put_string(out, " ", wire_read_nul_string_or_rest(&r));
        break;
    case WIRE_COM_STMT_EXECUTE:
    case WIRE_COM_STMT_BULK_EXECUTE:
    case WIRE_COM_STMT_SEND_LONG_DATA:
    case WIRE_COM_STMT_RESET:
    case WIRE_COM_STMT_FETCH:
    case WIRE_COM_STMT_CLOSE:
        strbuf_printf(out, " statement %" PRIu32, wire_read_u32(&r));
        if (args->hdr && args->pkt_len > 0)
            strbuf_printf(out, ", %zu bytes", args->pkt_len);
        break;
    default:
        if (args->pkt_len > 0)
            strbuf_printf(out, ", %zu bytes", args->pkt_len);
    }
}

static void put_time(struct strbuf *out, const struct reading *reading)
{
    uint64_t now = trace_now();
    if (now && reading->command_ns)
        strbuf_printf(out, ", %.6f s", trace_seconds(reading->command_ns, now));
}

static void put_ok(struct strbuf *out, const struct reading *reading, const MYSQL *handle,
                   const struct st_trace_event_args *args)
{
    struct wire_ok ok;
    if (!wire_decode_ok(args->pkt, args->pkt_len, capabilities_of(handle), &ok))
        return;
    strbuf_printf(out, "OK, %" PRIu64 " affected", ok.affected_rows);
    if (ok.last_insert_id)
        strbuf_printf(out, ", last insert id %" PRIu64, ok.last_insert_id);
    if (ok.warnings)
        strbuf_printf(out, ", %u warnings", ok.warnings);
    if (ok.info.size > 0)
        put_string(out, ", ", ok.info);
    put_time(out, reading);
}

static void put_column(struct strbuf *out, const MYSQL *handle,
                       const struct st_trace_event_args *args)
{
    uint64_t capabilities = capabilities_of(handle);
    struct wire_column_definition column;
    /* A client's handle does not show MariaDB's part of the capabilities; try with it too. */
    if (!wire_decode_column_definition(args->pkt, args->pkt_len, capabilities, &column) &&
        !wire_decode_column_definition(args->pkt, args->pkt_len,
                                       capabilities | WIRE_CAP(MARIADB_CLIENT_EXTENDED_METADATA),
                                       &column))
        return;
    const struct wire_field_type_info *type = wire_field_type_info(column.type);
    if (column.table.size > 0) {
        put_string(out, "", column.table);
        strbuf_add_text(out, ".");
    }
    put_string(out, "", column.name);
    strbuf_printf(out, " %s", type ? type->name : "?");
}

static void put_row(struct strbuf *out, const struct reading *reading,
                    const struct st_trace_event_args *args)
{
    struct wire_reader r = wire_reader_of(args->pkt, args->pkt_len);
    struct wire_string field;
    if (reading->command != WIRE_COM_QUERY && reading->command != WIRE_COM_PROCESS_INFO) {
        strbuf_add_text(out, "row");
        return;
    }
    for (unsigned i = 0; i < FIELDS_MOST && wire_text_field_next(&r, &field); i++) {
        strbuf_add_text(out, i ? ", " : "");
        if (field.data)
            put_string(out, "", field);
        else
            strbuf_add_text(out, "NULL");
    }
    if (!r.failed && wire_left(&r) > 0)
        strbuf_add_text(out, ", ...");
}

static bool is_end(const MYSQL *handle, const struct st_trace_event_args *args)
{
    bool deprecates = capabilities_of(handle) & WIRE_CAP(CLIENT_DEPRECATE_EOF);
    return args->pkt[0] == 0xfe && args->pkt_len <= (deprecates ? WIRE_FRAME_MAX : 8);
}

/* All packets of a process list come in one stage; what a packet is follows from those before. */
static enum protocol_stage stage_of_list(struct reading *reading, const MYSQL *handle,
                                         const struct st_trace_event_args *args)
{
    enum protocol_stage stage = reading->listing;
    struct wire_column_count count = {0};
    if (stage == PROTOCOL_STAGE_WAIT_FOR_RESULT) {
        if (!wire_decode_column_count(args->pkt, args->pkt_len, capabilities_of(handle), &count))
            count.columns = 0;
        reading->definitions = count.columns;
        reading->listing = PROTOCOL_STAGE_WAIT_FOR_FIELD_DEF;
    } else if (stage == PROTOCOL_STAGE_WAIT_FOR_FIELD_DEF) {
        reading->definitions -= reading->definitions > 0;
        bool is_last =
            capabilities_of(handle) & WIRE_CAP(CLIENT_DEPRECATE_EOF) && reading->definitions == 0;
        if (is_last || is_end(handle, args))
            reading->listing = PROTOCOL_STAGE_WAIT_FOR_ROW;
    }
    return stage;
}

static void put_authentication(struct strbuf *out, const struct st_trace_event_args *args)
{
    struct wire_auth_switch request;
    if (wire_decode_auth_switch(args->pkt, args->pkt_len, &request))
        put_string(out, "switch to ", request.plugin);
    else if (args->pkt[0] == 0)
        strbuf_add_text(out, "OK");
}

static void put_received(struct strbuf *out, struct reading *reading, const MYSQL *handle,
                         enum protocol_stage stage, const struct st_trace_event_args *args)
{
    struct wire_column_count count;
    struct wire_prepare_ok prepare;
    struct wire_err err;
    if (args->pkt_len == 0)
        return;
    if (reading->command == WIRE_COM_PROCESS_INFO && stage == PROTOCOL_STAGE_WAIT_FOR_RESULT &&
        args->pkt[0] != 0xff)
        stage = stage_of_list(reading, handle, args);
    if (args->pkt[0] == 0xff && wire_decode_err(args->pkt, args->pkt_len, &err)) {
        strbuf_printf(out, "ERR %u (%s) ", err.code, err.sqlstate);
        put_message(out, reading, err.message);
        put_time(out, reading);
    } else if (stage == PROTOCOL_STAGE_WAIT_FOR_RESULT && args->pkt[0] == 0) {
        put_ok(out, reading, handle, args);
    } else if (stage == PROTOCOL_STAGE_WAIT_FOR_RESULT && args->pkt[0] == 0xfb) {
        put_string(out, "the server asks for the file ",
                   (struct wire_string){(const char *)args->pkt + 1, args->pkt_len - 1});
    } else if (stage == PROTOCOL_STAGE_WAIT_FOR_RESULT && args->pkt[0] != 0xfe) {
        reading->rows = 0;
        if (wire_decode_column_count(args->pkt, args->pkt_len, capabilities_of(handle), &count))
            strbuf_printf(out, "%" PRIu64 " columns", count.columns);
    } else if (stage == PROTOCOL_STAGE_WAIT_FOR_PS_DESCRIPTION) {
        if (wire_decode_prepare_ok(args->pkt, args->pkt_len, capabilities_of(handle), &prepare))
            strbuf_printf(out, "statement %" PRIu32 ", %u parameters, %u columns",
                          prepare.statement_id, prepare.parameters, prepare.columns);
    } else if (stage == PROTOCOL_STAGE_WAIT_FOR_ROW && is_end(handle, args)) {
        strbuf_printf(out, "end, %" PRIu64 " rows", reading->rows);
        put_time(out, reading);
        reading->rows = 0;
    } else if (stage == PROTOCOL_STAGE_WAIT_FOR_ROW) {
        reading->rows++;
        put_row(out, reading, args);
    } else if (stage == PROTOCOL_STAGE_AUTHENTICATE) {
        put_authentication(out, args);
    } else if (is_end(handle, args)) {
        strbuf_add_text(out, stage == PROTOCOL_STAGE_WAIT_FOR_RESULT ? "OK" : "end");
    } else if (stage == PROTOCOL_STAGE_WAIT_FOR_FIELD_DEF ||
               stage == PROTOCOL_STAGE_WAIT_FOR_PARAM_DEF) {
        put_column(out, handle, args);
    } else if (stage == PROTOCOL_STAGE_WAIT_FOR_PACKET) {
        put_escaped(out, (const char *)args->pkt, args->pkt_len);
    }
}

static void put_greeting(struct strbuf *out, const struct st_trace_event_args *args)
{
    struct wire_greeting greeting;
    if (!wire_decode_greeting(args->pkt, args->pkt_len, &greeting))
        return;
    put_string(out, "server ", greeting.server_version);
    strbuf_printf(out, ", connection %" PRIu32, greeting.connection_id);
}

static void put_response(struct strbuf *out, const struct st_trace_event_args *args)
{
    struct wire_handshake_response response;
    if (!wire_decode_handshake_response(args->pkt, args->pkt_len, &response))
        return;
    put_string(out, "user ", response.user);
    if (response.database.size > 0)
        put_string(out, ", database ", response.database);
}

static void put_details(struct strbuf *out, struct reading *reading, MYSQL *handle,
                        enum protocol_stage stage, enum trace_event event,
                        const struct st_trace_event_args *args)
{
    switch (event) {
    case TRACE_EVENT_AUTH_PLUGIN:
        strbuf_add_text(out, args->plugin_name);
        break;
    case TRACE_EVENT_INIT_PACKET_RECEIVED:
        put_greeting(out, args);
        break;
    case TRACE_EVENT_SEND_AUTH_RESPONSE:
        put_response(out, args);
        break;
    case TRACE_EVENT_ERROR:
        strbuf_printf(out, "%u: ", handle->net.last_errno);
        put_message(out, reading, wire_text(handle->net.last_error));
        break;
    case TRACE_EVENT_SEND_COMMAND:
        reading->command = args->cmd;
        reading->listing = PROTOCOL_STAGE_WAIT_FOR_RESULT;
        reading->command_ns = trace_now();
        put_command(out, reading, handle, args);
        break;
    case TRACE_EVENT_PACKET_SENT:
        strbuf_printf(out, "%zu bytes", args->pkt_len);
        break;
    case TRACE_EVENT_PACKET_RECEIVED:
        strbuf_printf(out, "%zu bytes  ", args->pkt_len);
        put_received(out, reading, handle, stage, args);
        break;
    default:
        if (args->pkt_len > 0)
            strbuf_printf(out, "%zu bytes", args->pkt_len);
    }
}

static void put_hex(struct strbuf *out, const char *label, const uint8_t *bytes, size_t size)
{
    if (!bytes || size == 0)
        return;
    strbuf_printf(out, "  %s=", label);
    for (size_t i = 0; i < size && i < HEX_MOST; i++)
        strbuf_printf(out, "%02x", bytes[i]);
    if (size > HEX_MOST)
        strbuf_add_text(out, "...");
}

static void *text_start(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle,
                        enum protocol_stage stage)
{
    struct reading *reading = calloc(1, sizeof *reading);
    (void)self;
    (void)handle;
    (void)stage;
    if (reading)
        reading->began_ns = trace_now();
    return reading;
}

static void text_stop(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle, void *data)
{
    (void)self;
    (void)handle;
    free(data);
}

static int text_event(struct st_mysql_client_plugin_TRACE *self, void *data, MYSQL *handle,
                      enum protocol_stage stage, enum trace_event event,
                      struct st_trace_event_args args)
{
    struct reading *reading = data;
    struct strbuf line = STRBUF_INIT;
    (void)self;
    if (!reading)
        return 1;
    if (trace_output.connection)
        strbuf_printf(&line, "%3u ", trace_output.connection);
    else if (trace_output.is_live && handle->thread_id)
        strbuf_printf(&line, "%4lu ", handle->thread_id);
    uint64_t now = trace_now();
    if (!reading->began_ns)
        reading->began_ns = now;
    if (now)
        strbuf_printf(&line, "%10.6f ", trace_seconds(reading->began_ns, now));
    strbuf_printf(&line, "%-23s %-20s ", protocol_stage_name(stage), trace_event_name(event));
    put_details(&line, reading, handle, stage, event, &args);
    if (trace_output.hex && trace_is_secret(event, handle, &args, reading->of_secret)) {
        strbuf_add_text(&line, "  pkt=masked");
    } else if (trace_output.hex) {
        put_hex(&line, "hdr", args.hdr, args.hdr_len);
        put_hex(&line, "pkt", args.pkt, args.pkt_len);
    }
    while (line.size > 0 && line.data[line.size - 1] == ' ')
        line.size--;
    strbuf_add_text(&line, "\n");
    fwrite(line.data, 1, line.size, trace_output.stream);
    strbuf_release(&line);
    return 0;
}

struct st_mysql_client_plugin_TRACE trace_text_plugin = {
    .type = MYSQL_CLIENT_TRACE_PLUGIN,
    .interface_version = MYSQL_CLIENT_TRACE_PLUGIN_INTERFACE_VERSION,
    .name = "text",
    .tracing_start = text_start,
    .tracing_stop = text_stop,
    .trace_event = text_event,
};
