/* SPDX-License-Identifier: Apache-2.0
 *
 * The statement at work and its current action. perform() carries actions out until one has to wait
 * (QUERYING, WORKING, RUNNING) or has ended the statement (READY). */
#include "gateway/session/local_run.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/session/answers.h"
#include "gateway/session/query.h"

struct local_run {
    struct local *local;
    struct local_action action; /* the one that is carried out */
    bool is_granted;            /* PRIVILEGE: a row of SHOW GRANTS has it */
    bool is_cancelled;          /* WORK: it was not run */
};

static void perform(struct session *session, struct local_action action);

static struct local_action next(struct session *session, const struct local_outcome *outcome)
{
    struct local_run *run = session->local;
    return run->action.next(run->local, outcome);
}

void local_run_release(struct session *session)
{
    struct local_run *run = session->local;
    session->local = NULL;
    if (run)
        local_end(run->local);
    free(run);
}

/* ---- ANSWER ---- */

static void end_with_error(struct session *session, unsigned code, const char *sqlstate,
                           const char *message)
{
    if (!sqlstate || !*sqlstate)
        sqlstate = wire_error_sqlstate((uint16_t)code);
    events_failed(&session->observed, code, sqlstate, message);
    answer_error(session, code, sqlstate, message);
}

/* Plugins are notified that the statement has completed. false: one has failed, and the session has
 * ended. */
static bool completed(struct session *session, const struct wire_result *result)
{
    struct plugin_verdict verdict;
    events_completed(&session->observed, result, &verdict);
    if (verdict.outcome == PLUGIN_REFUSED)
        session_fail_refused(session, CLOSE_PLUGIN_FAILED, &verdict.refusal);
    return verdict.outcome != PLUGIN_REFUSED;
}

static void end_with_rows(struct session *session, const struct local_answer *rows)
{
    struct written_answer written;
    answer_write_rows(session, &written, rows->columns, rows->column_count, rows->values,
                      rows->row_count, rows->warnings);
    struct wire_result result = {.rows = rows->row_count,
                                 .bytes = written.out.size,
                                 .status = session->tracker.status,
                                 .warnings = rows->warnings,
                                 .is_result_set = true};
    if (completed(session, &result))
        answer_send(session, &written);
    else
        strbuf_release(&written.out);
}

static void end_with(struct session *session, const struct local_answer *answer)
{
    struct wire_result ok = {.status = session->tracker.status};
    if (answer->took_effect)
        events_took_effect(&session->observed);
    switch (answer->kind) {
    case LOCAL_ERROR:
        end_with_error(session, answer->error.code, answer->error.sqlstate, answer->error.message);
        break;
    case LOCAL_OK:
        if (completed(session, &ok))
            answer_ok(session);
        break;
    case LOCAL_ROWS:
        end_with_rows(session, answer);
        break;
    case LOCAL_PAYLOAD:
        if (completed(session, &answer->result))
            answer_payload(session, answer->payload, answer->payload_size);
        break;
    }
}

static void answer(struct session *session)
{
    end_with(session, &session->local->local->answer);
    local_run_release(session);
    if (!session_is_open(session))
        return;
    events_end(&session->observed);
    session_enter(session, SESSION_READY);
}

/* ---- FORWARD ---- */

static void forward(struct session *session)
{
    struct local_run *run = session->local;
    struct strbuf *packet = &run->local->packet;
    struct wire_input input = {(uint8_t *)packet->data, (uint8_t *)packet->data + packet->size};
    struct wire_packet command;
    bool keeps_reply = run->action.reply_packet != NULL;
    session_enter(session, SESSION_READY);
    if (keeps_reply)
        wire_tracker_want(&session->tracker, WIRE_WANT_ALL);
    if (packet->failed ||
        wire_tracker_next(&session->tracker, WIRE_FROM_CLIENT, &input, &command) != WIRE_PACKET) {
        session_close(session, CLOSE_NO_MEMORY);
        return;
    }
    leg_write(&session->backend, packet->data, packet->size, (uint8_t)(command.sequence + 1));
    session_enter(session, SESSION_RUNNING);
    if (keeps_reply)
        strbuf_release(packet);
    else
        local_run_release(session);
}

bool local_replaces_reply(const struct session *session)
{
    return session->local && session->local->action.reply_packet;
}

