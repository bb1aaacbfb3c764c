/* SPDX-License-Identifier: Apache-2.0
 *
 * A prefix that is followed. It is read once, then watched from the revision after that; a watch that
 * ends goes on from the last revision that it has notified of.
 *
 *     WAITS ──► READS ──► WATCHES ──► WAITS ...   what has gone wrong is tried again after a pause
 *       └── a revision is known ──►┘
 *
 * Everything is read anew where etcd has forgotten the revision (compaction), or where its revision is
 * lower than one that was seen: it has been restored from a backup. */
#include <stdlib.h>
#include <string.h>

#include "cluster/etcd_state.h"

#define PAUSE_LEAST_MS 200 /* doubled while nothing succeeds: a login costs etcd much */
#define PAUSE_MOST_MS  3200

static struct store_bytes prefix_of(const struct etcd_follow *follow)
{
    return (struct store_bytes){.data = follow->prefix, .size = follow->prefix_size};
}

static void on_pause_over(void *user)
{
    struct etcd_follow *follow = user;
    if (follow->state == ETCD_FOLLOW_WAITS)
        etcd_follow_start(follow);
}

static void notify(struct etcd_follow *follow, const struct store_news *news)
{
    if (news->kind == STORE_LOST && follow->is_lost)
        return;
    follow->is_lost = news->kind == STORE_LOST;
    if (!follow->is_lost)
        follow->pause_ms = 0;
    follow->follower(follow->user, news);
}

static void pause_follow(struct etcd_follow *follow, const char *why)
{
    follow->state = ETCD_FOLLOW_WAITS;
    follow->watch = NULL;
    if (why)
        notify(follow, &(struct store_news){.kind = STORE_LOST, .message = why});
    const uint64_t pause_ms = follow->pause_ms ? follow->pause_ms : PAUSE_LEAST_MS;
    follow->pause_ms = pause_ms * 2 < PAUSE_MOST_MS ? pause_ms * 2 : PAUSE_MOST_MS;
    if (!store_after(&follow->etcd->store, pause_ms, on_pause_over, follow))
        log_error("cluster", "no memory: a prefix of etcd's is not followed any more");
}

/* ---- Reading ---- */

static void on_read(void *user, const struct store_answer *answer)
{
    struct etcd_follow *follow = user;
    if (atomic_load(&follow->etcd->stopping))
        return;
    if (answer->status != STORE_DONE) {
        pause_follow(follow, answer->message);
        return;
    }
    follow->next_revision = answer->revision + 1;
    notify(follow, &(struct store_news){.kind = STORE_EVERYTHING,
                                        .message = "",
                                        .revision = answer->revision,
                                        .entries = answer->entries,
                                        .count = answer->count});
    follow->state = ETCD_FOLLOW_WAITS;
    etcd_follow_start(follow);
}

static void read_all(struct etcd_follow *follow)
{
    const struct store_request request = {.action = STORE_READ,
                                          .key = prefix_of(follow),
                                          .is_prefix = true,
                                          .done = on_read,
                                          .user = follow};
    follow->state = ETCD_FOLLOW_READS;
    if (!store_call(&follow->etcd->store, &request))
        pause_follow(follow, "no memory");
}

/* ---- Watching ---- */

static bool end_watch(struct etcd_follow *follow, const char *why)
{
    snprintf(follow->failure, sizeof follow->failure, "%s", why);
    return false;
}

