/* SPDX-License-Identifier: Apache-2.0
 *
 * A leg's cursors. Invariants (leg_check()): sent <= out.size; a corked leg borrows no output, and
 * its mark lies within out; input lies wholly in `kept` or wholly outside. */
#include "gateway/leg/leg.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

void leg_init(struct leg *leg)
{
    *leg = (struct leg){0};
    strbuf_init(&leg->out);
    strbuf_init(&leg->kept);
}

void leg_release(struct leg *leg)
{
    leg_close(leg);
}

/* ---- The filters ---- */

void leg_push(struct leg *leg, struct filter *filter)
{
    assert(filter && filter->type && !filter->below);
    filter->below = leg->top;
    leg->top = filter;
}

void leg_fail_sending(struct leg *leg, int error)
{
    leg->is_deaf = true;
    leg->error = error;
    leg->borrowed = NULL;
    leg->borrowed_size = 0;
    strbuf_release(&leg->out);
    leg->sent = 0;
    leg->cork.at = 0;
}

void leg_fail(struct leg *leg, int error)
{
    leg_fail_sending(leg, error);
    leg->failed = true;
}

void leg_finish(struct leg *leg)
{
    if (!leg->top || leg->is_deaf || leg->is_finished)
        return;
    leg->is_finished = true;
    leg->top->type->finish(leg->top, leg);
}

void leg_break_off(struct leg *leg)
{
    if (leg->top)
        leg->top->type->break_off(leg->top);
    leg->is_finished = true; /* without a farewell */
}

void leg_close(struct leg *leg)
{
    while (leg->top) {
        struct filter *filter = leg->top;
        leg->top = filter->below;
        filter->type->close(filter);
    }
    leg->borrowed = NULL;
    leg->borrowed_size = 0;
    leg->is_corked = false;
    leg->sent = 0;
    strbuf_release(&leg->out);
    leg_drop_input(leg);
}

void leg_reset(struct leg *leg)
{
    const uint64_t capabilities = leg->capabilities;
    leg_close(leg);
    leg_init(leg);
    leg->capabilities = capabilities;
}

/* ---- Output ---- */

static void keep_output(struct leg *leg, const void *bytes, size_t size)
{
    strbuf_add(&leg->out, bytes, size);
    if (leg->out.failed)
        leg_fail(leg, ENOMEM);
}

/* What is borrowed is kept after what is kept already. */
static void keep_borrowed(struct leg *leg)
{
    const uint8_t *bytes = leg->borrowed;
    leg->borrowed = NULL;
    if (bytes)
        keep_output(leg, bytes, leg->borrowed_size);
    leg->borrowed_size = 0;
}

void leg_write(struct leg *leg, const void *bytes, size_t size, uint8_t sequence)
{
    leg_set_sequence(leg, sequence);
    leg->is_mid_packet = false;
    if (!leg->top || leg->is_deaf || size == 0)
        return;
    keep_borrowed(leg);
    keep_output(leg, bytes, size);
}

void leg_pass(struct leg *leg, const void *bytes, size_t size, uint8_t sequence, bool is_mid_packet)
{
    if (leg->is_corked || leg->borrowed || leg->out.size) {
        leg_write(leg, bytes, size, sequence);
    } else {
        leg_set_sequence(leg, sequence);
        if (leg->top && !leg->is_deaf && size) {
            leg->borrowed = bytes;
            leg->borrowed_size = size;
        }
    }
    leg->is_mid_packet = is_mid_packet;
}

static bool borrows_from(const struct leg *leg, const struct leg *from)
{
    const uint8_t *kept = (const uint8_t *)from->kept.data;
    return leg->borrowed && from->kept.size && leg->borrowed >= kept &&
           leg->borrowed < kept + from->kept.size;
}

/* Without a copy where the memory can change hands: a long command was collected there. */
void leg_keep_output(struct leg *leg, struct leg *from)
{
    if (!borrows_from(leg, from))
        return;
    const uint8_t *kept = (const uint8_t *)from->kept.data;
    bool is_last = leg->borrowed + leg->borrowed_size == kept + from->kept.size;
    if (!is_last || from->pos != from->end || leg->out.size || from->kept.failed) {
        keep_borrowed(leg);
        return;
    }
    strbuf_release(&leg->out);
    leg->sent = (size_t)(leg->borrowed - kept);
    leg->out = from->kept;
    leg->borrowed = NULL;
    leg->borrowed_size = 0;
    strbuf_init(&from->kept);
    from->pos = from->end = NULL;
}

