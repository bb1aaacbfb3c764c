/* SPDX-License-Identifier: Apache-2.0
 *
 * What sql_firewall itself costs for a statement: the packaged plugin is loaded into this program,
 * whose fake host knows all facts beforehand.
 *
 *     bench PLUGIN.so RULES.toml ALLOW_LIST MODE ("-": no rules; MODE: 0 OFF to 3 PROTECTING)
 *
 * Prints nanoseconds of CPU time a statement, the median of several rounds, and how many of a
 * hundred statements are refused. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/clock.h>
#include <weir/text.h>

#include "fake_host.h"

#define ROUNDS     9
#define STATEMENTS 200000 /* of a round */

/* X(text, normalised, digest, kind, access) of sysbench's OLTP; the digests are SHA-256 of the
 * normalised texts, put in by run.py. */
#include "statements.h"

#define STRING(words)                                                                              \
    {                                                                                              \
        (words), sizeof(words) - 1                                                                 \
    }

static struct weir_session sessions[] = {
#define X(sql_, normalized_, digest_, kind_, access_)                                              \
    {.text = {[WEIR_TEXT_sql] = STRING(sql_),                                                      \
              [WEIR_TEXT_normalized] = STRING(normalized_),                                        \
              [WEIR_TEXT_digest] = STRING(digest_),                                                \
              [WEIR_TEXT_command] = STRING("Query"),                                               \
              [WEIR_TEXT_database] = STRING("sbtest"),                                             \
              [WEIR_TEXT_current_user] = STRING("app@10.%")},                                      \
     .number = {[WEIR_NUMBER_tables_known] = 1,                                                    \
                [WEIR_NUMBER_names_known] = 1,                                                     \
                [WEIR_NUMBER_digest_exact] = 1,                                                    \
                [WEIR_NUMBER_reading_known] = 1,                                                   \
                [WEIR_NUMBER_statement_count] = 1},                                                \
     .parts = (const weir_part[]){{STRING(kind_), STRING(kind_), WEIR_PART_HAS_WHERE}},            \
     .part_count = 1,                                                                              \
     .tables = (const weir_table[]){{STRING("sbtest"), STRING("sbtest1"), (access_)}},             \
     .table_count = 1},
    STATEMENTS_OF_SYSBENCH(X)
#undef X
};
#define KINDS (sizeof sessions / sizeof *sessions)

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double measure(const weir_manifest *manifest)
{
    double rounds[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
        for (size_t i = 0; i < STATEMENTS; i++) {
            weir_session *session = &sessions[i % KINDS];
            manifest->on_general_event(session, WEIR_STARTING, "Query");
            manifest->on_general_event(session, WEIR_COMPLETED, "Query");
        }
        rounds[round] = (double)(clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / STATEMENTS;
    }
    qsort(rounds, ROUNDS, sizeof *rounds, by_size);
    return rounds[ROUNDS / 2];
}

int main(int count, char **words)
{
    if (count != 5)
        return 2;
    void *plugin = dlopen(words[1], RTLD_NOW);
    weir_manifest *manifest = plugin ? dlsym(plugin, "weir_plugin_manifest") : NULL;
    if (!manifest) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    /* sql_firewall_mode, sql_firewall_rules, sql_firewall_allow_list */
    fake_host.library = text_of(words[1]);
    fake_host.variables[1] = text_of(strcmp(words[2], "-") == 0 ? "" : words[2]);
    fake_host.variables[2] = text_of(words[3]);
    fake_host.prints_errors = true;
    *manifest->host = weir_host_table;
    manifest->variable_numbers[0] = atoi(words[4]);
    if (manifest->on_init(manifest) != WEIR_OK)
        return 1;
    double ns = measure(manifest);
    printf("%.0f %.0f\n", ns,
           100.0 * (double)atomic_load(&fake_host.refusals) / STATEMENTS / ROUNDS);
    manifest->on_shutdown(manifest);
    return 0;
}
