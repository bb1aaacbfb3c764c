/* SPDX-License-Identifier: Apache-2.0
 *
 * Visits of all workers that add up to one list. It belongs to the visits; the last one to be over frees it. */
#include "gateway/processes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/connection.h"

#define WAIT_MS 2000 /* for workers: one may be in a plugin's callback */

struct process_visit {
    struct worker_visit visit; /* first */
    struct processes *processes;
};

struct processes {
    void (*done)(void *user, struct processes *processes);
    void *user;
    pthread_mutex_t lock; /* of what follows */
    size_t left;          /* visits that are not over */
    struct node_process *rows;
    size_t count, capacity;
    struct process_visit visits[];
};

void processes_open(struct gateway *gateway)
{
    pthread_mutex_lock(&gateway->visits_lock);
    gateway->may_visit = true;
    pthread_mutex_unlock(&gateway->visits_lock);
}

void processes_close(struct gateway *gateway)
{
    pthread_mutex_lock(&gateway->visits_lock);
    gateway->may_visit = false;
    pthread_mutex_unlock(&gateway->visits_lock);
}

/* ---- A worker's part ---- */

static void release_row(struct node_process *row)
{
    free((char *)row->user);
}

/* All texts in one block, of which the first one is the start. Returns false without memory. */
static bool copy_texts(struct node_process *row)
{
    const char **const texts[] = {&row->user,  &row->host,   &row->database, &row->command,
                                  &row->state, &row->digest, &row->text};
    size_t size = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        size += strlen(*texts[i]) + 1;
    char *at = malloc(size);
    if (!at)
        return false;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const size_t length = strlen(*texts[i]) + 1;
        memcpy(at, *texts[i], length);
        *texts[i] = at;
        at += length;
    }
    return true;
}

/* The lock is held. */
static bool make_room(struct processes *processes)
{
    if (processes->count < processes->capacity)
        return true;
    const size_t capacity = processes->capacity ? 2 * processes->capacity : 64;
    struct node_process *rows = realloc(processes->rows, capacity * sizeof *rows);
    if (!rows)
        return false;
    processes->rows = rows;
    processes->capacity = capacity;
    return true;
}

/* Whole characters of UTF-8. */
static void cut_text(struct sql_span text, char cut[NODE_PROCESS_TEXT_BYTES + 1])
{
    size_t size = text.size < NODE_PROCESS_TEXT_BYTES ? text.size : NODE_PROCESS_TEXT_BYTES;
    while (size < text.size && size > 0 && ((unsigned char)text.at[size] & 0xc0) == 0x80)
        size--;
    if (size)
        memcpy(cut, text.at, size);
    cut[size] = 0;
}

/* What has begun before is known; an idle session has been since the backend said something last. */
static int64_t seconds_of(const struct connection *connection,
                          const struct session_description *description)
{
    const uint64_t now_ns = clock_monotonic_ns();
    const uint64_t now_ms = uv_now(&connection->worker->loop);
    if (description->since_ns)
        return (int64_t)((now_ns - description->since_ns) / CLOCK_NS_PER_S);
    return connection->heard_ms && now_ms >= connection->heard_ms
               ? (int64_t)((now_ms - connection->heard_ms) / 1000)
               : -1;
}

static void add_connection(struct processes *processes, const struct connection *connection)
{
    struct session_description description;
    char text[NODE_PROCESS_TEXT_BYTES + 1];
    if (connection->is_over || !session_describe(connection->session, &description))
        return;
    cut_text(description.text, text);
    struct node_process row = {.id = description.id,
                               .time_s = seconds_of(connection, &description),
                               .user = description.user,
                               .host = *description.host ? description.host : "localhost",
                               .database = description.database,
                               .command = description.command,
                               .state = description.state,
                               .digest = description.digest,
                               .text = text};
    if (!copy_texts(&row))
        return;
    pthread_mutex_lock(&processes->lock);
    const bool fits = make_room(processes);
    if (fits)
        processes->rows[processes->count++] = row;
    pthread_mutex_unlock(&processes->lock);
    if (!fits)
        release_row(&row);
}

static void end_visits(struct processes *processes, size_t count)
{
    pthread_mutex_lock(&processes->lock);
    processes->left -= count;
    const bool is_last = processes->left == 0;
    pthread_mutex_unlock(&processes->lock);
    if (!is_last)
        return;
    processes->done(processes->user, processes);
    for (size_t i = 0; i < processes->count; i++)
        release_row(&processes->rows[i]);
    free(processes->rows);
    pthread_mutex_destroy(&processes->lock);
    free(processes);
}

