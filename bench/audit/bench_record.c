/* SPDX-License-Identifier: Apache-2.0
 *
 * What one record costs in the plugin itself, in JSON, into a file: the processor time of the
 * thread that serves the session, and of the whole process with the writer. The best of many short
 * rounds, so that what else runs on the machine matters little. The host's part (digest, kind,
 * tables) is measured by make bench-sql.
 *
 *     bench_record FILE */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <weir/clock.h>

#include "collect.h"
#include "fake_host.h"
#include "journal.h"

#define ROUNDS       40
#define RECORDS      20000 /* of a round: less than the buffer has room for */
#define BUFFER_BYTES (64U << 20)
#define SETTLE_NS    60000000 /* for the writer to finish after a round */

static const weir_table table = {{"sbtest", 6}, {"sbtest1", 7}, WEIR_TABLE_READ};

/* A point select, as the host tells of it. */
static void fill(struct weir_session *session)
{
    static const struct {
        enum weir_text_fact fact;
        const char *text;
    } texts[] = {
        {WEIR_TEXT_user, "tester"},
        {WEIR_TEXT_host, "127.0.0.1"},
        {WEIR_TEXT_client_ip, "127.0.0.1"},
        {WEIR_TEXT_current_user, "tester@%"},
        {WEIR_TEXT_database, "sbtest"},
        {WEIR_TEXT_command, "Query"},
        {WEIR_TEXT_sql, "SELECT c FROM sbtest1 WHERE id=4996"},
        {WEIR_TEXT_specific_kind, "Select"},
        {WEIR_TEXT_digest, "3f9a2ff4c5c2c9b7a1e0d3f4b5a69788796a5b4c3d2e1f0011223344556677ab"},
    };
    fake_session_init(session);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        session->text[texts[i].fact] = text_of(texts[i].text);
    session->tables = &table;
    session->table_count = 1;
    session->refuses_holds = true;
    session->number[WEIR_NUMBER_connection_id] = (1U << 31) + 5;
    session->number[WEIR_NUMBER_connection_type] = WEIR_TYPE_TCP;
    session->number[WEIR_NUMBER_client_port] = 40000;
    session->number[WEIR_NUMBER_statement_number] = 1000;
    session->number[WEIR_NUMBER_tables_known] = 1;
    session->number[WEIR_NUMBER_names_known] = 1;
    session->number[WEIR_NUMBER_duration] = 241000;
    session->number[WEIR_NUMBER_bytes] = 312;
    session->number[WEIR_NUMBER_rows] = 1;
    session->number[WEIR_NUMBER_affected_rows] = session->number[WEIR_NUMBER_warnings] = 0;
    session->number[WEIR_NUMBER_last_insert_id] = 0;
}

static void record_one(struct journal *journal, struct weir_session *session,
                       struct audited *audited, struct scratch *scratch)
{
    const struct collect_options options = {.with_digest = true,
                                            .with_tables = true,
                                            .with_parameters = true,
                                            .sql_limit = 1 << 20,
                                            .format = &format_json};
    collect_statement(scratch, audited, session, WEIR_COMPLETED, &options);
    collect_session_part(scratch, audited, &format_json);
    strbuf_reset(&scratch->bodies);
    format_json.write(&scratch->bodies, &scratch->record);
    journal_add(journal, session, &format_json, &scratch->bodies, scratch->record.time_ns);
}

static void measure(struct journal *journal)
{
    const struct timespec settle = {.tv_nsec = SETTLE_NS};
    struct weir_session session;
    struct scratch scratch = {0};
    double best_thread = 1e18, best_process = 1e18;
    fill(&session);
    struct audited *audited = audited_new(&session);
    for (int round = 0; round < ROUNDS; round++) {
        double thread = (double)clock_read_ns(CLOCK_THREAD_CPUTIME_ID),
               process = (double)clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
        for (int i = 0; i < RECORDS; i++)
            record_one(journal, &session, audited, &scratch);
        nanosleep(&settle, NULL);
        thread = ((double)clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - thread) / RECORDS;
        process = ((double)clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - process) / RECORDS;
        best_thread = thread < best_thread ? thread : best_thread;
        best_process = process < best_process ? process : best_process;
    }
    printf("a record of %zu bytes: %.0f ns where the session is served, %.0f ns with the writer\n",
           scratch.bodies.size, best_thread, best_process);
    audited_free(audited);
    scratch_release(&scratch);
}

int main(int count, char **arguments)
{
    static struct sink_options sink;
    struct error error;
    if (count != 2) {
        fprintf(stderr, "usage: bench_record FILE\n");
        return 2;
    }
    sink.file = arguments[1];
    const struct journal_options options = {.sink = &sink_file,
                                            .sink_options = &sink,
                                            .format = &format_json,
                                            .strategy = STRATEGY_ASYNCHRONOUS,
                                            .buffer_bytes = BUFFER_BYTES};
    struct journal *journal = journal_start(&options, &error);
    if (!journal) {
        fprintf(stderr, "bench_record: %s\n", error.message);
        return EXIT_FAILURE;
    }
    measure(journal);
    journal_stop(journal);
    remove(sink.file);
    return EXIT_SUCCESS;
}
