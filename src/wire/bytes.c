/* SPDX-License-Identifier: Apache-2.0
 *
 * The bounded reader and writer: every length that comes off the wire is compared with what is
 * left, and nowhere else is a byte of a packet touched without that. */
#include "wire/bytes.h"

#include <assert.h>
#include <string.h>

#include "wire/protocol.h"

/* Consumes `size` bytes and returns where they start; NULL (and failed) if there are fewer. */
static const uint8_t *consume(struct wire_reader *reader, uint64_t size)
{
    if (reader->failed || size > wire_left(reader)) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *start = reader->pos;
    reader->pos += size;
    return start;
}

static uint64_t read_integer(struct wire_reader *reader, unsigned width)
{
    const uint8_t *bytes = consume(reader, width);
    uint64_t value = 0;
    if (bytes)
        for (unsigned i = 0; i < width; i++)
            value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

uint8_t wire_read_u8(struct wire_reader *reader)
{
    return (uint8_t)read_integer(reader, 1);
}

uint16_t wire_read_u16(struct wire_reader *reader)
{
    return (uint16_t)read_integer(reader, 2);
}

uint32_t wire_read_u24(struct wire_reader *reader)
{
    return (uint32_t)read_integer(reader, 3);
}

uint32_t wire_read_u32(struct wire_reader *reader)
{
    return (uint32_t)read_integer(reader, 4);
}

uint64_t wire_read_u64(struct wire_reader *reader)
{
    return read_integer(reader, 8);
}

uint64_t wire_read_lenenc(struct wire_reader *reader)
{
    const uint8_t *start = reader->pos;
    uint8_t first = wire_read_u8(reader);
    uint64_t value = first;
    switch (first) {
    case 0xfc:
        value = read_integer(reader, 2);
        break;
    case 0xfd:
        value = read_integer(reader, 3);
        break;
    case 0xfe:
        value = read_integer(reader, 8);
        break;
    case 0xfb:
    case 0xff:
        reader->failed = true;
        break;
    default:
        break;
    }
    if (reader->failed) {
        reader->pos = start;
        value = 0;
    }
    return value;
}

struct wire_string wire_read_bytes(struct wire_reader *reader, uint64_t size)
{
    const uint8_t *bytes = consume(reader, size);
    return bytes ? (struct wire_string){(const char *)bytes, (size_t)size}
                 : (struct wire_string){NULL, 0};
}

struct wire_string wire_read_lenenc_string(struct wire_reader *reader)
{
    const uint8_t *start = reader->pos;
    struct wire_string text = wire_read_bytes(reader, wire_read_lenenc(reader));
    if (reader->failed)
        reader->pos = start;
    return text;
}

struct wire_string wire_read_nul_string(struct wire_reader *reader)
{
    const uint8_t *nul = NULL;
    if (!reader->failed && wire_left(reader) > 0)
        nul = memchr(reader->pos, 0, wire_left(reader));
    if (!nul) {
        reader->failed = true;
        return (struct wire_string){NULL, 0};
    }
    struct wire_string text = wire_read_bytes(reader, (uint64_t)(nul - reader->pos));
    wire_skip(reader, 1);
    return text;
}

struct wire_string wire_read_nul_string_or_rest(struct wire_reader *reader)
{
    bool has_nul =
        !reader->failed && wire_left(reader) > 0 && memchr(reader->pos, 0, wire_left(reader));
    return has_nul ? wire_read_nul_string(reader) : wire_read_rest(reader);
}

struct wire_string wire_read_rest(struct wire_reader *reader)
{
    return wire_read_bytes(reader, wire_left(reader));
}

void wire_skip(struct wire_reader *reader, uint64_t size)
{
    consume(reader, size);
}

struct wire_string wire_text(const char *text)
{
    return (struct wire_string){text, text ? strlen(text) : 0};
}

static void put_header(char *header, uint32_t length, uint8_t sequence)
{
    header[0] = (char)(length & 0xff);
    header[1] = (char)((length >> 8) & 0xff);
    header[2] = (char)((length >> 16) & 0xff);
    header[3] = (char)sequence;
}

size_t wire_packet_whole(const uint8_t *bytes, size_t size, size_t *least)
{
    size_t at = 0;
    for (;;) {
        *least = at + WIRE_HEADER_BYTES;
        if (size - at < WIRE_HEADER_BYTES)
            return 0;
        size_t length = wire_frame_length(bytes + at);
        *least += length;
        if (length > size - at - WIRE_HEADER_BYTES)
            return 0;
        at += WIRE_HEADER_BYTES + length;
        if (length < WIRE_FRAME_MAX)
            return at;
    }
}

uint8_t wire_packet_number(const uint8_t *bytes, size_t size)
{
    const size_t full = WIRE_HEADER_BYTES + WIRE_FRAME_MAX;
    assert(size >= WIRE_HEADER_BYTES);
    while (wire_frame_length(bytes) == WIRE_FRAME_MAX && size >= full + WIRE_HEADER_BYTES) {
        bytes += full;
        size -= full;
    }
    return bytes[3];
}

void wire_begin_packet(struct wire_writer *writer)
{
    writer->start = writer->out->size;
    strbuf_add(writer->out, "\0\0\0", WIRE_HEADER_BYTES);
}

/* Opens gaps for the headers of the frames after the first one, from the last to the first:
 * every payload byte moves once. */
static void split_frames(struct wire_writer *writer, size_t payload)
{
    struct strbuf *out = writer->out;
    size_t further = payload / WIRE_FRAME_MAX;
    if (!strbuf_reserve(out, further * WIRE_HEADER_BYTES))
        return;
    char *first = out->data + writer->start + WIRE_HEADER_BYTES;
    for (size_t frame = further; frame > 0; frame--) {
        size_t from = frame * WIRE_FRAME_MAX;
        size_t length = frame == further ? payload - from : WIRE_FRAME_MAX;
        char *header = first + from + (frame - 1) * WIRE_HEADER_BYTES;
        memmove(header + WIRE_HEADER_BYTES, first + from, length);
        put_header(header, (uint32_t)length, (uint8_t)(writer->sequence + frame));
    }
    put_header(first - WIRE_HEADER_BYTES, WIRE_FRAME_MAX, writer->sequence);
    out->size += further * WIRE_HEADER_BYTES;
    out->data[out->size] = 0;
    writer->sequence = (uint8_t)(writer->sequence + further + 1);
}

void wire_end_packet(struct wire_writer *writer)
{
    struct strbuf *out = writer->out;
    if (out->failed)
        return;
    assert(out->size >= writer->start + WIRE_HEADER_BYTES); /* begun */
    size_t payload = out->size - writer->start - WIRE_HEADER_BYTES;
    if (payload >= WIRE_FRAME_MAX) {
        split_frames(writer, payload);
        return;
    }
    put_header(out->data + writer->start, (uint32_t)payload, writer->sequence);
    writer->sequence++;
}

static void put_integer(struct wire_writer *writer, uint64_t value, unsigned width)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < width; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    strbuf_add(writer->out, bytes, width);
}

