/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: sixteen bytes of a text at a time. A predicate gives FF for each byte that it is
 * true of and 00 for the others; block_bits() makes a number of these, bit i for byte i, so that
 * the length of a run is a count of trailing ones. The compiler's vectors need no instruction
 * beyond those of every x86-64, and work without any. */
#ifndef WEIR_SQL_BLOCK_H
#define WEIR_SQL_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BLOCK_BYTES 16
#define BLOCK_ALL   0xffffU /* block_bits() of a predicate that is true of all bytes */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "byte i of a block is bit i of its bits");

typedef unsigned char block __attribute__((vector_size(BLOCK_BYTES)));

/* 16 bytes can be read at `at`, which needs no alignment. */
static inline block block_load(const void *at)
{
    block bytes;
    memcpy(&bytes, at, sizeof bytes);
    return bytes;
}

static inline void block_store(void *at, block bytes)
{
    memcpy(at, &bytes, sizeof bytes);
}

/* The first `size` bytes (at most 16), the others 0. */
static inline block block_first(block bytes, size_t size)
{
    static const unsigned char mask[2 * BLOCK_BYTES] = {[0 ... BLOCK_BYTES - 1] = 0xff};
    return bytes & block_load(mask + BLOCK_BYTES - size);
}

/* By way of registers: the processor is slow to load at once what was stored in two halves. */
static inline block block_of(unsigned __int128 number)
{
    typedef uint64_t halves __attribute__((vector_size(BLOCK_BYTES)));
    return (block)(halves){(uint64_t)number, (uint64_t)(number >> 64)};
}

/* Fewer than 16 bytes, filled up with zeros; no others are read. */
static inline block block_load_few(const unsigned char *at, size_t size)
{
    unsigned __int128 number = 0;
    if (size >= 8) { /* the first eight and the last eight, which may be the same in part */
        uint64_t first, last;
        memcpy(&first, at, sizeof first);
        memcpy(&last, at + size - sizeof last, sizeof last);
        number = first | (unsigned __int128)last << 8 * (size - sizeof last);
    } else if (size >= 4) {
        uint32_t first, last;
        memcpy(&first, at, sizeof first);
        memcpy(&last, at + size - sizeof last, sizeof last);
        number = first | (uint64_t)last << 8 * (size - sizeof last);
    } else if (size > 0) {
        number = at[0] | (uint32_t)at[size / 2] << 8 * (size / 2) |
                 (uint32_t)at[size - 1] << 8 * (size - 1);
    }
    return block_of(number);
}

/* What a text of `size` bytes holds from `at` on, fewer than 16 bytes, filled up with zeros. */
static inline block block_load_part(const unsigned char *text, size_t at, size_t size)
{
    if (size < BLOCK_BYTES)
        return block_load_few(text + at, size - at);
    unsigned __int128 number; /* with what is before it, which is shifted out */
    memcpy(&number, text + size - BLOCK_BYTES, sizeof number);
    return block_of(at < size ? number >> 8 * (BLOCK_BYTES - (size - at)) : 0);
}

/* What a text of `size` bytes holds from `at` (at most size) on, filled up with zeros. */
static inline block block_load_at(const unsigned char *text, size_t at, size_t size)
{
    return size - at >= BLOCK_BYTES ? block_load(text + at) : block_load_part(text, at, size);
}

static inline unsigned block_bits(block predicate)
{
#ifdef __SSE2__
    return (unsigned)_mm_movemask_epi8((__m128i)predicate);
#else
    uint64_t half[2];
    memcpy(half, &predicate, sizeof half);
    const uint64_t gather = UINT64_C(0x0102040810204080);
    const uint64_t ones = UINT64_C(0x0101010101010101);
    return (unsigned)((half[0] & ones) * gather >> 56 | ((half[1] & ones) * gather >> 56) << 8);
#endif
}

/* How many bytes the predicate is true of before the first of which it is not; 16: all. */
static inline size_t block_run(block predicate)
{
    return (size_t)__builtin_ctz(~block_bits(predicate));
}

/* The bytes of the first (last) halves of both, in turn: a[0] b[0] a[1] b[1] ... */
static inline block block_zip_first(block a, block b)
{
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

static inline block block_zip_last(block a, block b)
{
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                   31);
}

static inline block block_is(block bytes, unsigned char byte)
{
    return (block)(bytes == byte);
}

static inline block block_between(block bytes, unsigned char low, unsigned char high)
{
    return (block)(bytes - low <= (unsigned char)(high - low));
}

/* A-Z a-z */
static inline block block_letters(block bytes)
{
    return block_between(bytes | 0x20, 'a', 'z');
}

static inline block block_lower(block bytes)
{
    return bytes | (block_letters(bytes) & 0x20);
}

static inline block block_digits(block bytes)
{
    return block_between(bytes, '0', '9');
}

/* A-Z a-z 0-9 _ $ */
static inline block block_word(block bytes)
{
    return block_letters(bytes) | block_digits(bytes) | block_is(bytes, '_') | block_is(bytes, '$');
}

#endif