void local_reply_packet(struct session *session, const struct wire_packet *packet)
{
    struct local_run *run = session->local;
    run->action.reply_packet(run->local, packet, &session->tracker.result);
}

void local_pass_reply(struct session *session, uint8_t sequence)
{
    struct local *local = session->local->local;
    struct strbuf *reply = &local->reply;
    if (reply->failed) {
        session_close(session, CLOSE_NO_MEMORY);
        return;
    }
    if (reply->size)
        client_write(session, reply->data, reply->size, (uint8_t)(sequence + local->shift));
    strbuf_reset(reply);
    if (!session_is_owed(session)) {
        wire_tracker_want(&session->tracker, RELAY_WANTS);
        local_run_release(session);
    }
}

/* ---- QUERY ---- */

static void query_row(struct session *session, const struct wire_string *values, size_t count)
{
    struct local_run *run = session->local;
    if (run->action.row)
        run->action.row(run->local, values, count);
}

static void query_packet(struct session *session, const struct wire_packet *packet)
{
    struct local_run *run = session->local;
    session->observed.status = session->tracker.status;
    if (run->action.packet)
        run->action.packet(run->local, packet, &session->tracker.result);
}

static void query_done(struct session *session, unsigned error_code)
{
    struct local_outcome outcome = {.error_code = error_code, .result = &session->tracker.result};
    perform(session, next(session, &outcome));
}

static const struct query_handlers statement_query = {
    .row = query_row, .packet = query_packet, .done = query_done};

/* ---- PRIVILEGE ---- */

static void grants_row(struct session *session, const struct wire_string *values, size_t count)
{
    struct local_run *run = session->local;
    if (count == 1 && local_grants(values[0], run->action.privileges))
        run->is_granted = true;
}

static void grants_done(struct session *session, unsigned error_code)
{
    struct local_run *run = session->local;
    struct local_outcome outcome = {0};
    char message[256];
    if (!error_code && run->is_granted) {
        perform(session, next(session, &outcome));
        return;
    }
    local_denied_message(run->action.privileges, message, sizeof message);
    perform(session, local_fail(run->local, WIRE_ER_SPECIFIC_ACCESS_DENIED_ERROR, "%s", message));
}

static const struct query_handlers grants_query = {.row = grants_row, .done = grants_done};

/* ---- WORK ---- */

void session_work(struct session *session)
{
    struct local_run *run = session->local;
    assert(session->work_is_out && run && run->action.work);
    local_do_work(run->local, run->action.work);
}

bool local_worked(struct session *session)
{
    struct local_outcome outcome = {.cancelled = session->local->is_cancelled};
    perform(session, next(session, &outcome));
    return true;
}

void local_set_cancelled(struct session *session, bool cancelled)
{
    session->local->is_cancelled = cancelled;
}

/* ---- Carrying out ---- */

/* A query needs READY before it, also where the action before was one. */
static void begin_query(struct session *session, const char *text,
                        const struct query_handlers *handlers)
{
    session_enter(session, SESSION_READY);
    query_begin(session, text, handlers);
}

static void perform(struct session *session, struct local_action action)
{
    static const struct local_outcome granted = {0};
    struct local_run *run = session->local;
    run->action = action;
    run->is_granted = false;
    while (run->action.kind == LOCAL_PRIVILEGE && !*run->action.privileges)
        run->action = next(session, &granted);
    run->action = local_conclude(run->local, run->action);
    switch (run->action.kind) {
    case LOCAL_ANSWER:
        answer(session);
        break;
    case LOCAL_FORWARD:
        forward(session);
        break;
    case LOCAL_QUERY:
        begin_query(session, run->action.text, &statement_query);
        break;
    case LOCAL_PRIVILEGE:
        begin_query(session, "SHOW GRANTS", &grants_query);
        break;
    case LOCAL_WORK:
        session_enter(session, SESSION_WORKING);
        break;
    }
}

void local_run(struct session *session, const struct local_statement *statement,
               const struct wire_packet *command)
{
    wire_tracker_withdraw_command(&session->tracker);
    session_count(session, METRIC_STATEMENTS_LOCAL, 1);
    session_count_outcome(session, METRIC_OUTCOME_LOCAL);
    struct local_run *run = session->local = calloc(1, sizeof *run);
    if (run)
        run->local = local_begin(statement, &session->observed);
    if (!run || !run->local)
        session_close(session, CLOSE_NO_MEMORY);
    else
        perform(session, statement->begin(run->local, command));
}