static void visit(struct worker *worker, struct worker_visit *own)
{
    struct processes *processes = ((struct process_visit *)own)->processes;
    for (const struct connection *connection = worker->connections; connection;
         connection = connection->next)
        add_connection(processes, connection);
    end_visits(processes, 1);
}

/* ---- All of them ---- */

bool processes_read(struct gateway *gateway, void (*done)(void *user, struct processes *processes),
                    void *user)
{
    pthread_mutex_lock(&gateway->visits_lock);
    const size_t count = gateway->may_visit ? gateway->worker_count : 0;
    struct processes *processes = calloc(1, sizeof *processes + count * sizeof *processes->visits);
    if (!processes) {
        pthread_mutex_unlock(&gateway->visits_lock);
        return false;
    }
    processes->done = done;
    processes->user = user;
    processes->left = count + 1; /* this call is the last one */
    pthread_mutex_init(&processes->lock, NULL);
    for (size_t i = 0; i < count; i++) {
        processes->visits[i] =
            (struct process_visit){.visit = {.run = visit}, .processes = processes};
        worker_give_visit(&gateway->workers[i], &processes->visits[i].visit);
    }
    pthread_mutex_unlock(&gateway->visits_lock);
    end_visits(processes, 1);
    return true;
}

const struct node_process *processes_rows(const struct processes *processes, size_t *count)
{
    *count = processes->count;
    return processes->rows;
}

/* ---- For a statement ---- */

/* What waits, and what comes: freed by the last of both. */
struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t more;
    bool is_done, is_given_up;
    struct strbuf answer; /* as for another node */
};

static void release_waiting(struct waiting *waiting)
{
    strbuf_release(&waiting->answer);
    pthread_mutex_destroy(&waiting->lock);
    pthread_cond_destroy(&waiting->more);
    free(waiting);
}

static void on_done(void *user, struct processes *processes)
{
    const struct node_processes_question all = {.user = ""};
    struct waiting *waiting = user;
    pthread_mutex_lock(&waiting->lock);
    node_processes_write(&waiting->answer, processes->rows, processes->count, &all, SIZE_MAX / 2);
    waiting->is_done = true;
    const bool is_given_up = waiting->is_given_up;
    pthread_cond_broadcast(&waiting->more);
    pthread_mutex_unlock(&waiting->lock);
    if (is_given_up)
        release_waiting(waiting);
}

void processes_give(struct session_process_list *list, unsigned node,
                    const struct node_processes *processes)
{
    for (size_t i = 0; i < processes->count; i++) {
        const struct node_process *row = &processes->rows[i];
        if (list->user && strcmp(list->user, row->user) != 0)
            continue;
        list->each(list, &(struct session_process_row){.node = node,
                                                       .id = row->id,
                                                       .time_s = row->time_s,
                                                       .user = row->user,
                                                       .host = row->host,
                                                       .database = row->database,
                                                       .command = row->command,
                                                       .state = row->state,
                                                       .digest = row->digest,
                                                       .text = row->text});
    }
}

static void give_answer(struct session_process_list *list, unsigned node,
                        const struct strbuf *answer)
{
    struct node_processes processes;
    if (answer->failed ||
        !node_processes_read(&processes, (struct store_bytes){answer->data, answer->size})) {
        strbuf_add_text(list->warnings, "out of memory to list sessions");
        return;
    }
    processes_give(list, node, &processes);
    node_processes_release(&processes);
}

void processes_list(struct gateway *gateway, unsigned node, struct session_process_list *list)
{
    const struct timespec until = clock_deadline(CLOCK_MONOTONIC, WAIT_MS * UINT64_C(1000000));
    struct waiting *waiting = calloc(1, sizeof *waiting);
    int status = 0;
    if (!waiting) {
        strbuf_add_text(list->warnings, "out of memory to list sessions");
        return;
    }
    pthread_mutex_init(&waiting->lock, NULL);
    pthread_cond_init(&waiting->more, NULL);
    const bool is_asked = processes_read(gateway, on_done, waiting);
    pthread_mutex_lock(&waiting->lock);
    while (is_asked && !waiting->is_done && status != ETIMEDOUT)
        status = pthread_cond_clockwait(&waiting->more, &waiting->lock, CLOCK_MONOTONIC, &until);
    const bool is_done = waiting->is_done;
    waiting->is_given_up = is_asked && !is_done;
    pthread_mutex_unlock(&waiting->lock);
    if (is_done)
        give_answer(list, node, &waiting->answer);
    else
        strbuf_add_text(list->warnings,
                        "sessions of this node are missing: a worker has not answered in time");
    if (is_done || !is_asked)
        release_waiting(waiting);
}
