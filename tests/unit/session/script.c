/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads written conversations, and compares what came of them. With WEIR_SEEDS=FOLDER in the
 * environment each is also written there, as a seed of tests/fuzz/session. */
#include "script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../wire/conversation.h"
#include "starve.h"

#define RANDOM_RUNS 12

/* What is expected of a run, and what came. */
struct channels {
    struct strbuf client, backend, events;
};

struct run {
    struct harness harness;
    struct channels expected;
    struct strbuf pending; /* bytes of consecutive lines of one side */
    enum session_side pending_side;
    struct strbuf seed;
    const char *name;
    bool is_unchecked;
};

/* ---- Payloads ---- */

/* An encoder's packet without its header. */
static void add_payload(struct strbuf *out, struct strbuf *packet)
{
    strbuf_add(out, packet->data + WIRE_HEADER_BYTES, packet->size - WIRE_HEADER_BYTES);
    strbuf_release(packet);
}

static void add_greeting(const struct harness_options *options, struct wire_writer *writer)
{
    struct wire_greeting greeting = {.server_version = wire_text("8.0.11-backend"),
                                     .connection_id = 42,
                                     .capabilities = options->capabilities & ~options->missing,
                                     .charset = WIRE_CHARSET_UTF8MB4,
                                     .status = WIRE_SERVER_STATUS_AUTOCOMMIT,
                                     .scramble1 = {"12345678", 8},
                                     .scramble2 = {"123456789012", 12},
                                     .plugin = wire_text("mysql_native_password")};
    wire_encode_greeting(writer, &greeting);
}

static void add_response(const struct harness_options *options, bool is_ssl_request,
                         struct wire_writer *writer)
{
    struct wire_handshake_response response = {
        .capabilities = options->capabilities | (options->offers_tls ? WIRE_CAP(CLIENT_SSL) : 0),
        .max_packet = 1 << 24,
        .charset = WIRE_CHARSET_UTF8MB4,
        .user = wire_text("root"),
        .auth_response = {"01234567890123456789", 20},
        .database = wire_text("test"),
        .plugin = wire_text("mysql_native_password"),
        .attributes = {"\x04_pid\x02"
                       "12",
                       8}};
    if (is_ssl_request)
        wire_encode_ssl_request(writer, &response);
    else
        wire_encode_handshake_response(writer, &response);
}

static void add_named(const struct harness_options *options, const char *name, size_t size,
                      struct strbuf *out)
{
#define IS(text) (size == sizeof(text) - 1 && memcmp(name, text, size) == 0)
    struct strbuf packet = STRBUF_INIT;
    struct wire_writer writer = wire_writer_to(&packet, 0);
    const uint64_t capabilities = options->capabilities;
    const uint16_t more = WIRE_SERVER_MORE_RESULTS_EXISTS | WIRE_SERVER_STATUS_AUTOCOMMIT;
    struct wire_ok ok = {.status = WIRE_SERVER_STATUS_AUTOCOMMIT};
    struct wire_eof eof = {.status = WIRE_SERVER_STATUS_AUTOCOMMIT};
    struct wire_column_definition column = {
        .name = wire_text("a"), .charset = 45, .length = 64, .type = WIRE_TYPE_VAR_STRING};
    struct wire_string account[] = {
        wire_text("root@%"),  {NULL, 0}, wire_text("test"), wire_text(""),
        wire_text("utf8mb4"), {NULL, 0}, {NULL, 0},         {NULL, 0}};
    struct wire_string grant = wire_text("GRANT SUPER, RELOAD ON *.* TO `root`@`%`");
    struct wire_string no_grant = wire_text("GRANT USAGE ON *.* TO `root`@`%`");
    struct wire_change_user change = {.user = wire_text("other"),
                                      .auth_response = wire_text("abc"),
                                      .database = wire_text("db2"),
                                      .charset = 45,
                                      .plugin = wire_text("mysql_native_password")};
    struct wire_auth_switch request = {wire_text("mysql_native_password"),
                                       {"ABCDEFGHIJKLMNOPQRST", 21}};
    struct wire_err err = {.code = 1064, .message = wire_text("bad")};
    if (IS("greeting"))
        add_greeting(options, &writer);
    else if (IS("response") || IS("ssl"))
        add_response(options, IS("ssl"), &writer);
    else if (IS("switch"))
        wire_encode_auth_switch(&writer, &request);
    else if (IS("change"))
        wire_encode_change_user(&writer, capabilities, &change);
    else if (IS("ok") || IS("ok+")) {
        ok.status = IS("ok") ? ok.status : more;
        wire_encode_ok(&writer, capabilities, &ok);
    } else if (IS("err"))
        wire_encode_err(&writer, capabilities, &err);
    else if (IS("eof"))
        wire_encode_eof(&writer, capabilities, &eof);
    else if (IS("end") || IS("end+")) {
        eof.status = IS("end") ? eof.status : more;
        wire_encode_rows_end(&writer, capabilities, &eof);
    } else if (IS("column"))
        wire_encode_column_definition(&writer, capabilities, &column);
    else if (IS("account"))
        wire_encode_text_row(&writer, account, 8);
    else if (IS("grant"))
        wire_encode_text_row(&writer, &grant, 1);
    else if (IS("no_grant"))
        wire_encode_text_row(&writer, &no_grant, 1);
    else
        fail_msg("$%.*s is no payload", (int)size, name);
    add_payload(out, &packet);
#undef IS
}

