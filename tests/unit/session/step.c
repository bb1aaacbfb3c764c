/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps as bytes, and carried out. */
#include "step.h"

#include <string.h>

/* ---- Options ---- */

void step_options_write(const struct harness_options *options, struct strbuf *out)
{
    unsigned bits = 0;
#define X(bit, name) bits |= options->name ? 1U << (bit) : 0;
    STEP_OPTION_BITS(X)
#undef X
    strbuf_add_byte(out, (unsigned char)bits);
    strbuf_add_byte(out, (unsigned char)(bits >> 8));
    strbuf_add_byte(out, (options->capabilities & WIRE_CAP(CLIENT_DEPRECATE_EOF) ? 1 : 0) |
                             (options->missing ? 2 : 0));
}

void step_options_read(const uint8_t bytes[STEP_OPTION_BYTES], struct harness_options *options)
{
    unsigned bits = (unsigned)bytes[0] | (unsigned)bytes[1] << 8;
    *options = (struct harness_options){0};
#define X(bit, name) options->name = bits >> (bit)&1;
    STEP_OPTION_BITS(X)
#undef X
    options->capabilities = bytes[2] & 1 ? STEP_MODERN : STEP_CLASSIC;
    options->missing = bytes[2] & 2 ? WIRE_CAP(CLIENT_LOCAL_FILES) : 0;
}

/* ---- Bytes ---- */

void step_write(enum step_op op, const void *argument, size_t size, struct strbuf *out)
{
    strbuf_add_byte(out, (unsigned char)op);
    strbuf_add_byte(out, (unsigned char)size);
    strbuf_add_byte(out, (unsigned char)(size >> 8));
    strbuf_add(out, argument, size);
}

bool step_read(const uint8_t **bytes, const uint8_t *end, enum step_op *op,
               const uint8_t **argument, size_t *size)
{
    size_t left = (size_t)(end - *bytes);
    if (left < 3)
        return false;
    *op = (enum step_op)((*bytes)[0] % STEP_COUNT);
    *size = (size_t)(*bytes)[1] | (size_t)(*bytes)[2] << 8;
    if (*size > left - 3)
        *size = left - 3;
    *argument = *bytes + 3;
    *bytes += 3 + *size;
    return true;
}

void step_frame(uint8_t sequence, const void *payload, size_t size, struct strbuf *out)
{
    for (int i = 0; i < 3; i++)
        strbuf_add_byte(out, (unsigned char)(size >> (8 * i)));
    strbuf_add_byte(out, sequence);
    strbuf_add(out, payload, size);
}

/* ---- Doing ---- */

static void send_frame(struct harness *harness, enum session_side side, const uint8_t *argument,
                       size_t size)
{
    struct strbuf frame = STRBUF_INIT;
    if (size)
        step_frame(argument[0], argument + 1, size - 1, &frame);
    harness_send(harness, side, frame.data, frame.size);
    strbuf_release(&frame);
}

static enum session_side side_of(uint8_t byte)
{
    return byte & 1 ? SESSION_BACKEND : SESSION_CLIENT;
}

/* One or two small arguments; zero where there is none. */
static void do_small(struct harness *harness, enum step_op op, uint8_t first, uint8_t second,
                     size_t limit)
{
    static const weir_verdict verdicts[] = {WEIR_OK, WEIR_REFUSE, WEIR_FAIL};
    switch (op) {
    case STEP_ACT:
        harness->puppet.acts[first % PUPPET_EVENT_COUNT] = second & PUPPET_MASK;
        break;
    case STEP_GIVE:
        puppet_give_back(&harness->puppet, !(first & 1), first & 2);
        harness_go_on(harness);
        break;
    case STEP_DECIDE:
        puppet_decide(&harness->puppet, verdicts[first % 3], second & 1);
        harness_go_on(harness);
        break;
    case STEP_END:
        harness_end_of(harness, side_of(first));
        break;
    case STEP_LOSE:
        harness_lose(harness, side_of(first));
        break;
    case STEP_TAKE:
        harness_take(harness, side_of(first), limit);
        break;
    case STEP_FAIL:
        harness->peers[side_of(first)].fails = true;
        break;
    default:
        break;
    }
}

void step_do(struct harness *harness, enum step_op op, const uint8_t *argument, size_t size)
{
    uint8_t first = size ? argument[0] & 3 : 0;
    const char *error = size ? "it does not work" : NULL;
    size_t limit = size > 2 ? (size_t)argument[1] | (size_t)argument[2] << 8 : SIZE_MAX;
    switch (op) {
    case STEP_CLIENT_FRAME:
        send_frame(harness, SESSION_CLIENT, argument, size);
        break;
    case STEP_BACKEND_FRAME:
        send_frame(harness, SESSION_BACKEND, argument, size);
        break;
    case STEP_CLIENT_BYTES:
        harness_send(harness, SESSION_CLIENT, argument, size);
        break;
    case STEP_BACKEND_BYTES:
        harness_send(harness, SESSION_BACKEND, argument, size);
        break;
    case STEP_CONNECTED:
        harness_connected(harness, error);
        break;
    case STEP_SECURED:
        harness_secured(harness, error);
        break;
    case STEP_WORK:
        if (first != 3)
            harness_begin_work(harness);
        if (first != 2)
            harness_worked(harness, first == 1);
        break;
    case STEP_DEADLINE:
        if (size)
            harness_expire_holds(harness);
        else
            harness_deadline(harness);
        break;
    case STEP_DRAIN:
        harness_drain(harness);
        break;
    case STEP_CLOSE:
        harness_close(harness);
        break;
    default:
        do_small(harness, op, size ? argument[0] : 0, size > 1 ? argument[1] : 0, limit);
        break;
    }
}
