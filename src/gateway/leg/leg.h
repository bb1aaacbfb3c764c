/* SPDX-License-Identifier: Apache-2.0
 *
 * leg: one side of a session: the way to its peer, and the bytes that wait on it.
 *
 *     peer ◄─► filters (socket, TLS ...) ─► input ─► the session
 *                                        ◄─ output ◄─
 *
 * A session has two, one to its client and one to the backend. Each has its own sequence numbers
 * and its own capabilities. A leg knows its filters by their interface only, so that a test runs one
 * in memory; the filters that own sockets are those of the room net.
 *
 * Output is either borrowed (bytes that just came in on the other leg and go on as they are) or kept
 * in `out`. leg_flush() hands both to the filters; what the peer does not take is kept, and the
 * session stops reading from the other side until it is gone. Memory is bounded by one read, and an
 * idle leg owns none.
 *
 *     out:   [ sent | may be sent ... | held back until leg_uncork() ... ]
 *            0     sent             cork.at                          size
 *
 * One thread. */
#ifndef WEIR_GATEWAY_LEG_LEG_H
#define WEIR_GATEWAY_LEG_LEG_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "wire/wire.h"

struct leg;
struct filter;

/* How bytes get through. receive and send return how many bytes went; 0 when none did now, after
 * leg->ended or leg_fail() where that is why. A filter calls the one below it. */
struct filter_type {
    const char *name;
    size_t (*receive)(struct filter *filter, struct leg *leg, uint8_t *bytes, size_t size);
    size_t (*send)(struct filter *filter, struct leg *leg, const uint8_t *bytes, size_t size);
    /* Whether a receive would give bytes that the socket below will not announce. NULL: never. */
    bool (*has_buffered)(const struct filter *filter);
    void (*finish)(struct filter *filter, struct leg *leg); /* nothing more will be sent */
    void (*break_off)(struct filter *filter);               /* its close is to be a reset */
    void (*close)(struct filter *filter);                   /* frees it; not those below */
};

/* The start of every filter. */
struct filter {
    const struct filter_type *type;
    struct filter *below; /* NULL: this one owns the peer's socket */
};

struct leg {
    struct filter *top; /* NULL: not open */
    uint64_t capabilities;
    uint8_t sequence;   /* number of the next packet that the peer expects */
    bool is_mid_packet; /* a part of a packet was sent: nothing else may come in between */
    bool ended;         /* the peer has sent its last byte */
    bool failed;        /* an error was met; nothing more is read or written */
    bool is_deaf;       /* the peer takes nothing more; what it has sent before can still be read */
    int error;          /* errno of either */
    bool is_finished;   /* the peer was told that nothing more will be sent */
    bool is_corked;

    const uint8_t *borrowed; /* output that comes after `out` is empty; NULL: none */
    size_t borrowed_size;
    struct strbuf out;
    size_t sent;
    struct {
        size_t at; /* offset in out */
        uint8_t sequence;
        bool is_mid_packet;
    } cork;

    const uint8_t *pos, *end; /* input: in `kept`, or borrowed until leg_keep_input() */
    struct strbuf kept;
};

void leg_init(struct leg *leg);
void leg_release(struct leg *leg); /* closes it, too */

/* ---- The filters ---- */

/* Puts a filter (takes it) on top of those that are there. */
void leg_push(struct leg *leg, struct filter *filter);

static inline bool leg_is_open(const struct leg *leg)
{
    return leg->top != NULL;
}

/* Reads at most size bytes. 0: nothing now, or ended, or failed (look at the flags). */
static inline size_t leg_receive(struct leg *leg, uint8_t *bytes, size_t size)
{
    if (!leg->top || leg->failed || leg->ended || size == 0)
        return 0;
    return leg->top->type->receive(leg->top, leg, bytes, size);
}

/* Writes what may be written, and keeps the rest: nothing is borrowed afterwards. */
void leg_flush_now(struct leg *leg);
static inline void leg_flush(struct leg *leg)
{
    if (leg->borrowed || leg->out.size)
        leg_flush_now(leg);
}

static inline bool leg_has_buffered(const struct leg *leg)
{
    return leg->top && leg->top->type->has_buffered && !leg->failed && !leg->ended &&
           leg->top->type->has_buffered(leg->top);
}