static void read_payload(const struct harness_options *options, const char *text,
                         struct strbuf *out)
{
    char part[4096];
    while (*text) {
        size_t size = strcspn(text, "$"), name = 0;
        assert_true(size < sizeof part);
        memcpy(part, text, size);
        part[size] = 0;
        parse_payload(part, out);
        text += size;
        if (*text != '$')
            continue;
        name = strcspn(text + 1, " \t");
        add_named(options, text + 1, name, out);
        text += 1 + name;
    }
}

/* ---- Steps ---- */

static void do_step(struct run *run, enum step_op op, const void *argument, size_t size)
{
    harness_resume();
    step_do(&run->harness, op, argument, size);
    harness_pause();
}

static void seed_step(struct run *run, enum step_op op, const void *argument, size_t size)
{
    if (size <= UINT16_MAX)
        step_write(op, argument, size, &run->seed);
}

/* Sends what consecutive lines of one side have collected. */
static void send_pending(struct run *run)
{
    harness_resume();
    if (run->pending.size)
        harness_send(&run->harness, run->pending_side, run->pending.data, run->pending.size);
    harness_pause();
    strbuf_reset(&run->pending);
}

static void frame_line(struct run *run, const char *line)
{
    const struct harness_options *options = &run->harness.options;
    enum session_side side = line[0] == 'C' ? SESSION_CLIENT : SESSION_BACKEND;
    bool is_raw = line[1] == '!';
    char *rest = NULL;
    unsigned long sequence = is_raw ? 0 : strtoul(line + 1, &rest, 10);
    struct strbuf payload = STRBUF_INIT, step = STRBUF_INIT;
    read_payload(options, is_raw ? line + 2 : rest, &payload);
    if (run->pending.size && run->pending_side != side)
        send_pending(run);
    run->pending_side = side;
    if (is_raw) {
        strbuf_add(&run->pending, payload.data, payload.size);
        seed_step(run, side == SESSION_CLIENT ? STEP_CLIENT_BYTES : STEP_BACKEND_BYTES,
                  payload.data, payload.size);
    } else {
        step_frame((uint8_t)sequence, payload.data, payload.size, &run->pending);
        strbuf_add_byte(&step, (unsigned char)sequence);
        strbuf_add(&step, payload.data, payload.size);
        seed_step(run, side == SESSION_CLIENT ? STEP_CLIENT_FRAME : STEP_BACKEND_FRAME, step.data,
                  step.size);
    }
    strbuf_release(&payload);
    strbuf_release(&step);
}

static bool has_word(const char *line, const char *word)
{
    const char *at = strstr(line, word);
    size_t size = strlen(word);
    return at && (at == line || at[-1] == ' ') && (at[size] == 0 || at[size] == ' ');
}