void wire_write_u8(struct wire_writer *writer, uint8_t value)
{
    put_integer(writer, value, 1);
}

void wire_write_u16(struct wire_writer *writer, uint16_t value)
{
    put_integer(writer, value, 2);
}

void wire_write_u24(struct wire_writer *writer, uint32_t value)
{
    put_integer(writer, value, 3);
}

void wire_write_u32(struct wire_writer *writer, uint32_t value)
{
    put_integer(writer, value, 4);
}

void wire_write_u64(struct wire_writer *writer, uint64_t value)
{
    put_integer(writer, value, 8);
}

void wire_write_lenenc(struct wire_writer *writer, uint64_t value)
{
    if (value < 0xfb) {
        put_integer(writer, value, 1);
    } else if (value <= 0xffff) {
        put_integer(writer, 0xfc, 1);
        put_integer(writer, value, 2);
    } else if (value <= 0xffffff) {
        put_integer(writer, 0xfd, 1);
        put_integer(writer, value, 3);
    } else {
        put_integer(writer, 0xfe, 1);
        put_integer(writer, value, 8);
    }
}

void wire_write_bytes(struct wire_writer *writer, const void *bytes, size_t size)
{
    strbuf_add(writer->out, bytes, size);
}

void wire_write_zeros(struct wire_writer *writer, size_t count)
{
    for (size_t i = 0; i < count; i++)
        strbuf_add_byte(writer->out, 0);
}

void wire_write_string(struct wire_writer *writer, struct wire_string text)
{
    strbuf_add(writer->out, text.data, text.size);
}

void wire_write_lenenc_string(struct wire_writer *writer, struct wire_string text)
{
    wire_write_lenenc(writer, text.size);
    wire_write_string(writer, text);
}

void wire_write_nul_string(struct wire_writer *writer, struct wire_string text)
{
    const char *nul = text.size > 0 ? memchr(text.data, 0, text.size) : NULL;
    strbuf_add(writer->out, text.data, nul ? (size_t)(nul - text.data) : text.size);
    wire_write_u8(writer, 0);
}
