/* SPDX-License-Identifier: Apache-2.0
 *
 * One bounded reader and one bounded writer, which every codec of the room uses.
 *
 * Both have a sticky `failed`: after a read past the end (or an addition that did not fit into
 * memory) further reads return zeros and further writes do nothing: a codec tests once, at the end.
 * A failed reader leaves pos where the failing read began. */
#ifndef WEIR_WIRE_BYTES_H
#define WEIR_WIRE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* A run of bytes inside a packet: borrowed, not NUL-terminated, may hold any byte. data is NULL
 * when there is no such field, and non-NULL when the field is there and empty. */
struct wire_string {
    const char *data;
    size_t size;
};

struct wire_reader {
    const uint8_t *pos, *end;
    bool failed;
};

static inline struct wire_reader wire_reader_of(const void *bytes, size_t size)
{
    const uint8_t *start = bytes;
    return (struct wire_reader){start, start ? start + size : start, false};
}

static inline size_t wire_left(const struct wire_reader *reader)
{
    return (size_t)(reader->end - reader->pos);
}

/* Little-endian integers. */
uint8_t wire_read_u8(struct wire_reader *reader);
uint16_t wire_read_u16(struct wire_reader *reader);
uint32_t wire_read_u24(struct wire_reader *reader);
uint32_t wire_read_u32(struct wire_reader *reader);
uint64_t wire_read_u64(struct wire_reader *reader);

/* Integers in network byte order, which other protocols use. */
static inline uint16_t wire_read_u16_network(struct wire_reader *reader)
{
    return __builtin_bswap16(wire_read_u16(reader));
}

static inline uint32_t wire_read_u32_network(struct wire_reader *reader)
{
    return __builtin_bswap32(wire_read_u32(reader));
}

/* A length-encoded integer. FB (the NULL of text rows) and FF fail. */
uint64_t wire_read_lenenc(struct wire_reader *reader);

/* Strings; all borrow from the reader's bytes. */
struct wire_string wire_read_lenenc_string(struct wire_reader *reader);
struct wire_string wire_read_nul_string(struct wire_reader *reader); /* no NUL: fails */
struct wire_string wire_read_bytes(struct wire_reader *reader, uint64_t size);
struct wire_string wire_read_rest(struct wire_reader *reader);

/* A NUL-terminated string whose NUL may be missing at the very end, as some servers and clients
 * send. */
struct wire_string wire_read_nul_string_or_rest(struct wire_reader *reader);

void wire_skip(struct wire_reader *reader, uint64_t size);

/* Bytes of a frame's payload, from its four-byte header. */
static inline size_t wire_frame_length(const uint8_t header[4])
{
    return (size_t)header[0] | (size_t)header[1] << 8 | (size_t)header[2] << 16;
}

/* Bytes of the packet at the start of the input, headers of all its frames included; 0 while its
 * end is not there. *least is what it needs at least, as far as its headers are there. Costs one
 * step a frame. */
size_t wire_packet_whole(const uint8_t *bytes, size_t size, size_t *least);

/* The number of the last of its frames whose header is there; that of the first one must be. */
uint8_t wire_packet_number(const uint8_t *bytes, size_t size);

/* Writes packets into a strbuf, which it borrows.
 *
 *     struct wire_writer w = wire_writer_to(&buffer, 0);
 *     wire_begin_packet(&w);
 *     wire_write_u8(&w, 0); ...
 *     wire_end_packet(&w);      w.sequence is now that of the next packet
 */
struct wire_writer {
    struct strbuf *out;
    size_t start;     /* offset in out of the open packet's header */
    uint8_t sequence; /* sequence number of the next frame */
};

static inline struct wire_writer wire_writer_to(struct strbuf *out, uint8_t sequence)
{
    return (struct wire_writer){out, 0, sequence};
}

/* Reserves the header. */
void wire_begin_packet(struct wire_writer *writer);

/* Fills length and sequence number in; cuts a payload of 16 MiB - 1 bytes and more into frames.
 * Failure (no memory) shows in out->failed. */
void wire_end_packet(struct wire_writer *writer);

void wire_write_u8(struct wire_writer *writer, uint8_t value);
void wire_write_u16(struct wire_writer *writer, uint16_t value);
void wire_write_u24(struct wire_writer *writer, uint32_t value);
void wire_write_u32(struct wire_writer *writer, uint32_t value);
void wire_write_u64(struct wire_writer *writer, uint64_t value);
void wire_write_lenenc(struct wire_writer *writer, uint64_t value);
void wire_write_bytes(struct wire_writer *writer, const void *bytes, size_t size);
void wire_write_zeros(struct wire_writer *writer, size_t count);
void wire_write_string(struct wire_writer *writer, struct wire_string text); /* bare bytes */
void wire_write_lenenc_string(struct wire_writer *writer, struct wire_string text);
void wire_write_nul_string(struct wire_writer *writer, struct wire_string text); /* cut at a NUL */

/* A wire_string of a NUL-terminated text (borrowed); NULL gives no field. */
struct wire_string wire_text(const char *text);

#endif