static void act_line(struct run *run, const char *line)
{
    const char *name = line + 1 + strspn(line + 1, " ");
    size_t size = strcspn(name, " ");
    int event = puppet_event_find(name, size);
    assert_true(event >= 0);
    unsigned acts = (has_word(name, "refuse") ? PUPPET_REFUSE : 0) |
                    (has_word(name, "fail") ? PUPPET_FAIL : 0) |
                    (has_word(name, "hold") ? PUPPET_HOLD : 0) |
                    (has_word(name, "limit") ? PUPPET_LIMIT : 0) |
                    (has_word(name, "choose") ? PUPPET_CHOOSE : 0) |
                    (has_word(name, "verdict") ? PUPPET_VERDICT : 0) |
                    (has_word(name, "decided") ? PUPPET_VERDICT | PUPPET_DECIDED : 0);
    assert_true(acts);
    uint8_t argument[] = {(uint8_t)event, (uint8_t)acts};
    do_step(run, STEP_ACT, argument, sizeof argument);
    seed_step(run, STEP_ACT, argument, sizeof argument);
}

static void peer_line(struct run *run, const char *line)
{
    uint8_t side = strncmp(line, "backend", 7) == 0 ? 1 : 0;
    const char *what = line + strcspn(line, " ") + 1;
    uint8_t argument[3] = {side, 0, 0};
    size_t size = 1;
    enum step_op op = STEP_END;
    if (strcmp(what, "lost") == 0) {
        op = STEP_LOSE;
    } else if (strcmp(what, "fails") == 0) {
        op = STEP_FAIL;
    } else if (strncmp(what, "takes ", 6) == 0) {
        op = STEP_TAKE;
        unsigned long limit = strtoul(what + 6, NULL, 10);
        size = strcmp(what, "takes all") == 0 ? 1 : 3;
        argument[1] = (uint8_t)limit;
        argument[2] = (uint8_t)(limit >> 8);
    } else {
        assert_string_equal(what, "ends");
    }
    do_step(run, op, argument, size);
    seed_step(run, op, argument, size);
}

static void plain_line(struct run *run, const char *line)
{
    static const struct {
        const char *text;
        enum step_op op;
        uint8_t argument[2];
        size_t size;
    } steps[] = {
        {"give ok", STEP_GIVE, {0}, 1},
        {"give failed", STEP_GIVE, {1}, 1},
        {"give ok elsewhere", STEP_GIVE, {2}, 1},
        {"give failed elsewhere", STEP_GIVE, {3}, 1},
        {"decide ok", STEP_DECIDE, {0, 0}, 2},
        {"decide refuse", STEP_DECIDE, {1, 0}, 2},
        {"decide fail", STEP_DECIDE, {2, 0}, 2},
        {"decide ok elsewhere", STEP_DECIDE, {0, 1}, 2},
        {"decide refuse elsewhere", STEP_DECIDE, {1, 1}, 2},
        {"connected", STEP_CONNECTED, {0}, 0},
        {"connected fails", STEP_CONNECTED, {0}, 1},
        {"secured", STEP_SECURED, {0}, 0},
        {"secured fails", STEP_SECURED, {0}, 1},
        {"work", STEP_WORK, {0}, 1},
        {"work cancelled", STEP_WORK, {1}, 1},
        {"work begins", STEP_WORK, {2}, 1},
        {"worked", STEP_WORK, {3}, 1},
        {"deadline", STEP_DEADLINE, {0}, 0},
        {"drain", STEP_DRAIN, {0}, 0},
        {"close", STEP_CLOSE, {0}, 0},
        {"holds expire", STEP_DEADLINE, {0}, 1},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strcmp(steps[i].text, line) == 0) {
            do_step(run, steps[i].op, steps[i].argument, steps[i].size);
            seed_step(run, steps[i].op, steps[i].argument, steps[i].size);
            return;
        }
    fail_msg("%s: not understood: %s", run->name, line);
}

/* ---- What came ---- */

