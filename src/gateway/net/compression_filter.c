/* SPDX-License-Identifier: Apache-2.0
 *
 * Compression as a filter: what is sent becomes frames, one at most in memory; what is received is read
 * from frames, one at a time, so that many small ones that inflate to much are no more than one.
 *
 * Frames are numbered through an exchange in both directions, apart from the packets inside of them. An
 * exchange begins with a packet whose own number does not follow the last one's: then its frame takes the
 * packet's number. So replies to commands that were sent ahead are numbered as a server would.
 *
 * send() reports bytes once their frame has gone to the filter below, as TLS does: until then the leg
 * keeps them, and offers them again. An idle filter owns no memory but its struct. */
#include "gateway/net/compression_filter.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

#define FRAME_BYTES 65536 /* most bytes of one frame that is sent */
#define READ_BYTES  16384 /* of one read from below */

/* Where one direction is within its packets. */
struct cursor {
    uint8_t header[WIRE_HEADER_BYTES];
    size_t header_size;
    size_t left; /* of the packet's payload */
};

struct compression_filter {
    struct filter filter; /* first: for leg_push() */
    struct leg *leg;
    struct compression_settings settings;
    struct inflater *inflater;
    uint8_t next_frame, next_packet; /* numbers that go on with the exchange */
    bool begins_exchange;            /* the frame that is being read */
    struct cursor received, sent;
    struct strbuf unread; /* frames that were read from below */
    struct strbuf plain;  /* inflated, and not given to the leg yet */
    size_t given;         /* ... of it */
    struct strbuf frame;  /* on its way out */
    size_t frame_sent;
    size_t framed;        /* bytes of the leg's in it */
    size_t raw_bytes;     /* to be sent as they are */
    unsigned raw_packets; /* and after them */
};

static struct compression_filter *compression_of(struct filter *filter)
{
    return (struct compression_filter *)filter;
}

/* ---- Packets ---- */

static bool is_between_packets(const struct cursor *cursor)
{
    return cursor->header_size == 0 && cursor->left == 0;
}

/* Passes over bytes, up to the end of a packet. Returns how many. */
static size_t pass_packet(struct cursor *cursor, const uint8_t *bytes, size_t size, uint8_t *next)
{
    size_t done = 0;
    while (done < size && cursor->left == 0 && cursor->header_size < WIRE_HEADER_BYTES)
        cursor->header[cursor->header_size++] = bytes[done++];
    if (cursor->left == 0 && cursor->header_size == WIRE_HEADER_BYTES) {
        cursor->left = wire_frame_length(cursor->header);
        *next = (uint8_t)(cursor->header[3] + 1);
    }
    const size_t part = size - done < cursor->left ? size - done : cursor->left;
    cursor->left -= part;
    if (cursor->left == 0 && cursor->header_size == WIRE_HEADER_BYTES)
        cursor->header_size = 0;
    return done + part;
}

static void pass_packets(struct cursor *cursor, const uint8_t *bytes, size_t size, uint8_t *next)
{
    for (size_t done = 0; done < size;)
        done += pass_packet(cursor, bytes + done, size - done, next);
}

/* ---- Receiving ---- */

/* A client's frame may begin an exchange. A server's goes on with one; but an error that says why a command
 * was not read to its end, or why the server closes, is numbered as it comes. */
static const char *check_number(void *context, uint8_t number)
{
    struct compression_filter *compression = context;
    const bool is_server = compression->settings.is_server;
    const bool is_between = is_between_packets(&compression->received);
    compression->begins_exchange = is_server && number == 0 && is_between;
    if (number != compression->next_frame &&
        !(is_server ? compression->begins_exchange : is_between))
        return "a compressed frame has a wrong sequence number";
    compression->next_frame = (uint8_t)(number + 1);
    return NULL;
}

/* The number that a packet has without compression. Within frames peers number as they like: many take the
 * frames' numbers. */
static uint8_t number_of(const struct compression_filter *compression, uint8_t own)
{
    return compression->begins_exchange && own == 0 ? 0 : compression->next_packet;
}

