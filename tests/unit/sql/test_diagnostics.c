/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts that read the diagnostics of the statement before them: found wherever the word stands. */
#include "sql_test.h"

static const char *const words[] = {"row_count",   "found_rows",     "warnings",
                                    "errors",      "warning_count",  "error_count",
                                    "diagnostics", "optimizer_trace"};

/* What the words mean, spelled out: any of them, anywhere, in any case. */
static bool has_any_word(struct sql_span text)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t size = strlen(words[i]);
        for (size_t at = 0; at + size <= text.size; at++)
            if (strncasecmp(text.at + at, words[i], size) == 0)
                return true;
    }
    return false;
}

static void statements_that_read_diagnostics_are_found(void **state)
{
    (void)state;
    static const char *const reading[] = {"SELECT ROW_COUNT()",
                                          "select found_rows ()",
                                          "select * from information_schema.OPTIMIZER_TRACE",
                                          "SHOW COUNT(*) WARNINGS",
                                          "show Errors",
                                          "SELECT @@session.error_count",
                                          "SELECT @@`warning_count`",
                                          "get diagnostics condition 1 @a = message_text"};
    static const char *const others[] = {"",
                                         "SELECT 1",
                                         "SELECT warning, error FROM t",
                                         "SELECT row_coun()",
                                         "SHOW WARNING S",
                                         "INSERT INTO found_row VALUES (1)",
                                         "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr",
                                         "r",
                                         "error"};
    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++)
        assert_true(sql_reads_diagnostics(span_of(reading[i])));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(sql_reads_diagnostics(span_of(others[i])));
    assert_false(sql_reads_diagnostics((struct sql_span){NULL, 0}));
}

/* Sixteen bytes are looked at at once: no place between two of these looks is left out. */
static void a_word_is_found_in_every_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t size = strlen(words[i]);
        for (size_t before = 0; before < 40; before++) {
            for (size_t after = 0; after < 40; after++) {
                char *text = malloc(before + size + after); /* no byte of room around it */
                assert_non_null(text);
                memset(text, 'n', before + size + after);
                memcpy(text + before, words[i], size);
                struct sql_span span = {text, before + size + after};
                assert_true(sql_reads_diagnostics(span));
                text[before + size - 1] = '-';
                assert_false(sql_reads_diagnostics(span));
                free(text);
            }
        }
    }
}

static void any_text_reads_as_the_words_say(void **state)
{
    (void)state;
    static const char *const pieces[] = {"row",     "_", "count", "found",  "d_",        "rows",
                                         "warning", "s", "error", "Diagno", "STICS",     "rr",
                                         "gn",      " ", "W_",    "optimi", "zer_trace", "iz"};
    uint32_t random = 1;
    for (size_t round = 0; round < 20000; round++) {
        char text[64];
        struct sql_span span = {text, 0};
        for (size_t i = 0; i < 6; i++) {
            random = random * 1664525 + 1013904223;
            const char *piece = pieces[(random >> 16) % (sizeof pieces / sizeof *pieces)];
            memcpy(text + span.size, piece, strlen(piece));
            span.size += strlen(piece);
        }
        assert_int_equal(sql_reads_diagnostics(span), has_any_word(span));
    }
}

/* A command of 64 MiB cost 470 million comparisons, seven for each byte, while all sessions of the
 * thread waited. It is now looked at once, whatever it is made of. */
static void a_64_mib_command_is_not_compared_with_each_word_at_each_byte(void **state)
{
    (void)state;
    static const struct {
        int fill;
        size_t size;
    } texts[] = {{'x', (size_t)64 << 20}, {'r', (size_t)4 << 20}}; /* r: never passed over */
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t size = texts[i].size;
        char *text = malloc(size);
        assert_non_null(text);
        memset(text, texts[i].fill, size);
        memcpy(text + size - 9, "ROW_COUNT", 9);
        assert_true(sql_reads_diagnostics((struct sql_span){text, size}));
        assert_false(sql_reads_diagnostics((struct sql_span){text, size - 1}));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_that_read_diagnostics_are_found),
        cmocka_unit_test(a_word_is_found_in_every_place),
        cmocka_unit_test(any_text_reads_as_the_words_say),
        cmocka_unit_test(a_64_mib_command_is_not_compared_with_each_word_at_each_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
