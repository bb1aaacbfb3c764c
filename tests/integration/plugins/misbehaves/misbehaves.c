/* SPDX-License-Identifier: Apache-2.0
 *
 * Fails on purpose, at the place that the environment variable MISBEHAVES names: a life-cycle
 * function or an event, perhaps of one command. With "keep replies" or "keep verdicts" it takes holds
 * of statements with "keep_word" in them, and gives them back when it is flushed or shut down. With
 * "spin" it does not return from Starting of a text with "spin_word" in it until the file that
 * MISBEHAVES_UNTIL names is there. */
#define _GNU_SOURCE 1 /* memmem() */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/plugin.h>

#define KEPT_MAX 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept {
    weir_hold *hold;
    int is_reply;
} kept[KEPT_MAX]; /* guarded by lock */
static size_t kept_count;

static int is_wanted(const char *what)
{
    const char *wanted = getenv("MISBEHAVES");
    return wanted && !strcmp(wanted, what);
}

static void keep(weir_session *session, weir_general_event event)
{
    weir_string sql = weir_sql(session);
    weir_hold *hold = NULL;
    if (!sql.data || !memmem(sql.data, sql.size, "keep_word", 9))
        return;
    int is_reply = event != WEIR_STARTING;
    if (is_reply && is_wanted("keep replies"))
        hold = weir_hold_reply(session);
    else if (!is_reply && is_wanted("keep verdicts"))
        hold = weir_hold_verdict(session);
    pthread_mutex_lock(&lock);
    if (hold && kept_count < KEPT_MAX)
        kept[kept_count++] = (struct kept){hold, is_reply};
    pthread_mutex_unlock(&lock);
}

static void give_back(void)
{
    pthread_mutex_lock(&lock);
    while (kept_count > 0) {
        const struct kept *last = &kept[--kept_count];
        if (last->is_reply)
            weir_release(last->hold, WEIR_FAIL);
        else
            weir_decide(last->hold, WEIR_REFUSE, 0, NULL, "%s", "much too late");
    }
    pthread_mutex_unlock(&lock);
}

static void spin(const weir_session *session, weir_general_event event)
{
    weir_string sql = weir_sql(session);
    const char *until = getenv("MISBEHAVES_UNTIL");
    if (!until || event != WEIR_STARTING || !is_wanted("spin") || !sql.data ||
        !memmem(sql.data, sql.size, "spin_word", 9))
        return;
    while (access(until, F_OK) != 0)
        continue;
}

static weir_verdict verdict_at(const char *place)
{
    return is_wanted(place) ? WEIR_FAIL : WEIR_OK;
}

weir_verdict Validate(const weir_manifest *manifest)
{
    (void)manifest;
    return verdict_at("Validate");
}

weir_verdict OnInit(const weir_manifest *manifest)
{
    (void)manifest;
    return verdict_at("OnInit");
}

weir_verdict OnShutdown(const weir_manifest *manifest)
{
    (void)manifest;
    give_back();
    return verdict_at("OnShutdown");
}

weir_verdict OnFlush(const weir_manifest *manifest)
{
    (void)manifest;
    give_back();
    return verdict_at("OnFlush");
}

weir_verdict OnConnectionEvent(weir_session *session, weir_connection_event event)
{
    (void)session;
    return verdict_at(weir_connection_event_name(event));
}

weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char *command)
{
    const char *name = weir_general_event_name(event);
    char place[64];
    keep(session, event);
    spin(session, event);
    /* A refusal without words. */
    if (is_wanted("refuse silently") && event == WEIR_STARTING && !strcmp(command, "Query"))
        return WEIR_REFUSE;
    snprintf(place, sizeof place, "%s of %s", name, command); /* "Starting of Close stmt" */
    if (!strcmp(command, "Query") && verdict_at(name) != WEIR_OK)
        return WEIR_FAIL;
    return verdict_at(place);
}
