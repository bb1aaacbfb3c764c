/* SPDX-License-Identifier: Apache-2.0
 *
 * From the events of a conversation to the statements of a summary: each command with what its reply
 * amounted to, as the conversation's tracker knows it. A prepared statement's text is kept by its id
 * until it is closed. */
#include "summarise.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct prepared {
    uint32_t id;
    struct strbuf text;
    UT_hash_handle hh;
};

struct summarised {
    bool has_command; /* whose reply has not ended */
    uint8_t command;
    bool has_text;
    struct strbuf text;
    uint64_t start_ns, rows, affected_rows;
    uint16_t error_code;
    struct prepared *prepared; /* by id */
};

static struct summary *the_summary;

/* ---- prepared statements ---- */

static void drop_prepared(struct summarised *s, struct prepared *prepared)
{
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it is still in the table */
    HASH_DEL(s->prepared, prepared);
    strbuf_release(&prepared->text);
    free(prepared);
}

static struct prepared *find_prepared(const struct summarised *s, uint32_t id)
{
    struct prepared *prepared = NULL;
    HASH_FIND(hh, s->prepared, &id, sizeof id, prepared);
    return prepared;
}

static void keep_prepared(struct summarised *s, uint32_t id)
{
    struct prepared *prepared = find_prepared(s, id);
    if (!prepared) {
        prepared = calloc(1, sizeof *prepared);
        if (!prepared)
            return; /* its executions are counted by their command */
        prepared->id = id;
        strbuf_init(&prepared->text);
        HASH_ADD(hh, s->prepared, id, sizeof prepared->id, prepared);
    }
    strbuf_reset(&prepared->text);
    strbuf_add(&prepared->text, s->text.data, s->text.size);
}

/* ---- commands ---- */

static void end_command(struct summarised *s, const MYSQL *handle, bool is_answered,
                        uint64_t end_ns)
{
    if (!s->has_command)
        return;
    const struct summary_statement statement = {
        .user = handle->user,
        .host = handle->host,
        .command = wire_command_name(s->command),
        .text = {s->has_text ? s->text.data : NULL, s->text.size},
        .is_preparation = s->command == WIRE_COM_STMT_PREPARE,
        .is_answered = is_answered,
        .start_ns = s->start_ns,
        .end_ns = end_ns,
        .rows = s->rows,
        .affected_rows = s->affected_rows,
        .error_code = s->error_code,
    };
    summary_add(the_summary, &statement);
    s->has_command = false;
}

static void set_text(struct summarised *s, struct wire_string text)
{
    strbuf_reset(&s->text);
    strbuf_add(&s->text, text.data, text.size);
    s->has_text = text.data && !s->text.failed;
}

static void begin_command(struct summarised *s, const MYSQL *handle,
                          const struct st_trace_event_args *args)
{
    struct wire_reader r = wire_reader_of(args->hdr ? args->hdr : args->pkt,
                                          args->hdr ? args->hdr_len : args->pkt_len);
    struct prepared *prepared = NULL;
    end_command(s, handle, false, 0);
    s->has_command = true;
    s->command = (uint8_t)args->cmd;
    s->start_ns = trace_now();
    s->rows = s->affected_rows = 0;
    s->error_code = 0;
    if (s->command == WIRE_COM_STMT_EXECUTE || s->command == WIRE_COM_STMT_BULK_EXECUTE ||
        s->command == WIRE_COM_STMT_CLOSE)
        prepared = find_prepared(s, wire_read_u32(&r));
    if (prepared && s->command == WIRE_COM_STMT_CLOSE)
        drop_prepared(s, prepared);
    if (prepared && s->command != WIRE_COM_STMT_CLOSE)
        set_text(s, (struct wire_string){prepared->text.data, prepared->text.size});
    else
        set_text(s, trace_statement(handle, args));
}

static void add_packet(struct summarised *s, const MYSQL *handle,
                       const struct trace_conversation *conversation)
{
    const struct wire_packet *packet = conversation->packet;
    const struct wire_result *result = &conversation->tracker.result;
    struct wire_prepare_ok prepare;
    if (!s->has_command || !packet || packet->command != s->command)
        return;
    if (packet->kind == WIRE_PREPARE_OK &&
        wire_decode_prepare_ok(packet->payload, packet->payload_size,
                               conversation->tracker.client_capabilities, &prepare))
        keep_prepared(s, prepare.statement_id);
    if (packet->ends_result) {
        s->rows += result->is_result_set ? result->rows : 0;
        s->affected_rows += result->is_result_set || result->is_error ? 0 : result->affected_rows;
        s->error_code = result->is_error ? result->error_code : s->error_code;
    }
    if (packet->ends_reply)
        end_command(s, handle, true, trace_now());
}

/* ---- the plugin ---- */

static void *summary_start(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle,
                           enum protocol_stage stage)
{
    struct summarised *s = calloc(1, sizeof *s);
    (void)self;
    (void)handle;
    (void)stage;
    if (s)
        strbuf_init(&s->text);
    return s;
}

static void summary_stop(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle, void *data)
{
    struct summarised *s = data;
    struct prepared *prepared = NULL, *next = NULL;
    (void)self;
    if (!s)
        return;
    end_command(s, handle, false, 0);
    HASH_ITER(hh, s->prepared, prepared, next)
    {
        drop_prepared(s, prepared);
    }
    strbuf_release(&s->text);
    free(s);
}

static int summary_event(struct st_mysql_client_plugin_TRACE *self, void *data, MYSQL *handle,
                         enum protocol_stage stage, enum trace_event event,
                         struct st_trace_event_args args)
{
    struct summarised *s = data;
    (void)self;
    (void)stage;
    if (!s)
        return 1;
    if (event == TRACE_EVENT_SEND_COMMAND)
        begin_command(s, handle, &args);
    else if (event == TRACE_EVENT_PACKET_SENT && s->has_command &&
             wire_command_reply_shape(s->command) == WIRE_REPLY_NONE)
        end_command(s, handle, true, 0);
    else if (event == TRACE_EVENT_PACKET_RECEIVED && trace_output.conversation)
        add_packet(s, handle, trace_output.conversation);
    return 0;
}

struct st_mysql_client_plugin_TRACE *summarise_into(struct summary *summary)
{
    static struct st_mysql_client_plugin_TRACE plugin = {
        .type = MYSQL_CLIENT_TRACE_PLUGIN,
        .interface_version = MYSQL_CLIENT_TRACE_PLUGIN_INTERFACE_VERSION,
        .name = "summary",
        .tracing_start = summary_start,
        .tracing_stop = summary_stop,
        .trace_event = summary_event,
    };
    the_summary = summary;
    return &plugin;
}
