/* SPDX-License-Identifier: Apache-2.0
 *
 * A session between two peers and a plugin that do whatever they like: raw bytes of both sides or
 * whole packets, in any cut, verdicts at once, late or never, losses, deadlines, drains, sends that
 * take a part.
 *
 * Input: options, a byte that says how reads are cut, then steps (tests/unit/session/step.h) and
 * blocks (blocks.h). Asserted, besides what the harness, its plugin and its witness assert (the
 * events' order and number, that replies answer the commands they follow, bounded memory, nothing
 * left behind):
 *
 *   - nothing of a refused statement reaches the backend
 *   - the end of a result reaches the client only after its Completed
 *   - how reads are cut changes nothing of the events, where no plugin holds anything */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MARKS = 256, STEPS_MAX = 400 };

struct mark {
    char text[BLOCK_MARK_BYTES];
};

struct world {
    struct harness harness;
    struct blocks blocks;
    struct mark refused[MARKS], judged[PUPPET_HOLDS]; /* judged: by a verdict that is out */
    size_t refused_count, judged_count;
    bool depends_on_time; /* on when something is read, or sent */
};

/* Written out: libFuzzer learns from what memmem() looks for. */
static bool is_in(const struct strbuf *bytes, const char mark[BLOCK_MARK_BYTES])
{
    for (size_t i = 0; i + BLOCK_MARK_BYTES <= bytes->size; i++) {
        size_t same = 0;
        while (same < BLOCK_MARK_BYTES && bytes->data[i + same] == mark[same])
            same++;
        if (same == BLOCK_MARK_BYTES)
            return true;
    }
    return false;
}

/* The mark in a text: a letter, and seven digits. */
static bool find_mark(weir_string text, char letter, struct mark *mark)
{
    for (size_t i = 0; i + BLOCK_MARK_BYTES <= text.size; i++) {
        size_t digits = 0;
        if (text.data[i] != letter)
            continue;
        while (digits < 7 && text.data[i + 1 + digits] >= '0' && text.data[i + 1 + digits] <= '9')
            digits++;
        if (digits == 7) {
            memcpy(mark->text, text.data + i, BLOCK_MARK_BYTES);
            return true;
        }
    }
    return false;
}

/* ---- What the plugin sees ---- */

static void note_refusal(struct world *world, unsigned acts, weir_session *session)
{
    bool fails = acts & PUPPET_FAIL && !world->harness.options.lenient;
    uint64_t command = plugin_host.number(session, WEIR_NUMBER_command_code);
    struct mark mark;
    memset(&mark, 0, sizeof mark);
    if (command == WIRE_COM_QUERY || command == WIRE_COM_STMT_PREPARE)
        find_mark(plugin_host.text(session, WEIR_TEXT_sql), 'q', &mark);
    if ((acts & PUPPET_REFUSE || fails) && mark.text[0] && world->refused_count < MARKS)
        world->refused[world->refused_count++] = mark;
    if (acts & PUPPET_VERDICT && world->judged_count < PUPPET_HOLDS)
        world->judged[world->judged_count++] = mark;
}

static void watch(void *watcher, enum puppet_event event, unsigned acts, weir_session *session)
{
    struct world *world = watcher;
    struct mark mark;
    if (event == PUPPET_PRE_PARSE || event == PUPPET_STARTING)
        note_refusal(world, acts, session);
    if (event == PUPPET_PRE_AUTH && acts & PUPPET_VERDICT && world->judged_count < PUPPET_HOLDS)
        memset(&world->judged[world->judged_count++], 0, sizeof(struct mark));
    if (event == PUPPET_COMPLETED &&
        find_mark(plugin_host.text(session, WEIR_TEXT_message), 'r', &mark))
        assert(!is_in(&world->harness.peers[SESSION_CLIENT].got, mark.text));
}

/* The oldest verdict is about to be decided. */
static void note_decision(struct world *world, uint8_t verdict)
{
    bool fails = verdict % 3 == 2 && !world->harness.options.lenient;
    if (world->harness.puppet.verdict_count == 0 || world->judged_count == 0)
        return;
    /* Those that were decided within their event are gone from the puppet's list. */
    size_t gone = world->judged_count - world->harness.puppet.verdict_count;
    struct mark mark = world->judged[gone];
    memmove(world->judged, world->judged + gone + 1,
            (world->judged_count - gone - 1) * sizeof mark);
    world->judged_count -= gone + 1;
    if ((verdict % 3 == 1 || fails) && mark.text[0] && world->refused_count < MARKS)
        world->refused[world->refused_count++] = mark;
}

/* ---- Running ---- */