static void renumber(struct compression_filter *compression, uint8_t *bytes, size_t size)
{
    struct cursor *at = &compression->received;
    const size_t before = WIRE_HEADER_BYTES - 1; /* the number is the header's last byte */
    for (size_t done = 0; done < size;) {
        size_t most = size - done;
        if (at->left == 0 && at->header_size == before)
            bytes[done] = number_of(compression, bytes[done]);
        else if (at->left == 0 && most > before - at->header_size)
            most = before - at->header_size;
        done += pass_packet(at, bytes + done, most, &compression->next_packet);
    }
}

static void keep_plain(void *context, const uint8_t *bytes, size_t size)
{
    struct compression_filter *compression = context;
    struct strbuf *plain = &compression->plain;
    const size_t start = plain->size;
    strbuf_add(plain, bytes, size);
    if (!plain->failed)
        renumber(compression, (uint8_t *)plain->data + start, size);
}

/* Reads on from below when there is nothing more, and nothing to give first: a connection may have failed
 * after the server's last words. Returns whether there is something. */
static bool fill_unread(struct compression_filter *compression, size_t given)
{
    struct filter *below = compression->filter.below;
    struct strbuf *unread = &compression->unread;
    uint8_t bytes[READ_BYTES];
    if (unread->size || given)
        return unread->size;
    size_t got = below->type->receive(below, compression->leg, bytes, sizeof bytes);
    if (got && !compression->leg->broken) /* else it is dropped: the peer reads why */
        strbuf_add(unread, bytes, got);
    if (unread->failed)
        leg_fail(compression->leg, ENOMEM);
    return got && !compression->leg->failed;
}

/* Inflates up to the end of a frame. */
static void inflate_unread(struct compression_filter *compression)
{
    struct strbuf *unread = &compression->unread;
    const uint8_t *start = (const uint8_t *)unread->data, *pos = start;
    const char *problem = inflater_bytes(compression->inflater, &pos, start + unread->size);
    if (problem)
        compression->leg->broken = problem;
    if (compression->plain.failed)
        leg_fail(compression->leg, ENOMEM);
    strbuf_consume(unread, (size_t)(pos - start));
    if (unread->size == 0 || problem)
        strbuf_release(unread);
}

static size_t give_plain(struct compression_filter *compression, uint8_t *bytes, size_t size)
{
    const size_t left = compression->plain.size - compression->given;
    const size_t part = left < size ? left : size;
    if (part)
        memcpy(bytes, compression->plain.data + compression->given, part);
    compression->given += part;
    if (compression->given == compression->plain.size) {
        strbuf_release(&compression->plain);
        compression->given = 0;
    }
    return part;
}

static size_t receive(struct filter *filter, struct leg *leg, uint8_t *bytes, size_t size)
{
    struct compression_filter *compression = compression_of(filter);
    size_t total = give_plain(compression, bytes, size);
    while (total < size && !leg->failed && fill_unread(compression, total)) {
        if (leg->broken)
            break;
        inflate_unread(compression);
        if (!leg->broken && !leg->failed)
            total += give_plain(compression, bytes + total, size - total);
    }
    return leg->failed ? 0 : total;
}

static bool has_buffered(const struct filter *filter)
{
    const struct compression_filter *compression = (const struct compression_filter *)filter;
    const struct filter *below = filter->below;
    return compression->plain.size || compression->unread.size ||
           (below->type->has_buffered && below->type->has_buffered(below));
}

/* ---- Sending ---- */

/* Sends bytes as they are, before the compressed ones begin. */
static size_t send_raw(struct compression_filter *compression, const uint8_t *bytes, size_t size)
{
    struct filter *below = compression->filter.below;
    size_t most = size < compression->raw_bytes ? size : compression->raw_bytes;
    if (compression->raw_bytes == 0) {
        struct cursor ahead = compression->sent;
        uint8_t next = 0;
        most = pass_packet(&ahead, bytes, size, &next);
    }
    size_t done = below->type->send(below, compression->leg, bytes, most);
    if (compression->raw_bytes) {
        compression->raw_bytes -= done;
        return done;
    }
    pass_packets(&compression->sent, bytes, done, &compression->next_packet);
    if (done && is_between_packets(&compression->sent)) {
        compression->raw_packets--;
        compression->next_frame = compression->next_packet;
    }
    return done;
}

