/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection under a plugin: what the plugin is called with, and which connections it sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "frames.h"
#include "trace/protocol/trace_protocol.h"

static void put_frame(struct strbuf *out, const struct frame *frame)
{
    struct wire_writer writer = wire_writer_to(out, frame->sequence);
    wire_begin_packet(&writer);
    wire_write_bytes(&writer, frame->payload, frame->size);
    wire_end_packet(&writer);
}

struct calls {
    enum protocol_stage stage; /* that starts must have */
    unsigned starts, stops, events;
    char user[16];
    unsigned long thread_id;
};
static struct calls calls;

static void *count_start(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle,
                         enum protocol_stage stage)
{
    (void)self;
    (void)handle;
    assert_int_equal(stage, calls.stage);
    calls.starts++;
    return &calls;
}

static void count_stop(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle, void *data)
{
    (void)self;
    (void)handle;
    assert_ptr_equal(data, &calls);
    calls.stops++;
}

static int count_event(struct st_mysql_client_plugin_TRACE *self, void *data, MYSQL *handle,
                       enum protocol_stage stage, enum trace_event event,
                       struct st_trace_event_args args)
{
    (void)self;
    (void)stage;
    (void)args;
    assert_ptr_equal(data, &calls);
    calls.events++;
    if (event == TRACE_EVENT_SEND_COMMAND) {
        snprintf(calls.user, sizeof calls.user, "%s", handle->user);
        calls.thread_id = handle->thread_id;
        return 1;
    }
    return 0;
}

static void a_plugin_sees_whose_connection_it_is_and_can_stop(void **state)
{
    (void)state;
    static const struct frame frames[] = {LOGIN, FRAME('C', 0, "\x0e"), FRAME('S', 1, OK)};
    struct st_mysql_client_plugin_TRACE plugin = {.type = MYSQL_CLIENT_TRACE_PLUGIN,
                                                  .name = "count",
                                                  .tracing_start = count_start,
                                                  .tracing_stop = count_stop,
                                                  .trace_event = count_event};
    struct st_mysql_client_plugin_TRACE nothing = {.type = MYSQL_CLIENT_TRACE_PLUGIN,
                                                   .name = "nothing"};
    struct st_mysql_client_plugin_TRACE *plugins[] = {&plugin, &nothing};
    const struct trace_options options = {.keep_limit = 1 << 20};
    const struct trace_session_info info = {.host = "10.0.0.1"};
    calls = (struct calls){0};
    for (size_t p = 0; p < 2; p++) {
        struct trace_session *session = trace_session_begin(plugins[p], &info, &options);
        for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
            struct strbuf bytes = STRBUF_INIT;
            put_frame(&bytes, &frames[i]);
            trace_session_bytes(session,
                                frames[i].from == 'C' ? WIRE_FROM_CLIENT : WIRE_FROM_SERVER,
                                (uint8_t *)bytes.data, bytes.size);
            strbuf_release(&bytes);
        }
        assert_int_equal(trace_session_is_over(session), p == 0);
        trace_session_end(session);
    }
    assert_int_equal(calls.starts, 1);
    assert_int_equal(calls.stops, 1);
    assert_int_equal(calls.events, 12);
    assert_string_equal(calls.user, "bob");
    assert_int_equal(calls.thread_id, 7);
}

/* Oracle's later headers have one more function before the methods. */
static void a_plugin_built_with_oracles_header(void **state)
{
    (void)state;
    static const struct frame frames[] = {LOGIN, FRAME('C', 0, "\x0e")};
    struct {
        MYSQL_CLIENT_PLUGIN_HEADER
        int (*get_options)(const char *, void *);
        tracing_start_callback *tracing_start;
        tracing_stop_callback *tracing_stop;
        trace_event_handler *trace_event;
    } plugin = {.type = 3,
                .interface_version = 0x0200,
                .name = "oracle",
                .tracing_start = count_start,
                .tracing_stop = count_stop,
                .trace_event = count_event};
    const struct trace_options options = {.keep_limit = 1 << 20};
    const struct trace_session_info info = {.host = "10.0.0.1"};
    calls = (struct calls){0};
    struct trace_session *session =
        trace_session_begin((struct st_mysql_client_plugin_TRACE *)&plugin, &info, &options);
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        struct strbuf bytes = STRBUF_INIT;
        put_frame(&bytes, &frames[i]);
        trace_session_bytes(session, frames[i].from == 'C' ? WIRE_FROM_CLIENT : WIRE_FROM_SERVER,
                            (uint8_t *)bytes.data, bytes.size);
        strbuf_release(&bytes);
    }
    trace_session_end(session);
    assert_int_equal(calls.starts, 1);
    assert_int_equal(calls.stops, 1);
    assert_int_equal(calls.events, 12);
}

