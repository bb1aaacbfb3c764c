/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast statements are read, single thread: the lexer alone, the normalised text, the digest,
 * and all facts (kind, digest, tables). Over the statements of
 * $WEIR_TRUTH/digest/digest_cases_dev.jsonl when they are there, otherwise over a few of its own.
 *
 *     bench_sql                each pass over all statements, and over the short ones alone: many
 *                              rounds. Each slice of the statements is timed by itself, and the
 *                              sums of their median and of their best times are told: the best is
 *                              what a machine can do whose other users are quiet for a moment.
 *     bench_sql --once PASS    one round of one pass; prints the number of statements */
#include "base/base.h"
#include "sql/sql.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASS_NS     UINT64_C(2000000000) /* for all rounds of a pass */
#define ROUNDS_MAX  10000
#define SLICES      32
#define SHORT_BYTES 64 /* of a short statement, at most */

static struct sql_span *statements; /* the short ones first */
static size_t count, capacity;
static struct sql_digester digester;
static struct sql_tables tables;
static const struct sql_mode mode;
static size_t checksum; /* keeps the work from being optimised away */

void pass_lexer(size_t from, size_t to);
void pass_normalize(size_t from, size_t to);
void pass_digest(size_t from, size_t to);
void pass_facts(size_t from, size_t to);

static void add(const char *text, size_t size)
{
    if (count == capacity) {
        capacity = capacity * 2 + 64;
        statements = realloc(statements, capacity * sizeof *statements);
    }
    char *copy = malloc(size + 1);
    if (statements == NULL || copy == NULL)
        abort();
    memcpy(copy, text, size);
    statements[count++] = (struct sql_span){copy, size};
}

static void load(void)
{
    static const char *const own[] = {
        "SELECT c FROM sbtest1 WHERE id=4996",
        "UPDATE sbtest1 SET k=k+1 WHERE id=5003",
        "INSERT INTO sbtest1 (id, k, c, pad) VALUES (5034, 4978, '6822-3512', '2231-7732')",
        ("SELECT t.id, t.name AS n, COUNT(*) FROM shop.t JOIN u ON t.id = u.t_id "
         "WHERE u.x IN (1, 2, 3) GROUP BY t.id ORDER BY 2 DESC LIMIT 10"),
        "BEGIN",
        "COMMIT",
    };
    const char *truth = getenv("WEIR_TRUTH");
    char path[4096];
    snprintf(path, sizeof path, "%s/digest/digest_cases_dev.jsonl",
             truth != NULL ? truth : "../shared");
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    while (file != NULL && getline(&line, &room, file) > 0) {
        json_t *object = json_loads(line, JSON_ALLOW_NUL, NULL);
        const json_t *sql = json_object_get(object, "sql");
        if (json_is_string(sql))
            add(json_string_value(sql), json_string_length(sql));
        json_decref(object);
    }
    free(line);
    if (file != NULL)
        fclose(file);
    for (size_t i = 0; count < sizeof own / sizeof own[0]; i++)
        add(own[i], strlen(own[i]));
}

__attribute__((noinline)) void pass_lexer(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        struct sql_lexer lexer;
        struct sql_token token;
        sql_lexer_init(&lexer, statements[i], &mode, SQL_READING_SERVER);
        do {
            sql_lexer_next(&lexer, &token);
            checksum += token.word;
        } while (token.class != SQL_TOKEN_END);
    }
}

/* What is counted on: a pass that has failed measures nothing. */
static void done(bool ok)
{
    if (!ok)
        abort();
}

__attribute__((noinline)) void pass_normalize(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        struct sql_span normalized;
        done(sql_normalize(&digester, statements[i], &normalized));
        checksum += normalized.size;
    }
}

__attribute__((noinline)) void pass_digest(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        struct sql_span normalized;
        char hex[SQL_DIGEST_BYTES];
        done(sql_normalize(&digester, statements[i], &normalized));
        done(sql_digest(&digester, normalized, hex));
        checksum += (unsigned char)hex[0];
    }
}