/* seed 0: whole; a multiple of 8: single bytes. */
static size_t cut(struct harness *harness, size_t size)
{
    if (harness->seed == 0)
        return size;
    if (harness->seed % 8 == 0)
        return 1;
    harness->seed = (harness->seed * 1103515245U + 12345U) | 1;
    size_t most = size < 64 ? size : 64;
    return 1 + (harness->seed >> 16) % most;
}

static void one_step(struct world *world, unsigned op, const uint8_t *argument, size_t size)
{
    const unsigned holds = PUPPET_HOLD | PUPPET_VERDICT | PUPPET_DECIDED;
    /* Rows for a client that has gone end the session, unless the end of the result has come along with them. */
    const bool is_client = size == 0 || argument[0] % 2 == SESSION_CLIENT;
    if (op == STEP_TAKE || op == STEP_FAIL || ((op == STEP_LOSE || op == STEP_END) && is_client) ||
        (op == STEP_ACT && size > 1 &&
         (argument[1] & holds || argument[0] % PUPPET_EVENT_COUNT == PUPPET_DISCONNECT)))
        world->depends_on_time = true;
    if (op == STEP_DECIDE)
        note_decision(world, size ? argument[0] : 0);
    if (op < STEP_COUNT)
        step_do(&world->harness, (enum step_op)op, argument, size);
    else
        block_do(&world->blocks, op, argument, size);
}

static void check_refused(const struct world *world)
{
    for (size_t i = 0; i < world->refused_count; i++)
        assert(!is_in(&world->harness.peers[SESSION_BACKEND].got, world->refused[i].text));
}

/* A backend that greets first may say why it goes, or go, before the client has said all that it
 * says: then it depends on the cuts who was turned away. */
static bool may_have_interrupted(const uint8_t *data, enum close_reason reason)
{
    struct harness_options options;
    step_options_read(data, &options);
    return options.backend_first &&
           (reason == CLOSE_BACKEND_REJECTED || reason == CLOSE_BACKEND_UNREACHABLE);
}

/* Returns the events, owned; *reason: why it ended. */
static char *run(const uint8_t *data, size_t size, unsigned seed, enum close_reason *reason,
                 bool *depends_on_time)
{
    struct world *world = calloc(1, sizeof *world);
    struct harness_options options;
    const uint8_t *bytes = data + STEP_OPTION_BYTES + 1, *end = data + size, *argument = NULL;
    enum step_op op;
    size_t argument_size = 0;
    assert(world);
    step_options_read(data, &options);
    options.max_command_bytes = 1 << 14;
    options.max_prepared_bytes = 1 << 10;
    harness_begin(&world->harness, &options);
    world->harness.split = cut;
    world->harness.seed = seed;
    world->harness.puppet.watch = watch;
    world->harness.puppet.watcher = world;
    world->blocks.harness = &world->harness;
    world->judged_count = world->harness.puppet.verdict_count; /* of PreConnect: no mark */
    for (int i = 0; i < STEPS_MAX && bytes < end; i++) {
        unsigned which = *bytes % BLOCK_END;
        if (!step_read(&bytes, end, &op, &argument, &argument_size))
            break;
        one_step(world, which, argument, argument_size);
    }
    check_refused(world);
    harness_close(&world->harness);
    char *events = strdup(world->harness.puppet.log.data);
    *reason = world->harness.reason;
    *depends_on_time = world->depends_on_time;
    harness_finish(&world->harness);
    free(world);
    return events;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum close_reason whole_reason, cut_reason;
    bool depends_on_time = false;
    if (size < STEP_OPTION_BYTES + 1 || size > 1 << 15)
        return 0;
    static bool is_quiet;
    struct error error;
    is_quiet = is_quiet || log_open("/dev/null", &error) == 0;
    char *whole = run(data, size, 0, &whole_reason, &depends_on_time);
    char *parts = run(data, size, 1U + data[STEP_OPTION_BYTES], &cut_reason, &depends_on_time);
    /* What answers no command, an error too, ends the session or not by when it comes. */
    bool is_broken = whole_reason == CLOSE_BACKEND_PROTOCOL ||
                     cut_reason == CLOSE_BACKEND_PROTOCOL || whole_reason == CLOSE_BACKEND_GONE ||
                     cut_reason == CLOSE_BACKEND_GONE || may_have_interrupted(data, whole_reason) ||
                     may_have_interrupted(data, cut_reason);
    const bool is_alike = depends_on_time || is_broken || strcmp(whole, parts) == 0;
    if (!is_alike)
        fprintf(stderr, "read whole:\n%s\nread in parts:\n%s\n", whole, parts);
    assert(is_alike);
    free(whole);
    free(parts);
    return 0;
}
