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

#include "trace/protocol/inflate.h"
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
        struct inflater *inflater = inflater_new(run % 2);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            add_frame(&frames, sizes[i], run % 2);
            strbuf_add(&wanted, plain, sizes[i]);
        }
        for (size_t at = 0; at < frames.size; at += steps[run / 2]) {
            size_t size = frames.size - at < steps[run / 2] ? frames.size - at : steps[run / 2];
            assert_null(inflater_bytes(inflater, (uint8_t *)frames.data + at, size, keep, &got));
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
        struct inflater *inflater = inflater_new(is_zstd);
        add_frame(&frame, 100, is_zstd);
        if (is_longer) { /* bytes after the end of the data, within the frame */
            frame.data[0] = (char)(frame.data[0] + 3);
            strbuf_add(&frame, "abc", 3);
        } else {
            memset(frame.data + 7, 0x55, 6);
        }
        const char *problem =
            inflater_bytes(inflater, (uint8_t *)frame.data, frame.size, keep, &got);
        assert_non_null(problem);
        assert_string_equal(problem, "compressed data is damaged");
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
