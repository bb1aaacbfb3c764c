/* SPDX-License-Identifier: Apache-2.0
 *
 * What is patched in a client library, when, and that it is put back. The library is
 * fake_client.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_client.h"
#include "frames.h"
#include "trace/attach/trace_attach.h"

static struct {
    unsigned inits, deinits, starts, stops, events;
    enum trace_event last;
    MYSQL *reads_in_init; /* NULL: init does nothing but count */
    int init_result;
} calls;

static MARIADB_PVIO sockets[2];
static MYSQL handles[2];

static int plugin_init(char *text, size_t size, int argc, va_list arguments)
{
    (void)text;
    (void)size;
    (void)argc;
    (void)arguments;
    calls.inits++;
    if (calls.reads_in_init)
        fake_client_read(calls.reads_in_init);
    return calls.init_result;
}

static int plugin_deinit(void)
{
    calls.deinits++;
    return 0;
}

static void *start(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle,
                   enum protocol_stage stage)
{
    (void)self;
    (void)handle;
    (void)stage;
    calls.starts++;
    return NULL;
}

static void stop(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle, void *data)
{
    (void)self;
    (void)handle;
    (void)data;
    calls.stops++;
}

static int note_event(struct st_mysql_client_plugin_TRACE *self, void *data, MYSQL *handle,
                      enum protocol_stage stage, enum trace_event event,
                      struct st_trace_event_args args)
{
    (void)self;
    (void)data;
    (void)handle;
    (void)stage;
    (void)args;
    calls.events++;
    calls.last = event;
    return 0;
}

#define PLUGIN(text)                                                                               \
    {                                                                                              \
        .type = MYSQL_CLIENT_TRACE_PLUGIN, .name = text, .init = plugin_init,                      \
        .deinit = plugin_deinit, .tracing_start = start, .tracing_stop = stop,                     \
        .trace_event = note_event                                                                  \
    }
static struct st_mysql_client_plugin_TRACE plugin = PLUGIN("one"), second = PLUGIN("two"),
                                           adopted = PLUGIN("three");

static char text[256];
static struct st_ma_pvio_methods untouched;

#define GREETING_FRAME "\x38\0\0\0" GREETING

static int set_up(void **state)
{
    (void)state;
    memset(&calls, 0, sizeof calls);
    for (int i = 0; i < 2; i++) {
        sockets[i] = (MARIADB_PVIO){.methods = fake_client_methods(), .mysql = &handles[i]};
        memset(&handles[i], 0, sizeof handles[i]);
        handles[i].net.pvio = &sockets[i];
    }
    untouched = *fake_client_methods();
    text[0] = 0;
    fake_client_will_read(GREETING_FRAME, sizeof GREETING_FRAME - 1);
    return 0;
}

static void assert_put_back(void)
{
    assert_memory_equal(fake_client_methods(), &untouched, sizeof untouched);
    unsigned starts = calls.starts;
    fake_client_tls_read(&handles[1]); /* a greeting, which nobody sees */
    assert_int_equal(calls.starts, starts);
}

static void sockets_are_patched_from_init_to_deinit(void **state)
{
    (void)state;
    assert_int_equal(fake_client_init(&plugin, text, sizeof text), 0);
    assert_ptr_not_equal(fake_client_methods()->read, untouched.read);
    assert_null(fake_client_methods()->async_read); /* not there before */
    fake_client_read(&handles[0]);
    assert_int_equal(calls.starts, 1);
    assert_int_equal(calls.last, TRACE_EVENT_INIT_PACKET_RECEIVED);
    fake_client_write(&handles[0], "\x2a\0\0\1" RESPONSE, 4 + sizeof RESPONSE - 1);
    assert_int_equal(calls.last, TRACE_EVENT_PACKET_SENT);
    fake_client_close(&handles[0]);
    assert_int_equal(calls.last, TRACE_EVENT_DISCONNECTED);
    assert_int_equal(calls.stops, 1);
    assert_int_equal(fake_client_deinit(&plugin), 0);
    assert_true(calls.inits == 1 && calls.deinits == 1);
    assert_put_back();
}

static void calls_of_openssl_are_patched_from_init_to_deinit(void **state)
{
    (void)state;
    assert_int_equal(fake_client_init(&plugin, text, sizeof text), 0);
    fake_client_tls_read(&handles[0]);
    assert_int_equal(calls.starts, 1);
    fake_client_tls_write(&handles[0], "\x2a\0\0\1" RESPONSE, 4 + sizeof RESPONSE - 1);
    assert_int_equal(calls.last, TRACE_EVENT_PACKET_SENT);
    fake_client_deinit(&plugin); /* ends what is open */
    assert_int_equal(calls.stops, 1);
    assert_put_back();
}

static void a_connection_that_was_there_before_is_ignored(void **state)
{
    (void)state;
    assert_int_equal(fake_client_init(&plugin, text, sizeof text), 0);
    fake_client_write(&handles[0], "\1\0\0\0\x0e", 5);
    fake_client_will_read("\7\0\0\1" OK, 4 + sizeof OK - 1);
    fake_client_read(&handles[0]);
    fake_client_close(&handles[0]);
    assert_int_equal(calls.starts, 0);
    fake_client_deinit(&plugin);
}

/* It ended the program: there was no plugin yet to begin a session with. */
static void a_connection_that_begins_during_init_is_not_traced(void **state)
{
    (void)state;
    calls.reads_in_init = &handles[0];
    assert_int_equal(fake_client_init(&plugin, text, sizeof text), 0);
    assert_int_equal(calls.starts, 0);
    fake_client_read(&handles[1]);
    assert_int_equal(calls.starts, 1);
    fake_client_deinit(&plugin);
    assert_int_equal(calls.stops, 1);
    assert_put_back();
}

static void an_init_that_fails_leaves_nothing_patched(void **state)
{
    (void)state;
    calls.init_result = 7;
    assert_int_equal(fake_client_init(&plugin, text, sizeof text), 7);
    assert_put_back();
}

static void a_second_plugin_is_refused_and_the_first_goes_on(void **state)
{
    (void)state;
    assert_int_equal(fake_client_init(&plugin, text, sizeof text), 0);
    assert_int_equal(fake_client_init(&second, text, sizeof text), 1);
    assert_string_equal(text, "one is loaded already, and only one trace plugin can be");
    fake_client_deinit(&second);
    fake_client_read(&handles[0]);
    assert_int_equal(calls.starts, 1);
    fake_client_deinit(&plugin);
    assert_put_back();
}

static void an_adopted_plugin_patches_nothing(void **state)
{
    (void)state;
    assert_true(trace_attach_declare(&adopted));
    trace_attach_undo(&adopted);
    assert_ptr_equal(adopted.init, plugin_init);
    assert_int_equal(fake_client_init(&adopted, text, sizeof text), 0);
    assert_put_back();
    assert_int_equal(fake_client_deinit(&adopted), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sockets_are_patched_from_init_to_deinit),
        TEST(calls_of_openssl_are_patched_from_init_to_deinit),
        TEST(a_connection_that_was_there_before_is_ignored),
        TEST(a_connection_that_begins_during_init_is_not_traced),
        TEST(an_init_that_fails_leaves_nothing_patched),
        TEST(a_second_plugin_is_refused_and_the_first_goes_on),
        TEST(an_adopted_plugin_patches_nothing),
    };
    if (!trace_attach_declare(&plugin) || !trace_attach_declare(&second))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
