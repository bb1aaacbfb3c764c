/* SPDX-License-Identifier: Apache-2.0
 *
 * test_trace: prints every trace event in the words of MySQL's test plugin, and checks that stages
 * follow each other as the protocol has them.
 *
 *     MYSQL_TEST_TRACE_DEBUG   set, and not beginning with '0': prints to standard error
 *     MYSQL_TEST_TRACE_CRASH   set, and not beginning with '0': aborts on a wrong stage or an
 *                              invalid event
 *
 * What it prints can disclose passwords and data. The check works on what was seen so far:
 * `expected` is the stage that the events before this one lead to. It is off from an error until
 * the next command. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

enum {
    CAPABILITY_DEPRECATE_EOF = 1 << 24,
    STATUS_MORE_RESULTS = 0x0008,
    EOF_BYTES = 5,
    PROGRESS_REPORT = 0xffff, /* in the place of an error's number */
};

struct connection {
    enum protocol_stage expected;
    int command;                       /* sent last; -1: none yet */
    int has_failed;                    /* an error was reported since then */
    int hides_password;                /* the authentication method does, in its answers */
    int had_more;                      /* a result of the command was followed by another */
    unsigned long columns, parameters; /* definitions to come */
};

static int is_crashing;

/* ---- reading packets ---- */

/* Reads a length-encoded number at *at, and moves *at after it. */
static unsigned long long number_at(const struct st_trace_event_args *args, size_t *at)
{
    unsigned long first = byte_at(args, *at);
    size_t width = first == 0xfc ? 2 : first == 0xfd ? 3 : first == 0xfe ? 8 : 0;
    unsigned long long number = 0;
    *at += 1;
    if (width == 0)
        return first;
    for (size_t i = 0; i < width; i++)
        number |= (unsigned long long)byte_at(args, *at + i) << (8 * i);
    *at += width;
    return number;
}

static int deprecates_eof(const MYSQL *handle)
{
    return (handle->server_capabilities & handle->client_flag & CAPABILITY_DEPRECATE_EOF) != 0;
}

/* A packet that ends definitions or rows. */
static int is_end(const MYSQL *handle, const struct st_trace_event_args *args)
{
    size_t most = deprecates_eof(handle) ? 0xffffff : 8;
    return byte_at(args, 0) == 0xfe && args->pkt_len <= most;
}

/* ---- what the packets of a reply mean ---- */

static enum protocol_stage on_result(const MYSQL *handle, struct connection *c,
                                     const struct st_trace_event_args *args)
{
    size_t at = 1;
    switch (byte_at(args, 0)) {
    case 0xfb:
        test_trace_print(handle, "Server requests file: %.*s", (int)args->pkt_len - 1,
                         (const char *)args->pkt + 1);
        return PROTOCOL_STAGE_FILE_REQUEST;
    case 0x00: {
        unsigned long long rows = number_at(args, &at);
        unsigned long long id = number_at(args, &at);
        unsigned long status = short_at(args, at);
        test_trace_print(
            handle, "OK from server; flags: 0x%02lX, affected rows: %llu, last insert_id: %llu",
            status, rows, id);
        if (!(status & STATUS_MORE_RESULTS))
            return PROTOCOL_STAGE_READY_FOR_COMMAND;
        c->had_more = 1;
        test_trace_print(handle, "Expecting next result set");
        return PROTOCOL_STAGE_WAIT_FOR_RESULT;
    }
    case 0xfe:
    case 0xff:
        return PROTOCOL_STAGE_READY_FOR_COMMAND;
    default:
        at = 0;
        c->columns = (unsigned long)number_at(args, &at);
        test_trace_print(handle, "Expecting result set with %lu columns", c->columns);
        if (at < args->pkt_len && byte_at(args, at) == 0 && deprecates_eof(handle))
            return PROTOCOL_STAGE_WAIT_FOR_ROW; /* the server has left the definitions out */
        return PROTOCOL_STAGE_WAIT_FOR_FIELD_DEF;
    }
}

/* Counts one definition. Returns whether it was the end of them. */
static int count_definition(const MYSQL *handle, const struct st_trace_event_args *args,
                            unsigned long *left)
{
    if (is_end(handle, args))
        return 1;
    if (*left > 0)
        *left -= 1;
    return deprecates_eof(handle) && *left == 0;
}

static enum protocol_stage on_definition(const MYSQL *handle, struct connection *c,
                                         const struct st_trace_event_args *args)
{
    int is_list = c->command == FIELD_LIST;
    unsigned long endless = 2;
    if (!count_definition(handle, args, is_list ? &endless : &c->columns)) {
        test_trace_print(handle, "Received next field definition");
        return PROTOCOL_STAGE_WAIT_FOR_FIELD_DEF;
    }
    test_trace_print(handle, "No more fields");
    if (c->command == STMT_PREPARE || is_list)
        return PROTOCOL_STAGE_READY_FOR_COMMAND;
    test_trace_print(handle, "Reading result set rows");
    return PROTOCOL_STAGE_WAIT_FOR_ROW;
}