__attribute__((noinline)) void pass_facts(size_t from, size_t to)
{
    static const struct sql_span database = {"test", 4};
    for (size_t i = from; i < to; i++) {
        struct sql_span normalized;
        char hex[SQL_DIGEST_BYTES];
        done(sql_normalize(&digester, statements[i], &normalized));
        done(sql_digest(&digester, normalized, hex));
        checksum += (size_t)sql_statement_kind(statements[i], &mode).kind + (unsigned char)hex[0];
        done(sql_tables_read(&tables, statements[i], &mode, database));
        checksum += tables.count;
    }
}

static void warm_up(void)
{
    for (size_t i = 0; i < count; i++) {
        struct sql_span normalized;
        char hex[SQL_DIGEST_BYTES];
        done(sql_normalize(&digester, statements[i], &normalized));
        done(sql_digest(&digester, normalized, hex));
        done(sql_tables_read(&tables, statements[i], &mode, normalized));
    }
}

static const struct {
    const char *name;
    void (*run)(size_t from, size_t to);
} passes[] = {
    {"lexer", pass_lexer},
    {"normalize", pass_normalize},
    {"digest", pass_digest},
    {"facts", pass_facts},
};

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Times a pass over the first `count` statements and prints a line. */
static void measure(const char *set, size_t pass)
{
    static uint64_t times[SLICES][ROUNDS_MAX]; /* nanoseconds */
    size_t rounds = 0, bytes = 0;
    uint64_t median = 0, best = 0;
    for (size_t i = 0; i < count; i++)
        bytes += statements[i].size;
    uint64_t start = clock_monotonic_ns();
    for (uint64_t from = start; from - start < PASS_NS && rounds < ROUNDS_MAX; rounds++) {
        for (size_t slice = 0; slice < SLICES; slice++) {
            passes[pass].run(slice * count / SLICES, (slice + 1) * count / SLICES);
            uint64_t to = clock_monotonic_ns();
            times[slice][rounds] = to - from;
            from = to;
        }
    }
    for (size_t slice = 0; slice < SLICES; slice++) {
        qsort(times[slice], rounds, sizeof times[slice][0], compare);
        median += times[slice][rounds / 2];
        best += times[slice][0];
    }
    printf("%-6s %-10s %12.0f %12.0f %9.1f %9.2f\n", set, passes[pass].name,
           (double)count * 1e9 / (double)median, (double)count * 1e9 / (double)best,
           (double)bytes * 1e3 / (double)median, (double)median / (double)bytes);
}

static void measure_all(void)
{
    size_t all = count, shorts = 0, bytes = 0, short_bytes = 0;
    for (size_t i = 0; i < all; i++) {
        bool is_short = statements[i].size <= SHORT_BYTES;
        bytes += statements[i].size;
        shorts += is_short;
        short_bytes += is_short ? statements[i].size : 0;
    }
    printf("all: %zu statements, %.1f bytes each on average; short (up to %d bytes): %zu, %.1f\n",
           all, (double)bytes / (double)all, SHORT_BYTES, shorts,
           (double)short_bytes / (double)shorts);
    printf("%-6s %-10s %12s %12s %9s %9s\n", "", "pass", "statements/s", "best", "MB/s", "ns/byte");
    for (size_t pass = 0; pass < sizeof passes / sizeof passes[0]; pass++) {
        count = all;
        measure("all", pass);
        count = shorts;
        measure("short", pass);
    }
    count = all;
}

/* The short statements first, otherwise as they come. */
static void sort_statements(void)
{
    struct sql_span *sorted = malloc(count * sizeof *sorted);
    size_t next = 0;
    if (sorted == NULL)
        abort();
    for (int is_long = 0; is_long <= 1; is_long++) {
        for (size_t i = 0; i < count; i++)
            if ((statements[i].size > SHORT_BYTES) == is_long)
                sorted[next++] = statements[i];
    }
    free(statements);
    statements = sorted;
}

int main(int argc, char **argv)
{
    load();
    sort_statements();
    sql_digester_init(&digester);
    sql_tables_init(&tables);
    warm_up(); /* grows the memory that is kept, so that growing is not counted */
    if (argc == 3 && strcmp(argv[1], "--once") == 0) {
        printf("%zu\n", count);
        for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++)
            if (strcmp(argv[2], passes[i].name) == 0)
                passes[i].run(0, count);
    } else {
        measure_all();
    }
    sql_tables_release(&tables);
    sql_digester_release(&digester);
    for (size_t i = 0; i < count; i++)
        free((char *)statements[i].at);
    free(statements);
    return checksum == 0;
}
