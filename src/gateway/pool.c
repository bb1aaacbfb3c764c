/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/pool.h"

#include "gateway/facts.h"

static void on_work(uv_work_t *work)
{
    struct pool_job *job = work->data;
    job->run(job);
}

static void on_worked(uv_work_t *work, int status)
{
    struct pool_job *job = work->data;
    struct session *session = job->session;
    session->work_in_pool = false;
    facts_attach(session);
    if (!session_is_open(session)) {
        session_free_if_done(session);
        return;
    }
    job->done(session, status != 0);
    session_update_interest(session);
}

void pool_run(struct session *session, struct pool_job *job, void (*run)(struct pool_job *job),
              void (*done)(struct session *session, bool cancelled))
{
    *job = (struct pool_job){.session = session, .run = run, .done = done};
    job->work.data = job;
    session->work_in_pool = true;
    session->facts.source = NULL; /* what computes facts belongs to the worker's thread */
    session_enter(session, SESSION_ADMINISTERING);
    uv_queue_work(&session->worker->loop, &job->work, on_work, on_worked);
}