static enum protocol_stage on_parameter(const MYSQL *handle, struct connection *c,
                                        const struct st_trace_event_args *args)
{
    if (!count_definition(handle, args, &c->parameters)) {
        test_trace_print(handle, "Received next parameter description");
        return PROTOCOL_STAGE_WAIT_FOR_PARAM_DEF;
    }
    test_trace_print(handle, "No more parameters");
    return c->columns > 0 ? PROTOCOL_STAGE_WAIT_FOR_FIELD_DEF : PROTOCOL_STAGE_READY_FOR_COMMAND;
}

/* MySQL's plugin expects another result, wrongly, after each one of a command that had several, and
 * after those of prepared statements. No stage is checked before the next command then, so it does
 * no harm. */
static enum protocol_stage on_row(const MYSQL *handle, struct connection *c,
                                  const struct st_trace_event_args *args)
{
    size_t at = 1;
    if (byte_at(args, 0) == 0xff)
        return PROTOCOL_STAGE_READY_FOR_COMMAND;
    if (!is_end(handle, args)) {
        test_trace_print(handle, "Received next row");
        return PROTOCOL_STAGE_WAIT_FOR_ROW;
    }
    test_trace_print(handle, "End of data");
    unsigned long status = short_at(args, 3);
    if (deprecates_eof(handle) && args->pkt_len > EOF_BYTES) {
        number_at(args, &at);
        number_at(args, &at);
        status = short_at(args, at);
    }
    c->had_more = c->had_more || status & STATUS_MORE_RESULTS;
    if (!c->had_more && c->command != STMT_EXECUTE)
        return PROTOCOL_STAGE_READY_FOR_COMMAND;
    test_trace_print(handle, "Expecting next result set");
    return PROTOCOL_STAGE_WAIT_FOR_RESULT;
}

static enum protocol_stage on_description(const MYSQL *handle, struct connection *c,
                                          const struct st_trace_event_args *args)
{
    if (byte_at(args, 0) != 0) {
        test_trace_print(handle, "Wrong PS description");
        return PROTOCOL_STAGE_READY_FOR_COMMAND;
    }
    c->columns = short_at(args, 5);
    c->parameters = short_at(args, 7);
    test_trace_print(handle, "Prepared statement %lu; params: %lu, cols: %lu",
                     short_at(args, 1) | short_at(args, 3) << 16, c->parameters, c->columns);
    if (c->parameters > 0)
        return PROTOCOL_STAGE_WAIT_FOR_PARAM_DEF;
    return c->columns > 0 ? PROTOCOL_STAGE_WAIT_FOR_FIELD_DEF : PROTOCOL_STAGE_READY_FOR_COMMAND;
}

/* The stage that a packet of that stage leads to; comments on the way. */
static enum protocol_stage on_packet(const MYSQL *handle, struct connection *c,
                                     enum protocol_stage stage,
                                     const struct st_trace_event_args *args)
{
    int is_error = byte_at(args, 0) == 0xff;
    if (is_error && short_at(args, 1) == PROGRESS_REPORT && stage != PROTOCOL_STAGE_AUTHENTICATE)
        return stage; /* MariaDB's: the packet that is waited for is still to come */
    switch (stage) {
    case PROTOCOL_STAGE_AUTHENTICATE:
        if (is_error)
            test_trace_print(handle, "Server rejected connection (ERR packet)");
        return is_error ? PROTOCOL_STAGE_READY_FOR_COMMAND : stage;
    case PROTOCOL_STAGE_WAIT_FOR_RESULT:
        return on_result(handle, c, args);
    case PROTOCOL_STAGE_WAIT_FOR_ROW:
        return on_row(handle, c, args);
    case PROTOCOL_STAGE_WAIT_FOR_FIELD_DEF:
        return is_error ? PROTOCOL_STAGE_READY_FOR_COMMAND : on_definition(handle, c, args);
    case PROTOCOL_STAGE_WAIT_FOR_PARAM_DEF:
        return is_error ? PROTOCOL_STAGE_READY_FOR_COMMAND : on_parameter(handle, c, args);
    case PROTOCOL_STAGE_WAIT_FOR_PS_DESCRIPTION:
        return on_description(handle, c, args);
    case PROTOCOL_STAGE_WAIT_FOR_PACKET:
        return PROTOCOL_STAGE_READY_FOR_COMMAND;
    case PROTOCOL_STAGE_WAIT_FOR_INIT_PACKET:
        return is_error ? PROTOCOL_STAGE_READY_FOR_COMMAND : stage;
    default:
        return stage;
    }
}