static void log_payload(struct strbuf *log, enum session_side side, uint8_t sequence,
                        const uint8_t *bytes, size_t size)
{
    struct wire_err err;
    bool is_first = log->size == 0;
    strbuf_printf(log, "%u ", sequence);
    if (is_first && ((side == SESSION_BACKEND && sequence == 1) ||
                     (side == SESSION_CLIENT && size > 30 && bytes[0] == 10))) {
        strbuf_add_text(log, side == SESSION_CLIENT ? "greeting\n" : "response\n");
        return;
    }
    if (side == SESSION_BACKEND && sequence == 0 && size) {
        strbuf_add_text(log, wire_command_name(bytes[0]));
        strbuf_add_text(log, " ");
        bytes++;
        size--;
    } else if (side == SESSION_CLIENT && size && bytes[0] == 0xff &&
               wire_decode_err(bytes, size, &err)) {
        strbuf_printf(log, "err %u %s %.*s\n", err.code, err.sqlstate, (int)err.message.size,
                      err.message.data);
        return;
    } else if (side == SESSION_CLIENT && size >= 5 && size < 16 && bytes[0] == 0) {
        strbuf_add_text(log, "ok\n");
        return;
    } else if (side == SESSION_CLIENT && size >= 5 && size < 9 && bytes[0] == 0xfe) {
        strbuf_add_text(log, "end\n");
        return;
    }
    for (size_t i = 0; i < size && i < 60; i++)
        strbuf_add_byte(log, bytes[i] > ' ' && bytes[i] < 127 ? bytes[i] : i ? ' ' : '.');
    while (log->size && log->data[log->size - 1] == ' ')
        strbuf_cut(log, log->size - 1);
    if (size > 60)
        strbuf_printf(log, "... %zu", size);
    strbuf_add_text(log, "\n");
}

static void log_packets(struct strbuf *log, enum session_side side, const struct strbuf *got)
{
    const uint8_t *bytes = (const uint8_t *)got->data, *end = bytes + got->size;
    while ((size_t)(end - bytes) >= WIRE_HEADER_BYTES &&
           (size_t)(end - bytes) - WIRE_HEADER_BYTES >= wire_frame_length(bytes)) {
        size_t size = wire_frame_length(bytes);
        log_payload(log, side, bytes[3], bytes + WIRE_HEADER_BYTES, size);
        bytes += WIRE_HEADER_BYTES + size;
    }
    if (bytes < end)
        strbuf_printf(log, "cut after %zu\n", (size_t)(end - bytes));
}

static void compare(const struct run *run, const char *what, const struct strbuf *expected,
                    const struct strbuf *came)
{
    if (strcmp(expected->data, came->data) == 0)
        return;
    fail_msg("%s: %s:\n--- expected\n%s--- came\n%s---", run->name, what, expected->data,
             came->data);
}

static void compare_all(struct run *run)
{
    struct strbuf client = STRBUF_INIT, backend = STRBUF_INIT;
    log_packets(&client, SESSION_CLIENT, &run->harness.peers[SESSION_CLIENT].got);
    log_packets(&backend, SESSION_BACKEND, &run->harness.peers[SESSION_BACKEND].got);
    if (run->harness.peers[SESSION_BACKEND].is_finished)
        strbuf_add_text(&backend, "end\n");
    if (run->harness.peers[SESSION_BACKEND].is_broken_off)
        strbuf_add_text(&backend, "reset\n");
    compare(run, "events", &run->expected.events, &run->harness.puppet.log);
    compare(run, "the client", &run->expected.client, &client);
    compare(run, "the backend", &run->expected.backend, &backend);
    strbuf_release(&client);
    strbuf_release(&backend);
}

/* ---- Lines ---- */

static const char *reason_name(enum close_reason reason)
{
    static const char *const names[] = {
#define X(enumerator, is_error, message) #enumerator,
        CLOSE_REASONS(X)
#undef X
    };
    return names[reason] + strlen("CLOSE_");
}

static void check_line(const struct run *run, const char *line)
{
    if (run->is_unchecked)
        return;
    const struct harness *harness = &run->harness;
    if (line[0] == '=')
        assert_string_equal(line + 2, harness->is_over ? "over" : harness->state);
    else if (!harness->is_over)
        fail_msg("%s: is not over, but %s (%s)", run->name, harness->state,
                 reason_name(harness->reason));
    else
        assert_string_equal(line + 5, reason_name(harness->reason));
}

