/* SPDX-License-Identifier: Apache-2.0
 *
 * A statement that a limit has ended is ended at its backend, too: with the gateway's own account, because the
 * session has no other connection, and by a thread that may wait for it. */
#include "gateway/ended_statements.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/backends.h"

struct ending {
    uv_work_t work;
    struct gateway *gateway;
    const struct session_backend *backend;
    uint32_t connection; /* at the backend */
};

static void kill_connection(uv_work_t *work)
{
    const struct ending *ending = work->data;
    struct error error = {""};
    char statement[64];
    snprintf(statement, sizeof statement, "KILL CONNECTION %" PRIu32, ending->connection);
    if (backend_kill(ending->gateway, ending->backend, statement, &error))
        log_warn("session",
                 "a statement that a plugin has ended may go on at the backend: %s "
                 "backend_connection=%" PRIu32,
                 error.message, ending->connection);
}

static void free_ending(uv_work_t *work, int status)
{
    (void)status;
    free(work->data);
}

void end_at_backend(struct worker *worker, const struct session_backend *backend,
                    uint32_t connection)
{
    assert(worker && backend);
    struct ending *ending = calloc(1, sizeof *ending);
    if (!ending) {
        log_warn("session", "out of memory: a statement that a plugin has ended goes on");
        return;
    }
    *ending =
        (struct ending){.gateway = worker->gateway, .backend = backend, .connection = connection};
    ending->work.data = ending;
    if (uv_queue_work(&worker->loop, &ending->work, kill_connection, free_ending))
        free(ending);
}