/* Returns whether the watch goes on. */
static bool read_line(struct etcd_follow *follow, const struct etcd_answer *answer)
{
    if (answer->is_error) {
        if (etcd_is_token_refusal(answer))
            etcd_token_refused(follow->etcd, follow->token);
        return end_watch(follow, answer->message);
    }
    if (answer->compacted || (answer->revision && answer->revision + 1 < follow->next_revision)) {
        follow->next_revision = 0;
        return end_watch(follow, "etcd has forgotten what came next; everything is read anew");
    }
    if (answer->is_canceled)
        return end_watch(follow, "etcd has ended the watch");
    for (size_t i = 0; i < answer->count; i++)
        if (answer->entries[i].revision >= follow->next_revision)
            follow->next_revision = answer->entries[i].revision + 1;
    /* Without events it is a sign that there are none up to here. */
    if (answer->count == 0 && !answer->is_created && answer->revision)
        follow->next_revision = answer->revision + 1;
    if (answer->count || (answer->is_created && follow->is_lost))
        notify(follow, &(struct store_news){.kind = STORE_CHANGES,
                                            .message = "",
                                            .revision = follow->next_revision - 1,
                                            .entries = answer->entries,
                                            .count = answer->count});
    return true;
}

static bool on_line(void *user, const char *line, size_t size)
{
    struct etcd_follow *follow = user;
    struct etcd_answer answer;
    struct error error = {""};
    const bool goes_on = etcd_answer_read(&answer, line, size, &error) == 0
                             ? read_line(follow, &answer)
                             : end_watch(follow, error.message);
    etcd_answer_release(&answer);
    return goes_on;
}

/* What the stream has ended with may be an error without a newline. */
static void read_rest(struct etcd_follow *follow, const struct etcd_lines *lines)
{
    struct etcd_answer answer;
    struct error error = {""};
    if (follow->failure[0] || lines->begun.size == 0)
        return;
    if (etcd_answer_read(&answer, lines->begun.data, lines->begun.size, &error) == 0)
        (void)read_line(follow, &answer);
    etcd_answer_release(&answer);
}

static void on_ended(struct etcd_transfer *transfer, const struct etcd_outcome *outcome)
{
    struct etcd_follow *follow = transfer->user;
    struct etcd *etcd = follow->etcd;
    struct error why = {""};
    read_rest(follow, &transfer->lines);
    if (outcome->was_cut && !follow->failure[0])
        follow->next_revision = 0; /* a line that is too long would be so again */
    if (follow->failure[0])
        error_set(&why, "%s: %s", etcd->endpoints[transfer->endpoint], follow->failure);
    else
        error_set(&why, "%s", outcome->failure);
    follow->watch = NULL;
    if (follow->next_revision == 0) {
        log_info("cluster", "%s", why.message);
        follow->state = ETCD_FOLLOW_WAITS;
        etcd_follow_start(follow);
        return;
    }
    pause_follow(follow, why.message);
    if (etcd_is_logged_in(etcd)) /* otherwise it is the token, not the endpoint */
        etcd_endpoint_failed(etcd, transfer->endpoint, why.message);
}

static void watch(struct etcd_follow *follow)
{
    struct strbuf body = STRBUF_INIT;
    etcd_request_watch(&body, prefix_of(follow), follow->next_revision);
    follow->failure[0] = 0;
    follow->token = follow->etcd->token_number;
    follow->watch =
        etcd_transfer_start(follow->etcd, ETCD_WATCH_PATH, &body, false, on_line, on_ended, follow);
    if (follow->watch)
        follow->state = ETCD_FOLLOW_WATCHES;
    else
        pause_follow(follow, "no memory");
}

/* ---- For the thread ---- */

void etcd_follow_start(struct etcd_follow *follow)
{
    assert(follow->state == ETCD_FOLLOW_WAITS);
    if (follow->next_revision == 0) {
        read_all(follow);
    } else if (etcd_is_logged_in(follow->etcd)) {
        watch(follow);
    } else {
        etcd_login_start(follow->etcd);
        pause_follow(follow, NULL);
    }
}

void etcd_follows_move(struct etcd *etcd, size_t failed, const char *why)
{
    for (struct etcd_follow *follow = etcd->follows; follow; follow = follow->next) {
        struct etcd_transfer *transfer = follow->watch;
        if (!transfer || (transfer->endpoint == etcd->current && transfer->endpoint != failed))
            continue;
        etcd_transfer_cancel(transfer);
        pause_follow(follow, why);
    }
}

void etcd_follow_free(struct etcd_follow *follow)
{
    free(follow->prefix);
    free(follow);
}
