/* SPDX-License-Identifier: Apache-2.0
 *
 * Work for a session that may block (a plugin's, the disk's): a thread of libuv's pool does it while
 * the session waits. A session that is closed meanwhile is freed once the work has ended. */
#ifndef WEIR_GATEWAY_POOL_H
#define WEIR_GATEWAY_POOL_H

#include "gateway/session.h"

/* A part of what the work is about, and lives as long as that. */
struct pool_job {
    uv_work_t work;
    struct session *session;
    void (*run)(struct pool_job *job);
    void (*done)(struct session *session, bool cancelled);
};

/* The session is ADMINISTERING until done() is called, on its own thread; not called when the
 * session has been closed. run() is called on a thread of the pool, and must not touch more of the
 * session than its facts. */
void pool_run(struct session *session, struct pool_job *job, void (*run)(struct pool_job *job),
              void (*done)(struct session *session, bool cancelled));

/* The struct of which a job is the member of that name. */
#define POOL_JOB_OF(job, type, member) ((type *)((char *)(job)-offsetof(type, member)))

#endif