static bool wants(struct trace_host *host, const char *user, const char *address, uint64_t id)
{
    return trace_host_wants(host, &(struct trace_candidate){user, address, {id, 1000 + id}});
}

static void what_is_traced_can_be_selected(void **state)
{
    (void)state;
    struct error error = {""};
    struct strbuf texts = STRBUF_INIT;
    struct st_mysql_client_plugin_TRACE one = {.type = MYSQL_CLIENT_TRACE_PLUGIN, .name = "one"};
    struct trace_host *host = trace_host_adopt(&one, &error);
    struct trace_selection selection = {.user = "bob"};
    assert_true(wants(host, "bob", "10.0.0.1", 5));
    assert_int_equal(trace_host_select(host, &selection), 0);
    assert_true(wants(host, "bob", "10.0.0.1", 5));
    assert_false(wants(host, "eve", "10.0.0.1", 5));
    assert_false(wants(host, NULL, "10.0.0.1", 5));
    selection = (struct trace_selection){.host = "10.%", .session_id = 6};
    assert_int_equal(trace_host_select(host, &selection), 0);
    assert_false(wants(host, "bob", "10.0.0.1", 5));
    assert_false(wants(host, "bob", "192.168.0.1", 6));
    assert_true(wants(host, "bob", "10.0.0.1", 6));
    selection.session_id = 1006;
    assert_int_equal(trace_host_select(host, &selection), 0);
    assert_true(wants(host, NULL, "10.0.0.1", 6));
    trace_host_selection(host, &selection, &texts);
    assert_null(selection.user);
    assert_string_equal(selection.host, "10.%");
    assert_int_equal(selection.session_id, 1006);
    assert_int_equal(trace_host_select(host, &(struct trace_selection){.is_off = true}), 0);
    assert_false(wants(host, "bob", "10.0.0.1", 6));
    strbuf_release(&texts);
    trace_host_unload(host);
}

/* As the gateway does it, where a session is at a command's beginning. */
static void tracing_can_begin_and_end_in_the_middle(void **state)
{
    (void)state;
    struct st_mysql_client_plugin_TRACE plugin = {.type = MYSQL_CLIENT_TRACE_PLUGIN,
                                                  .name = "count",
                                                  .tracing_start = count_start,
                                                  .tracing_stop = count_stop,
                                                  .trace_event = count_event};
    const struct trace_options options = {.keep_limit = 1 << 20};
    const struct trace_session_info info = {.user = "bob", .server_version = "8", .thread_id = 7};
    uint64_t capabilities = WIRE_CAP(CLIENT_PROTOCOL_41);
    calls = (struct calls){.stage = PROTOCOL_STAGE_READY_FOR_COMMAND};
    long before = trace_session_count();
    struct trace_session *session =
        trace_session_resume(&plugin, &info, &options, capabilities, capabilities, 2);
    assert_int_equal(trace_session_count(), before + 1);
    trace_session_break_off(session); /* no DISCONNECTED: the connection goes on */
    assert_int_equal(trace_session_count(), before);
    assert_true(calls.starts == 1 && calls.stops == 1 && calls.events == 0);
    session = trace_session_resume(&plugin, &info, &options, capabilities, capabilities, 2);
    trace_session_bytes(session, WIRE_FROM_CLIENT, (const uint8_t *)"\1\0\0\0\x0e", 5);
    assert_int_equal(calls.events, 1); /* SEND_COMMAND; then it declines more */
    assert_string_equal(calls.user, "bob");
    trace_session_break_off(session);
    trace_session_break_off(NULL);
    assert_true(calls.starts == 2 && calls.stops == 2);
}

static void only_one_plugin_at_a_time(void **state)
{
    (void)state;
    struct error error = {""};
    struct st_mysql_client_plugin_TRACE one = {.type = MYSQL_CLIENT_TRACE_PLUGIN, .name = "one"};
    struct st_mysql_client_plugin_TRACE two = {.type = MYSQL_CLIENT_TRACE_PLUGIN, .name = "two"};
    struct trace_host *host = trace_host_adopt(&one, &error);
    assert_non_null(host);
    assert_null(trace_host_adopt(&two, &error));
    assert_non_null(strstr(error.message, "one is loaded already"));
    trace_host_unload(host);
    host = trace_host_adopt(&two, &error);
    assert_non_null(host);
    trace_host_unload(host);
    assert_null(trace_host_load("missing", "/nowhere", &error));
    assert_non_null(strstr(error.message, "missing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plugin_sees_whose_connection_it_is_and_can_stop),
        cmocka_unit_test(a_plugin_built_with_oracles_header),
        cmocka_unit_test(what_is_traced_can_be_selected),
        cmocka_unit_test(tracing_can_begin_and_end_in_the_middle),
        cmocka_unit_test(only_one_plugin_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
