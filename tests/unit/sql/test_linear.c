/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts made to be slow: whatever is repeated, four times the text may take no more than some four
 * times the time (ten are allowed; what is quadratic takes sixteen), and no stack. Time is that of
 * the processor, so that others on the machine hardly count. */
#include "sql_test.h"

#include <time.h>

#define SMALL_BYTES ((size_t)256 * 1024)

static struct sql_digester digester;
static struct sql_tables tables;
static struct sql_runs runs;

static uint64_t processor_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static uint64_t all_facts(struct sql_span text)
{
    struct sql_span normalized;
    struct sql_span statement;
    struct sql_splitter splitter;
    uint64_t start = processor_ns();
    assert_true(sql_normalize(&digester, text, &normalized));
    sql_statement_kind(text, &plain_mode);
    assert_true(sql_tables_read(&tables, text, &plain_mode, (struct sql_span){0}));
    assert_true(sql_runs_read(&runs, text, &(struct sql_session){.mode = plain_mode}));
    sql_splitter_init(&splitter, text, &plain_mode);
    while (sql_splitter_next(&splitter, &statement)) {
    }
    return processor_ns() - start;
}

/* The best of three, so that a busy machine counts even less. */
static uint64_t best(struct sql_span text)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 3; i++) {
        uint64_t one = all_facts(text);
        least = one < least ? one : least;
    }
    return least;
}

static void time_grows_with_length(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "(",
        "/*",
        "/*!",
        "/*! */",
        "/*!99999 /* */",
        "*/",
        "select 1;",
        ";",
        "a,",
        "1,",
        "'a',",
        "''",
        "\\",
        "`",
        "use index ",
        "use index(",
        "(select * from ",
        "with a as (",
        "order by 1,",
        "begin ",
        "begin not atomic ",
        "set a = 1, ",
        "execute immediate '",
        "if 1 then ",
        "case ",
        "l: ",
        "a.",
        "\xff",
        "\xe2\x84\xaa",
        "_utf8'a', ",
        "_utf8 ",
        "use index(a) use ",
        "@@global.",
        "1e",
        "0x",
        " ",
        "-- \n",
        "explain ",
        "prepare s from '",
        "union select ",
        "select * from a,",
        "delete a,",
        "set statement a=1 for ",
        "drop table a, ",
    };
    char *text = malloc(4 * SMALL_BYTES);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        for (size_t at = 0; at < 4 * SMALL_BYTES; at++)
            text[at] = pieces[i][at % strlen(pieces[i])];
        uint64_t small = best((struct sql_span){text, SMALL_BYTES});
        uint64_t large = best((struct sql_span){text, 4 * SMALL_BYTES});
        if (large > 10 * small + 2000000) {
            fail_msg("\"%s\" repeated: %llu us for a part, %llu us for four times as much",
                     pieces[i], (unsigned long long)(small / 1000),
                     (unsigned long long)(large / 1000));
        }
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_grows_with_length),
    };
    sql_digester_init(&digester);
    sql_tables_init(&tables);
    sql_runs_init(&runs);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sql_tables_release(&tables);
    sql_runs_release(&runs);
    sql_digester_release(&digester);
    return failed;
}