static enum protocol_stage stage_after_command(int command)
{
    switch (command) {
    case STMT_PREPARE:
        return PROTOCOL_STAGE_WAIT_FOR_PS_DESCRIPTION;
    case STMT_FETCH:
        return PROTOCOL_STAGE_WAIT_FOR_ROW;
    case STMT_SEND_LONG_DATA:
    case STMT_CLOSE:
    case QUIT:
    case REGISTER_SLAVE:
        return PROTOCOL_STAGE_READY_FOR_COMMAND;
    case CHANGE_USER:
        return PROTOCOL_STAGE_AUTHENTICATE;
    case STATISTICS:
        return PROTOCOL_STAGE_WAIT_FOR_PACKET;
    case FIELD_LIST:
        return PROTOCOL_STAGE_WAIT_FOR_FIELD_DEF;
    default:
        return PROTOCOL_STAGE_WAIT_FOR_RESULT;
    }
}

/* ---- checks ---- */

#define EVENT(name) (1UL << TRACE_EVENT_##name)

/* The events that may come in a stage. */
static unsigned long events_of(enum protocol_stage stage)
{
    const unsigned long anywhere = EVENT(ERROR) | EVENT(DISCONNECTED);
    const unsigned long reading = EVENT(READ_PACKET) | EVENT(PACKET_RECEIVED);
    switch (stage) {
    case PROTOCOL_STAGE_CONNECTING:
        return anywhere | EVENT(CONNECTING) | EVENT(CONNECTED);
    case PROTOCOL_STAGE_WAIT_FOR_INIT_PACKET:
        return anywhere | reading | EVENT(INIT_PACKET_RECEIVED);
    case PROTOCOL_STAGE_AUTHENTICATE:
        return anywhere | reading | EVENT(SEND_SSL_REQUEST) | EVENT(AUTH_PLUGIN) |
               EVENT(SEND_AUTH_RESPONSE) | EVENT(SEND_AUTH_DATA) | EVENT(PACKET_SENT) |
               EVENT(AUTHENTICATED);
    case PROTOCOL_STAGE_SSL_NEGOTIATION:
        return anywhere | EVENT(SSL_CONNECT) | EVENT(SSL_CONNECTED);
    case PROTOCOL_STAGE_READY_FOR_COMMAND:
        return anywhere | EVENT(SEND_COMMAND) | EVENT(PACKET_SENT) | EVENT(AUTH_PLUGIN);
    case PROTOCOL_STAGE_FILE_REQUEST:
        return anywhere | EVENT(SEND_FILE) | EVENT(PACKET_SENT);
    case PROTOCOL_STAGE_DISCONNECTED:
        return anywhere;
    default:
        return anywhere | reading;
    }
}

/* Aborts if that is asked for, and says why even where nothing else is printed. Two commands break
 * the rules in MySQL's own library: they are no reason to. */
static void complain(const MYSQL *handle, const struct connection *c, enum protocol_stage stage,
                     enum trace_event event)
{
    if (!is_crashing || !c || c->command == REGISTER_SLAVE || c->command == PROCESS_INFO)
        return;
    test_trace_is_printing = 1;
    test_trace_print(handle, "aborting at stage: %s, event: %s; expected: %s; command: %d",
                     protocol_stage_name(stage), trace_event_name(event),
                     protocol_stage_name(c->expected), c->command);
    abort();
}

static void check_stage(const MYSQL *handle, const struct connection *c, enum protocol_stage stage,
                        enum trace_event event)
{
    if (c->has_failed || event == TRACE_EVENT_SEND_COMMAND || event == TRACE_EVENT_ERROR ||
        event == TRACE_EVENT_AUTH_PLUGIN || stage == c->expected)
        return;
    test_trace_print(handle, "wrong stage, expected: %s", protocol_stage_name(c->expected));
    complain(handle, c, stage, event);
}

/* Moves on to the stage that is expected with the next event. */
static void follow(const MYSQL *handle, struct connection *c, enum protocol_stage stage,
                   enum trace_event event, const struct st_trace_event_args *args)
{
    c->expected = stage;
    switch (event) {
    case TRACE_EVENT_CONNECTED:
        c->expected = PROTOCOL_STAGE_WAIT_FOR_INIT_PACKET;
        break;
    case TRACE_EVENT_INIT_PACKET_RECEIVED:
    case TRACE_EVENT_SSL_CONNECTED:
        c->expected = PROTOCOL_STAGE_AUTHENTICATE;
        break;
    case TRACE_EVENT_SEND_SSL_REQUEST:
        c->expected = PROTOCOL_STAGE_SSL_NEGOTIATION;
        break;
    case TRACE_EVENT_AUTHENTICATED:
        c->expected = PROTOCOL_STAGE_READY_FOR_COMMAND;
        break;
    case TRACE_EVENT_PACKET_RECEIVED:
        c->expected = on_packet(handle, c, stage, args);
        break;
    case TRACE_EVENT_PACKET_SENT:
        if (stage == PROTOCOL_STAGE_READY_FOR_COMMAND) {
            c->expected = stage_after_command(c->command);
        } else if (stage == PROTOCOL_STAGE_FILE_REQUEST && args->pkt_len == 0) {
            test_trace_print(handle, "File transfer done");
            c->expected = PROTOCOL_STAGE_WAIT_FOR_RESULT;
        }
        break;
    default:
        break;
    }
}

