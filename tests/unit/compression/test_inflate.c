/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of compressed connections, made with zlib and zstd themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "compression/compression.h"
#include "wire/wire.h"

enum { MOST_BYTES = 200000, PIECE_BYTES = 65536 };

static uint8_t plain[MOST_BYTES], packed[2 * MOST_BYTES];

static void add_frame(struct strbuf *out, size_t size, bool is_zstd)
{
    struct wire_writer writer = wire_writer_to(out, 0);
    uLongf packed_size = sizeof packed;
    if (is_zstd)
        packed_size = ZSTD_compress(packed, sizeof packed, plain, size, 1);
    else
        assert_int_equal(compress(packed, &packed_size, plain, size), Z_OK);
    wire_write_u24(&writer, (uint32_t)packed_size);
    wire_write_u8(&writer, 0);
    wire_write_u24(&writer, (uint32_t)size);
    wire_write_bytes(&writer, packed, packed_size);
}

static void keep(void *context, const uint8_t *bytes, size_t size)
{
    strbuf_add(context, bytes, size);
}

static const char *read_all(struct inflater *inflater, const char *bytes, size_t size)
{
    const uint8_t *pos = (const uint8_t *)bytes, *end = pos + size;
    const char *problem = NULL;
    while (pos < end && !problem)
        problem = inflater_bytes(inflater, &pos, end);
    return problem;
}

static void frames_of_any_size_come_out_as_they_went_in(void **state)
{
    /* A frame that ends with a full piece of output, too. */
    static const size_t sizes[] = {
        1, 100, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES, MOST_BYTES};
    static const size_t steps[] = {1, 1000, sizeof packed};
    (void)state;
    for (size_t i = 0; i < MOST_BYTES; i++)
        plain[i] = (uint8_t)(i % 251 * (i / 1000));
    for (int run = 0; run < 6; run++) {
        struct strbuf frames = STRBUF_INIT, got = STRBUF_INIT, wanted = STRBUF_INIT;
        struct inflater *inflater = inflater_new(run % 2 ? COMPRESSION_ZSTD : COMPRESSION_ZLIB,
                                                 COMPRESSION_FRAME_MAX, keep, NULL, &got);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            add_frame(&frames, sizes[i], run % 2);
            strbuf_add(&wanted, plain, sizes[i]);
        }
        for (size_t at = 0; at < frames.size; at += steps[run / 2]) {
            size_t size = frames.size - at < steps[run / 2] ? frames.size - at : steps[run / 2];
            assert_null(read_all(inflater, frames.data + at, size));
        }
        assert_int_equal(got.size, wanted.size);
        assert_memory_equal(got.data, wanted.data, wanted.size);
        inflater_free(inflater);
        strbuf_release(&frames);
        strbuf_release(&got);
        strbuf_release(&wanted);
    }
}

static void damaged_frames_are_noticed(void **state)
{
    (void)state;
    for (int run = 0; run < 4; run++) {
        bool is_zstd = run % 2, is_longer = run / 2;
        struct strbuf frame = STRBUF_INIT, got = STRBUF_INIT;
        struct inflater *inflater = inflater_new(is_zstd ? COMPRESSION_ZSTD : COMPRESSION_ZLIB,
                                                 COMPRESSION_FRAME_MAX, keep, NULL, &got);
        add_frame(&frame, 100, is_zstd);
        if (is_longer) { /* bytes after the end of the data, within the frame */
            frame.data[0] = (char)(frame.data[0] + 3);
            strbuf_add(&frame, "abc", 3);
        } else {
            memset(frame.data + 7, 0x55, 6);
        }
        const char *problem = read_all(inflater, frame.data, frame.size);
        assert_non_null(problem);
        assert_string_equal(problem, "compressed data is damaged");
        inflater_free(inflater);
        strbuf_release(&frame);
        strbuf_release(&got);
    }
}

/* The header of a frame with a claim, and data that inflates to 1000 bytes. */
static const char *read_claim(enum compression_algorithm algorithm, size_t claim, size_t most)
{
    struct strbuf frame = STRBUF_INIT, got = STRBUF_INIT;
    memset(plain, 7, 1000);
    compression_add_frame(&frame, algorithm, 3, 0, plain, 1000);
    frame.data[4] = (char)claim;
    frame.data[5] = (char)(claim >> 8);
    frame.data[6] = (char)(claim >> 16);
    struct inflater *inflater = inflater_new(algorithm, most, keep, NULL, &got);
    const char *problem = read_all(inflater, frame.data, frame.size);
    assert_true(got.size <= claim);
    inflater_free(inflater);
    strbuf_release(&frame);
    strbuf_release(&got);
    return problem;
}