static bool expectation_line(struct run *run, const char *line)
{
    struct strbuf *channel = NULL;
    if (line[1] != ' ')
        return false;
    if (line[0] == 'c')
        channel = &run->expected.client;
    if (line[0] == 'b')
        channel = &run->expected.backend;
    if (line[0] == 'e')
        channel = &run->expected.events;
    if (channel)
        strbuf_printf(channel, "%s\n", line + 2);
    return channel != NULL;
}

static void one_line(struct run *run, char *line)
{
    line += strspn(line, " ");
    for (size_t size = strlen(line); size && line[size - 1] == ' '; size--)
        line[size - 1] = 0;
    if (!*line || *line == '#' || expectation_line(run, line))
        return;
    if ((line[0] == 'C' || line[0] == 'S') && strchr("0123456789!", line[1])) {
        frame_line(run, line);
        return;
    }
    send_pending(run);
    if (line[0] == '=' || strncmp(line, "over ", 5) == 0)
        check_line(run, line);
    else if (line[0] == '!')
        act_line(run, line);
    else if (strncmp(line, "client ", 7) == 0 || strncmp(line, "backend ", 8) == 0)
        peer_line(run, line);
    else
        plain_line(run, line);
}

/* ---- Splits ---- */

static size_t split_bytes(struct harness *harness, size_t size)
{
    (void)harness, (void)size;
    return 1;
}

static size_t split_random(struct harness *harness, size_t size)
{
    return 1 + (size_t)rand_r(&harness->seed) % (size < 40 ? size : 40);
}

static void write_seed(const struct run *run)
{
    const char *folder = getenv("WEIR_SEEDS");
    char path[512];
    if (!folder)
        return;
    snprintf(path, sizeof path, "%s/%s", folder, run->name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(run->seed.data, 1, run->seed.size, file);
    fclose(file);
}

/* split: -1 whole, 0 single bytes, else at random, from this seed. starving: which allocation fails.
 * Returns how many there were. */
static size_t run_once(const char *name, const char *lines, const struct script_options *options,
                       int split, size_t starving)
{
    struct run run = {.name = name,
                      .is_unchecked = options->unchecked && starving,
                      .pending = STRBUF_INIT,
                      .seed = STRBUF_INIT,
                      .expected = {STRBUF_INIT, STRBUF_INIT, STRBUF_INIT}};
    struct harness_options harness = options->harness;
    char *copy = strdup(lines), *position = NULL;
    if (!harness.capabilities)
        harness.capabilities = STEP_MODERN;
    step_options_write(&harness, &run.seed);
    strbuf_add_byte(&run.seed, 0); /* how the fuzzer cuts reads */
    harness_begin(&run.harness, &harness);
    run.harness.seed = (unsigned)split;
    run.harness.split = split < 0 ? NULL : split == 0 ? split_bytes : split_random;
    starve_at(starving);
    for (char *line = strtok_r(copy, "\n", &position); line; line = strtok_r(NULL, "\n", &position))
        one_line(&run, line);
    send_pending(&run);
    size_t allocations = starve_count();
    starve_at(0);
    if (!options->unchecked)
        compare_all(&run);
    if (split < 0)
        write_seed(&run);
    harness_finish(&run.harness);
    free(copy);
    strbuf_release(&run.pending);
    strbuf_release(&run.seed);
    strbuf_release(&run.expected.client);
    strbuf_release(&run.expected.backend);
    strbuf_release(&run.expected.events);
    return allocations;
}

void script_run(const char *name, const char *lines, const struct script_options *options)
{
    log_set_level(LOG_LEVEL_ERROR);
    run_once(name, lines, options, -1, 0);
    if (options->whole_only)
        return;
    for (int split = 0; split <= RANDOM_RUNS; split++)
        run_once(name, lines, options, split, 0);
}

void script_starve(const char *name, const char *lines, const struct script_options *options)
{
    struct script_options starved = *options;
    starved.unchecked = true;
    log_set_level(LOG_LEVEL_ERROR);
    harness_pause = starve_pause;
    harness_resume = starve_resume;
    if (options->whole_only) /* its bytes would be too many */
        return;
    size_t allocations = run_once(name, lines, &starved, 3, 0);
    for (size_t i = 1; i <= allocations; i++)
        run_once(name, lines, &starved, 3, i);
}