static void begin_frame(struct compression_filter *compression, const uint8_t *bytes, size_t size)
{
    const size_t most = size < FRAME_BYTES ? size : FRAME_BYTES;
    if (is_between_packets(&compression->sent) && most >= WIRE_HEADER_BYTES &&
        bytes[3] != compression->next_packet)
        compression->next_frame = bytes[3];
    compression_add_frame(&compression->frame, compression->settings.algorithm,
                          compression->settings.level, compression->next_frame, bytes, most);
    if (compression->frame.failed) {
        leg_fail(compression->leg, ENOMEM);
        return;
    }
    compression->next_frame++;
    compression->framed = most;
    pass_packets(&compression->sent, bytes, most, &compression->next_packet);
}

/* Returns whether the frame has gone. */
static bool send_frame(struct compression_filter *compression)
{
    struct filter *below = compression->filter.below;
    struct strbuf *frame = &compression->frame;
    while (compression->frame_sent < frame->size) {
        size_t done = below->type->send(below, compression->leg,
                                        (const uint8_t *)frame->data + compression->frame_sent,
                                        frame->size - compression->frame_sent);
        if (done == 0)
            return false;
        compression->frame_sent += done;
    }
    strbuf_release(frame);
    compression->frame_sent = 0;
    return true;
}

static size_t send_bytes(struct filter *filter, struct leg *leg, const uint8_t *bytes, size_t size)
{
    struct compression_filter *compression = compression_of(filter);
    size_t total = 0;
    while (total < size && !leg->is_deaf) {
        if (compression->raw_bytes || compression->raw_packets) {
            size_t done = send_raw(compression, bytes + total, size - total);
            if (done == 0)
                break;
            total += done;
            continue;
        }
        if (compression->framed == 0)
            begin_frame(compression, bytes + total, size - total);
        if (leg->is_deaf || !send_frame(compression))
            break;
        assert(compression->framed <= size - total); /* the leg has offered them again */
        total += compression->framed;
        compression->framed = 0;
    }
    return total;
}

/* ---- The filter ---- */

static void finish(struct filter *filter, struct leg *leg)
{
    filter->below->type->finish(filter->below, leg);
}

static void break_off(struct filter *filter)
{
    filter->below->type->break_off(filter->below);
}

static void close_compression(struct filter *filter)
{
    struct compression_filter *compression = compression_of(filter);
    inflater_free(compression->inflater);
    strbuf_release(&compression->unread);
    strbuf_release(&compression->plain);
    strbuf_release(&compression->frame);
    free(compression);
}

static const struct filter_type compression_type = {
    .name = "compression",
    .receive = receive,
    .send = send_bytes,
    .has_buffered = has_buffered,
    .finish = finish,
    .break_off = break_off,
    .close = close_compression,
};

bool compression_push(struct leg *leg, const struct compression_settings *settings,
                      unsigned raw_packets)
{
    assert(leg_is_open(leg) && settings->algorithm != COMPRESSION_NONE);
    struct compression_filter *compression = calloc(1, sizeof *compression);
    if (!compression)
        return false;
    *compression = (struct compression_filter){.filter = {.type = &compression_type},
                                               .leg = leg,
                                               .settings = *settings,
                                               .raw_bytes = leg_unsent(leg),
                                               .raw_packets = raw_packets};
    strbuf_init(&compression->unread);
    strbuf_init(&compression->plain);
    strbuf_init(&compression->frame);
    compression->inflater = inflater_new(settings->algorithm, settings->most_bytes, keep_plain,
                                         check_number, compression);
    if (!compression->inflater) {
        free(compression);
        return false;
    }
    leg_push(leg, &compression->filter);
    return true;
}