/* Returns the problem, and in *got what came before it. */
static const char *read_in_steps(const struct strbuf *frame, bool is_zstd, size_t step,
                                 struct strbuf *got)
{
    struct inflater *inflater = inflater_new(is_zstd ? COMPRESSION_ZSTD : COMPRESSION_ZLIB,
                                             COMPRESSION_FRAME_MAX, keep, NULL, got);
    const char *problem = NULL;
    for (size_t at = 0; at < frame->size && !problem; at += step)
        problem =
            read_all(inflater, frame->data + at, frame->size - at < step ? frame->size - at : step);
    inflater_free(inflater);
    return problem;
}

/* fuzz_conversation found that what a frame has before its fault came byte by byte alone. */
static void what_comes_before_a_fault_does_not_depend_on_how_it_is_cut(void **state)
{
    uint32_t random = 4711;
    (void)state;
    for (size_t i = 0; i < MOST_BYTES; i++)
        plain[i] = (uint8_t)((random = random * 1103515245U + 12345U) >> (i % 3 ? 28 : 24));
    for (int run = 0; run < 200; run++) {
        struct strbuf frame = STRBUF_INIT, whole = STRBUF_INIT, single = STRBUF_INIT,
                      pieces = STRBUF_INIT;
        const bool is_zstd = run % 2;
        add_frame(&frame, run % 8 == 7 ? 70000 : MOST_BYTES, is_zstd);
        if (run % 8 == 6) { /* it says less than it has */
            frame.data[5] = (char)(frame.data[5] - 100);
        } else {
            random = random * 1103515245U + 12345U;
            frame.data[7 + (random >> 4) % (frame.size - 7)] ^= (char)(1 << run % 7);
        }
        const char *problem = read_in_steps(&frame, is_zstd, SIZE_MAX / 2, &whole);
        assert_ptr_equal(problem, read_in_steps(&frame, is_zstd, 1, &single));
        assert_ptr_equal(problem, read_in_steps(&frame, is_zstd, 1000, &pieces));
        assert_int_equal(whole.size, single.size);
        assert_int_equal(whole.size, pieces.size);
        assert_true(whole.size == 0 || memcmp(whole.data, single.data, whole.size) == 0);
        strbuf_release(&frame);
        strbuf_release(&whole);
        strbuf_release(&single);
        strbuf_release(&pieces);
    }
}

static void a_frame_is_as_long_as_it_says(void **state)
{
    (void)state;
    for (int i = COMPRESSION_ZLIB; i <= COMPRESSION_ZSTD; i++) {
        const enum compression_algorithm algorithm = (enum compression_algorithm)i;
        static const char wrong[] = "a compressed frame has another length than it says";
        static const char bomb[] = "a compressed frame claims more bytes than are allowed";
        assert_null(read_claim(algorithm, 1000, 1000));
        assert_string_equal(read_claim(algorithm, 999, 1000), wrong);
        assert_string_equal(read_claim(algorithm, 1001, 5000), wrong);
        assert_string_equal(read_claim(algorithm, 1000, 999), bomb);
        assert_string_equal(read_claim(algorithm, 0xffffff, 70000), bomb);
    }
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 49, 50, 51, 4096, 65536, MOST_BYTES};
    for (size_t i = 0; i < MOST_BYTES; i++)
        plain[i] = (uint8_t)(i % 251 * (i / 1000));
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        const enum compression_algorithm algorithm = i % 2 ? COMPRESSION_ZSTD : COMPRESSION_ZLIB;
        struct strbuf frame = STRBUF_INIT, got = STRBUF_INIT;
        compression_add_frame(&frame, algorithm, 1, 9, plain, sizes[i / 2]);
        assert_int_equal(frame.data[3], 9);
        assert_true(frame.size <= sizes[i / 2] + COMPRESSION_HEADER_BYTES);
        struct inflater *inflater =
            inflater_new(algorithm, COMPRESSION_FRAME_MAX, keep, NULL, &got);
        assert_null(read_all(inflater, frame.data, frame.size));
        assert_int_equal(got.size, sizes[i / 2]);
        assert_memory_equal(got.data, plain, got.size);
        inflater_free(inflater);
        strbuf_release(&frame);
        strbuf_release(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_any_size_come_out_as_they_went_in),
        cmocka_unit_test(damaged_frames_are_noticed),
        cmocka_unit_test(what_comes_before_a_fault_does_not_depend_on_how_it_is_cut),
        cmocka_unit_test(a_frame_is_as_long_as_it_says),
        cmocka_unit_test(what_is_written_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
