/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast statements are read, single thread: the lexer alone, the normalised text, the digest,
 * and all facts (kind, digest, tables). Over the statements of
 * $WEIR_TRUTH/digest/digest_cases_dev.jsonl when they are there, otherwise over a few of its own.
 *
 *     bench_sql                best of five rounds of each pass
 *     bench_sql --once PASS    one round of one pass; prints the number of statements */
#include "base/base.h"
#include "sql/sql.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_NS UINT64_C(700000000)
#define ROUNDS   5

static struct sql_span *statements;
static size_t count, capacity, bytes;
static struct sql_digester digester;
static struct sql_tables tables;
static const struct sql_mode mode;
static size_t checksum; /* keeps the work from being optimised away */

void pass_lexer(void);
void pass_normalize(void);
void pass_digest(void);
void pass_facts(void);

static void add(const char *text, size_t size)
{
    if (count == capacity) {
        capacity = capacity * 2 + 64;
        statements = realloc(statements, capacity * sizeof *statements);
    }
    char *copy = malloc(size + 1);
    if (statements == NULL || copy == NULL) {
        abort();
    }
    memcpy(copy, text, size);
    statements[count++] = (struct sql_span){copy, size};
    bytes += size;
}

static void load(void)
{
    static const char *const own[] = {
        "SELECT c FROM sbtest1 WHERE id=4996",
        "UPDATE sbtest1 SET k=k+1 WHERE id=5003",
        "INSERT INTO sbtest1 (id, k, c, pad) VALUES (5034, 4978, '6822-3512', '2231-7732')",
        "SELECT t.id, t.name AS n, COUNT(*) FROM shop.t JOIN u ON t.id = u.t_id WHERE u.x IN (1, "
        "2, 3) "
        "GROUP BY t.id ORDER BY 2 DESC LIMIT 10",
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
        if (json_is_string(sql)) {
            add(json_string_value(sql), json_string_length(sql));
        }
        json_decref(object);
    }
    free(line);
    if (file != NULL) {
        fclose(file);
    }
    for (size_t i = 0; count < sizeof own / sizeof own[0]; i++) {
        add(own[i], strlen(own[i]));
    }
}

__attribute__((noinline)) void pass_lexer(void)
{
    for (size_t i = 0; i < count; i++) {
        struct sql_lexer lexer;
        struct sql_token token;
        sql_lexer_init(&lexer, statements[i], &mode, SQL_READING_SERVER);
        do {
            sql_lexer_next(&lexer, &token);
            checksum += token.word;
        } while (token.class != SQL_TOKEN_END);
    }
}

__attribute__((noinline)) void pass_normalize(void)
{
    for (size_t i = 0; i < count; i++) {
        struct sql_span normalized;
        sql_normalize(&digester, statements[i], &normalized);
        checksum += normalized.size;
    }
}

__attribute__((noinline)) void pass_digest(void)
{
    for (size_t i = 0; i < count; i++) {
        struct sql_span normalized;
        char hex[SQL_DIGEST_BYTES];
        sql_normalize(&digester, statements[i], &normalized);
        sql_digest(&digester, normalized, hex);
        checksum += (unsigned char)hex[0];
    }
}

__attribute__((noinline)) void pass_facts(void)
{
    static const struct sql_span database = {"test", 4};
    for (size_t i = 0; i < count; i++) {
        struct sql_span normalized;
        char hex[SQL_DIGEST_BYTES];
        sql_normalize(&digester, statements[i], &normalized);
        sql_digest(&digester, normalized, hex);
        checksum += (size_t)sql_statement_kind(statements[i], &mode).kind + (unsigned char)hex[0];
        sql_tables_read(&tables, statements[i], &mode, database);
        checksum += tables.count;
    }
}

static void warm_up(void)
{
    for (size_t i = 0; i < count; i++) {
        struct sql_span normalized;
        char hex[SQL_DIGEST_BYTES];
        sql_normalize(&digester, statements[i], &normalized);
        sql_digest(&digester, normalized, hex);
        sql_tables_read(&tables, statements[i], &mode, normalized);
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} passes[] = {
    {"lexer", pass_lexer},
    {"normalize", pass_normalize},
    {"digest", pass_digest},
    {"facts", pass_facts},
};

/* The best round, as nanoseconds for one pass over all statements. */
static double measure(void (*run)(void))
{
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = clock_monotonic_ns();
        uint64_t spent = 0;
        unsigned runs = 0;
        while (spent < ROUND_NS) {
            run();
            runs++;
            spent = clock_monotonic_ns() - start;
        }
        double one = (double)spent / runs;
        best = round == 0 || one < best ? one : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    load();
    sql_digester_init(&digester);
    sql_tables_init(&tables);
    bool once = argc == 3 && strcmp(argv[1], "--once") == 0;
    if (once) {
        warm_up(); /* grows the memory that is kept, so that growing is not counted */
        printf("%zu\n", count);
    } else {
        printf("%zu statements, %.1f bytes each on average\n", count,
               (double)bytes / (double)count);
        printf("%-10s %14s %10s %10s\n", "pass", "statements/s", "MB/s", "ns/byte");
    }
    for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++) {
        if (once) {
            if (strcmp(argv[2], passes[i].name) == 0) {
                passes[i].run();
            }
            continue;
        }
        double ns = measure(passes[i].run);
        printf("%-10s %14.0f %10.1f %10.2f\n", passes[i].name, (double)count * 1e9 / ns,
               (double)bytes * 1e3 / ns, ns / (double)bytes);
    }
    sql_tables_release(&tables);
    sql_digester_release(&digester);
    for (size_t i = 0; i < count; i++) {
        free((char *)statements[i].at);
    }
    free(statements);
    return checksum == 0;
}