/* The end in `out` of what may be sent. */
static size_t sendable(const struct leg *leg)
{
    return leg->is_corked ? leg->cork.at : leg->out.size;
}

static void flush_kept(struct leg *leg)
{
    const size_t end = sendable(leg);
    while (!leg->is_deaf && leg->sent < end) {
        size_t done = leg->top->type->send(leg->top, leg, (uint8_t *)leg->out.data + leg->sent,
                                           end - leg->sent);
        if (done == 0)
            break;
        leg->sent += done;
    }
    if (!leg->is_deaf && leg->sent > 0 && leg->sent == leg->out.size) {
        strbuf_release(&leg->out);
        leg->sent = 0;
        leg->cork.at = 0;
    }
}

void leg_flush_now(struct leg *leg)
{
    if (!leg->top)
        return;
    if (leg->out.size)
        flush_kept(leg);
    if (leg->is_deaf || !leg->borrowed)
        return;
    if (leg->out.size == 0) {
        size_t done = leg->top->type->send(leg->top, leg, leg->borrowed, leg->borrowed_size);
        if (leg->is_deaf)
            return;
        leg->borrowed += done;
        leg->borrowed_size -= done;
    }
    if (leg->borrowed_size)
        keep_borrowed(leg);
    leg->borrowed = NULL;
}

void leg_cork(struct leg *leg)
{
    leg_check(leg);
    if (leg->is_corked)
        return;
    keep_borrowed(leg);
    leg->is_corked = true;
    leg->cork.at = leg->out.size;
    leg->cork.sequence = leg->sequence;
    leg->cork.is_mid_packet = leg->is_mid_packet;
}

void leg_uncork(struct leg *leg)
{
    leg_check(leg);
    leg->is_corked = false;
}

void leg_drop_corked(struct leg *leg)
{
    assert(leg->is_corked);
    leg->is_corked = false;
    if (leg->cork.at == 0)
        strbuf_release(&leg->out);
    else
        leg->out.size = leg->cork.at;
    leg->is_mid_packet = leg->cork.is_mid_packet;
    leg_set_sequence(leg, leg->cork.sequence);
}

/* ---- Input ---- */

/* Moves what is kept to the start of its memory, before more is added. */
static void compact(struct leg *leg)
{
    const size_t done = (size_t)(leg->pos - (const uint8_t *)leg->kept.data);
    strbuf_consume(&leg->kept, done);
}

/* The input is what is kept. */
static void show_kept(struct leg *leg)
{
    leg->pos = (const uint8_t *)leg->kept.data;
    leg->end = leg->pos + leg->kept.size;
}

uint8_t *leg_input_room(struct leg *leg, size_t wanted)
{
    assert(leg->kept.size);
    compact(leg);
    const bool ok = strbuf_reserve(&leg->kept, wanted);
    show_kept(leg);
    return ok ? (uint8_t *)leg->kept.data + leg->kept.size : NULL;
}

bool leg_offer_more(struct leg *leg, const uint8_t *bytes, size_t size)
{
    leg_check(leg);
    if (bytes == (const uint8_t *)leg->kept.data + leg->kept.size) {
        assert(size <= leg->kept.capacity - leg->kept.size);
        leg->kept.size += size;
        leg->kept.data[leg->kept.size] = 0;
        leg->end += size;
        return true;
    }
    compact(leg);
    strbuf_add(&leg->kept, bytes, size);
    show_kept(leg);
    return !leg->kept.failed;
}

bool leg_keep_input_now(struct leg *leg)
{
    leg_check(leg);
    if (leg->pos == leg->end) {
        leg_drop_input(leg);
    } else if (leg->kept.size == 0) {
        strbuf_add(&leg->kept, leg->pos, leg_input_size(leg));
        show_kept(leg);
    }
    return !leg->kept.failed;
}

void leg_drop_input(struct leg *leg)
{
    strbuf_release(&leg->kept);
    leg->pos = leg->end = NULL;
}
