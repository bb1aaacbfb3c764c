/* SPDX-License-Identifier: Apache-2.0
 *
 * What sql_firewall itself costs for a statement: the packaged plugin is loaded into this program,
 * which is its host and knows all facts beforehand.
 *
 *     bench PLUGIN.so RULES.toml ALLOW_LIST MODE ("-": no rules; MODE: 0 OFF to 3 PROTECTING)
 *
 * Prints nanoseconds of CPU time a statement, the median of several rounds, and how many of a
 * hundred statements are refused. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weir/plugin.h>

#define ROUNDS     9
#define STATEMENTS 200000 /* of a round */

/* X(text, normalised, digest, kind, access) of sysbench's OLTP; the digests are SHA-256 of the
 * normalised texts, put in by run.py. */
#include "statements.h"

struct weir_session {
    weir_string text[64];
    uint64_t number[64];
    weir_part part;
    weir_table table;
};

#define STRING(words) ((weir_string){(words), sizeof(words) - 1})

static struct weir_session sessions[] = {
#define X(sql_, normalized_, digest_, kind_, access_)                                              \
    {.text = {[WEIR_TEXT_sql] = STRING(sql_),                                                      \
              [WEIR_TEXT_normalized] = STRING(normalized_),                                        \
              [WEIR_TEXT_digest] = STRING(digest_),                                                \
              [WEIR_TEXT_command] = STRING("Query"),                                               \
              [WEIR_TEXT_current_user] = STRING("app@10.%")},                                      \
     .number = {[WEIR_NUMBER_tables_known] = 1,                                                    \
                [WEIR_NUMBER_digest_exact] = 1,                                                    \
                [WEIR_NUMBER_statement_count] = 1},                                                \
     .part = {STRING(kind_), STRING(kind_), WEIR_PART_HAS_WHERE},                                  \
     .table = {STRING("sbtest"), STRING("sbtest1"), (access_)}},
    STATEMENTS_OF_SYSBENCH(X)
#undef X
};
#define KINDS (sizeof sessions / sizeof *sessions)

static const char *paths[3]; /* of the plugin, the rules, the allow-list */
static unsigned long long refused;

static weir_string text(const weir_session *session, uint32_t fact)
{
    return session->text[fact];
}

static uint64_t number(const weir_session *session, uint32_t fact)
{
    return session->number[fact];
}

static int part(const weir_session *session, size_t index, weir_part *answer)
{
    *answer = session->part;
    return index == 0;
}

static int table(const weir_session *session, size_t index, weir_table *answer)
{
    *answer = session->table;
    return index == 0;
}

static void refuse(weir_session *session, uint32_t code, const char *sqlstate, const char *message,
                   size_t size)
{
    (void)session;
    (void)code;
    (void)sqlstate;
    (void)message;
    (void)size;
    refused++;
}

static void log_line(const weir_plugin *plugin, int level, const char *message, size_t size)
{
    (void)plugin;
    if (level == WEIR_LOG_ERROR)
        fprintf(stderr, "%.*s\n", (int)size, message);
}

static void report_failure(const weir_plugin *plugin, const char *message, size_t size)
{
    (void)plugin;
    fprintf(stderr, "%.*s\n", (int)size, message);
}

static weir_string library(const weir_plugin *plugin)
{
    (void)plugin;
    return (weir_string){paths[0], strlen(paths[0])};
}

/* sql_firewall_mode, sql_firewall_rules, sql_firewall_allow_list */
static weir_string variable_text(const weir_plugin *plugin, uint32_t variable)
{
    (void)plugin;
    const char *path = variable < 3 ? paths[variable] : "";
    return (weir_string){path, strlen(path)};
}

static const weir_host_functions functions = {
    .api_version = WEIR_API_VERSION,
    .struct_size = offsetof(weir_host_functions, data_directory),
    .text = text,
    .number = number,
    .part = part,
    .table = table,
    .refuse = refuse,
    .log = log_line,
    .report_failure = report_failure,
    .library = library,
    .variable_text = variable_text,
};

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double measure(const weir_manifest *manifest)
{
    double rounds[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_ns();
        for (size_t i = 0; i < STATEMENTS; i++) {
            weir_session *session = &sessions[i % KINDS];
            manifest->on_general_event(session, WEIR_STARTING, "Query");
            manifest->on_general_event(session, WEIR_COMPLETED, "Query");
        }
        rounds[round] = (cpu_ns() - start) / STATEMENTS;
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
    paths[0] = words[1];
    paths[1] = strcmp(words[2], "-") == 0 ? "" : words[2];
    paths[2] = words[3];
    *manifest->host = &functions;
    manifest->variable_numbers[0] = atoi(words[4]);
    if (manifest->on_init(manifest) != WEIR_OK)
        return 1;
    double ns = measure(manifest);
    printf("%.0f %.0f\n", ns, 100.0 * (double)refused / STATEMENTS / ROUNDS);
    manifest->on_shutdown(manifest);
    return 0;
}