/* Tells the peer, once, that nothing more will be sent. */
void leg_finish(struct leg *leg);

/* From now on closing it is seen by the peer as a reset, where its kind of socket can do that. */
void leg_break_off(struct leg *leg);

/* Marks the leg as failed, for good; for filters. */
void leg_fail(struct leg *leg, int error);

/* The same where sending has failed: a peer that has closed may have said why before. Output is
 * dropped from now on, and input goes on until it ends or fails. */
void leg_fail_sending(struct leg *leg, int error);

/* Closes all filters; output and input are dropped. */
void leg_close(struct leg *leg);

/* Closes it and makes it fit for another peer; the capabilities stay. */
void leg_reset(struct leg *leg);

/* ---- Output ---- */

/* Adds bytes: copied, or borrowed until leg_flush(). sequence is the number of the next packet
 * after them; is_mid_packet: they end within a packet. Both do nothing on a leg that is not open. */
void leg_write(struct leg *leg, const void *bytes, size_t size, uint8_t sequence);
void leg_pass(struct leg *leg, const void *bytes, size_t size, uint8_t sequence,
              bool is_mid_packet);

/* The input that `from` keeps is about to go: what this leg borrows of it is kept here. */
void leg_keep_output(struct leg *leg, struct leg *from);

/* Sets the number of the next packet: the peer has sent one. */
static inline void leg_set_sequence(struct leg *leg, uint8_t sequence)
{
    leg->sequence = sequence;
}

/* Bytes that wait for the peer to take them. */
static inline size_t leg_pending(const struct leg *leg)
{
    return (leg->is_corked ? leg->cork.at : leg->out.size) - leg->sent + leg->borrowed_size;
}

/* The same with what is collected. */
static inline size_t leg_unsent(const struct leg *leg)
{
    return leg->out.size - leg->sent + leg->borrowed_size;
}

/* From now on output is collected and not sent; then it is let go, or dropped as if it had never
 * been written. */
void leg_cork(struct leg *leg);
void leg_uncork(struct leg *leg);
void leg_drop_corked(struct leg *leg);

/* ---- Input ---- */

static inline size_t leg_input_size(const struct leg *leg)
{
    return (size_t)(leg->end - leg->pos);
}

/* Asserts the invariants. */
static inline void leg_check(const struct leg *leg)
{
    assert(leg->sent <= leg->out.size && leg->pos <= leg->end);
    assert(!leg->is_corked || (!leg->borrowed && leg->cork.at <= leg->out.size));
    assert(leg->kept.size == 0 || leg->pos == leg->end ||
           leg->end == (const uint8_t *)leg->kept.data + leg->kept.size);
}

/* Where the next input is best read to: after the input that is kept, so that a long packet is not
 * copied again. `wanted` bytes, if any. NULL: there is no memory. Something must be kept. */
uint8_t *leg_input_room(struct leg *leg, size_t wanted);

/* More input where some is kept already. */
WEIR_MUST_CHECK bool leg_offer_more(struct leg *leg, const uint8_t *bytes, size_t size);

/* Bytes have come; they are borrowed until leg_keep_input(), unless they lie in leg_input_room().
 * false: no memory. */
WEIR_MUST_CHECK static inline bool leg_offer(struct leg *leg, const uint8_t *bytes, size_t size)
{
    if (leg->kept.size)
        return leg_offer_more(leg, bytes, size);
    assert(leg->pos == leg->end);
    leg->pos = bytes;
    leg->end = bytes + size;
    return true;
}

/* The first size bytes of the input are dealt with. */
static inline void leg_take(struct leg *leg, size_t size)
{
    assert(size <= leg_input_size(leg));
    leg->pos += size;
}

/* Copies what is borrowed and not dealt with. false: no memory. */
WEIR_MUST_CHECK bool leg_keep_input_now(struct leg *leg);
WEIR_MUST_CHECK static inline bool leg_keep_input(struct leg *leg)
{
    return (leg->pos == leg->end && leg->kept.size == 0) || leg_keep_input_now(leg);
}

void leg_drop_input(struct leg *leg);

#endif