/* ---- passwords ---- */

/* Methods that send something made of the password. Others send itself. */
static int hides_password(const char *method)
{
    static const char *const methods[] = {"mysql_native_password", "mysql_old_password",
                                          "client_ed25519", "caching_sha2_password",
                                          "sha256_password"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(method, methods[i]) == 0)
            return 1;
    return 0;
}

/* The SHA-256 methods send the password, and its NUL, where the connection is secure. */
static int is_password(const struct connection *c, const struct st_trace_event_args *args)
{
    size_t size = args->pkt_len;
    return size > 1 && (!c->hides_password || memchr(args->pkt, 0, size) == args->pkt + size - 1);
}

/* ---- the plugin ---- */

static void *trace_start(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle,
                         enum protocol_stage stage)
{
    struct connection *c = calloc(1, sizeof *c);
    (void)self;
    test_trace_print(handle, "Starting tracing in stage %s", protocol_stage_name(stage));
    if (!c) {
        test_trace_print(
            handle, "Could not allocate per-connection trace data - checking protocol flow will "
                    "be disabled");
        return NULL;
    }
    c->expected = stage;
    c->command = -1;
    return c;
}

static void trace_stop(struct st_mysql_client_plugin_TRACE *self, MYSQL *handle, void *data)
{
    (void)self;
    test_trace_print(handle, "Tracing connection has ended");
    free(data);
}

static int trace_event(struct st_mysql_client_plugin_TRACE *self, void *data, MYSQL *handle,
                       enum protocol_stage stage, enum trace_event event,
                       struct st_trace_event_args args)
{
    struct connection *c = data;
    (void)self;
    test_trace_print(handle, "stage: %s, event: %s", protocol_stage_name(stage),
                     trace_event_name(event));
    if (event == TRACE_EVENT_DISCONNECTED) {
        test_trace_print(handle, "Connection  closed");
        return 1;
    }
    if (event == TRACE_EVENT_SEND_COMMAND && c) {
        c->command = args.cmd;
        c->has_failed = 0;
        c->had_more = 0;
    }
    if (c)
        check_stage(handle, c, stage, event);
    if (c && event == TRACE_EVENT_AUTH_PLUGIN)
        c->hides_password = hides_password(args.plugin_name);
    if (c && event == TRACE_EVENT_SEND_AUTH_DATA && test_trace_is_masking && is_password(c, &args))
        test_trace_print(handle, "sending packet: masked");
    else
        test_trace_print_details(handle, event, &args);
    if (event == TRACE_EVENT_SEND_COMMAND &&
        (args.cmd == BINLOG_DUMP || args.cmd == BINLOG_DUMP_GTID || args.cmd == TABLE_DUMP))
        return 1;
    if (c && event == TRACE_EVENT_ERROR)
        c->has_failed = c->command >= 0;
    if (c && !c->has_failed)
        follow(handle, c, stage, event, &args);
    if (!(events_of(stage) & 1UL << event)) {
        test_trace_print(handle, "invalid event detected");
        complain(handle, c, stage, event);
    }
    return 0;
}

static int is_on(const char *variable)
{
    const char *value = getenv(variable);
    return value && value[0] != '0';
}

static int plugin_init(char *errbuf, size_t errbuf_len, int argc, va_list args)
{
    if (errbuf_len > 0)
        errbuf[0] = 0; /* nothing can fail here */
    (void)argc;
    (void)args;
    test_trace_is_printing = is_on("MYSQL_TEST_TRACE_DEBUG");
    is_crashing = is_on("MYSQL_TEST_TRACE_CRASH");
    test_trace_print(NULL, "Test trace plugin initialized");
    return 0;
}

static int plugin_deinit(void)
{
    test_trace_print(NULL, "Test trace plugin de-initialized");
    return 0;
}

/* clang-format off */
mysql_declare_client_plugin(TRACE)
    "test_trace",
    "weir",
    "Prints and checks every trace event",
    {1, 0, 0},
    "Apache-2.0",
    NULL,
    plugin_init,
    plugin_deinit,
    NULL,
    trace_start,
    trace_stop,
    trace_event
mysql_end_client_plugin;
