/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts as values of the store: what is written reads the same, and what nobody may have written is refused as a whole. */
#include "count_values.h"

#include "filter_test.h"

#define MS INT64_C(1000000)

struct collected {
    size_t count;
    struct tally_key keys[8];
    struct tally_counts counts[8];
};

static void collect(void *data, const struct tally_key *key, const struct tally_counts *counts)
{
    struct collected *collected = data;
    assert_true(collected->count < 8);
    collected->keys[collected->count] = *key;
    collected->counts[collected->count++] = *counts;
}

static struct tally_key account(const char *name, size_t size)
{
    struct tally_key key = {.size = (uint8_t)(size + 1), .bytes = "u"};
    memcpy(key.bytes + 1, name, size);
    return key;
}

static void counts_are_written_and_read(void **state)
{
    static const uint8_t v4[4] = {10, 0, 0, 1}, v6[16] = {0x20, 1, 0x0d, 0xb8};
    const char longest[TALLY_KEY_BYTES - 1] = {1, 2, 3};
    const struct tally_key keys[] = {tally_key_of_address(v4, 4), tally_key_of_address(v6, 16),
                                     account("", 0), account(longest, sizeof longest)};
    const struct tally_counts counts[] = {
        {.connections = 1},
        {.connections = 127, .rate = 128, .rate_left = MS, .failed = 16384, .failed_left = 5 * MS},
        {.connections = COUNT_VALUE_MOST, .failed = 1, .failed_left = COUNT_VALUE_LEFT_MS * MS},
        {0},
    };
    struct strbuf value = STRBUF_INIT;
    struct collected read = {0};
    (void)state;
    count_value_begin(&value);
    for (size_t i = 0; i < 4; i++)
        count_value_add(&value, &keys[i], &counts[i]);
    assert_true(count_value_read((weir_string){value.data, value.size}, collect, &read));
    assert_int_equal(read.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(read.keys[i].size, keys[i].size);
        assert_memory_equal(read.keys[i].bytes, keys[i].bytes, keys[i].size);
        assert_memory_equal(&read.counts[i], &counts[i], sizeof counts[i]);
    }
    strbuf_release(&value);
}

static void what_is_left_is_rounded_up_and_numbers_are_bounded(void **state)
{
    const struct tally_key key = account("a", 1);
    const struct tally_counts counts = {
        .connections = INT64_MAX, .rate = -1, .rate_left = MS + 1, .failed_left = INT64_C(1) << 60};
    struct strbuf value = STRBUF_INIT;
    struct collected read = {0};
    (void)state;
    count_value_begin(&value);
    count_value_add(&value, &key, &counts);
    assert_true(count_value_read((weir_string){value.data, value.size}, collect, &read));
    assert_int_equal(read.counts[0].connections, COUNT_VALUE_MOST);
    assert_int_equal(read.counts[0].rate, 0);
    assert_int_equal(read.counts[0].rate_left, 2 * MS);
    assert_int_equal(read.counts[0].failed_left, COUNT_VALUE_LEFT_MS * MS);
    strbuf_release(&value);
}

#define BYTES(text) text, sizeof text - 1

static void what_is_malformed_anywhere_is_refused_as_a_whole(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        int count; /* -1: malformed */
    } rows[] = {
        {BYTES("\1"), 0},
        {BYTES("\1\2ua\1\0\0\0\0"), 1},
        {BYTES("\1\2ua\1\0\0\0\0\5"
               "4\n\0\0\1\2\0\0\0\0"),
         2},
        {BYTES("\1\2ua\x80\x01\0\0\0\0"), 1}, /* 128 */
        {BYTES(""), -1},
        {BYTES("\2"), -1},                             /* another version */
        {BYTES("\0\2ua\1\0\0\0\0"), -1},               /* none */
        {BYTES("\1\2ua\1\0\0\0"), -1},                 /* a number is missing */
        {BYTES("\1\2ua\1\0\0\0\x80"), -1},             /* one has no end */
        {BYTES("\1\2ua\x80\x80\x80\x80\0\0\0"), -1},   /* one is too long */
        {BYTES("\1\2ua\x81\x89\x7a\0\0\0\0"), -1},     /* 2,000,001 */
        {BYTES("\1\2ua\1\0\xff\xff\xff\x7f\0\0"), -1}, /* days of a window */
        {BYTES("\1\3ua"), -1},                         /* the key is cut off */
        {BYTES("\1\0\1\0\0\0\0"), -1},                 /* a key has bytes */
        {BYTES("\1\2xa\1\0\0\0\0"), -1},               /* of a kind */
        {BYTES("\1\4"
               "4\n\0\1\1\0\0\0\0"),
         -1}, /* an address has four */
        {BYTES("\1\5"
               "6\n\0\0\1\1\0\0\0\0"),
         -1},                                /* or eight */
        {BYTES("\1\2ua\1\0\0\0\0\2ub"), -1}, /* the first is right */
        {BYTES("\1\x82u"), -1},              /* longer than keys are */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct collected read = {0};
        char *exact = malloc(rows[i].size + !rows[i].size); /* so that a read beyond it is seen */
        assert_non_null(exact);
        if (rows[i].size)
            memcpy(exact, rows[i].bytes, rows[i].size);
        const bool ok = count_value_read((weir_string){exact, rows[i].size}, collect, &read);
        if (ok != (rows[i].count >= 0) || read.count != (size_t)(ok ? rows[i].count : 0))
            fail_msg("row %zu: %zu", i, read.count);
        free(exact);
    }
    assert_false(count_value_read((weir_string){NULL, 0}, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_written_and_read),
        cmocka_unit_test(what_is_left_is_rounded_up_and_numbers_are_bounded),
        cmocka_unit_test(what_is_malformed_anywhere_is_refused_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
