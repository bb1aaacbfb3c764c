/* SPDX-License-Identifier: Apache-2.0
 *
 * A few places, found by comparing: this is the path of what has gone wrong, and a plugin that has
 * more than a few ways to fail at a time loses only the count of the oldest, which is logged first. */
#include "plugin/host/complaints.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

#define QUIET_NS 1000000000U /* after a message was logged, its repetitions are counted */

void complaints_init(struct complaints *complaints)
{
    memset(complaints, 0, sizeof *complaints);
    pthread_mutex_init(&complaints->lock, NULL);
}

static void log_repetitions(struct complaint *complaint, const char *name)
{
    if (complaint->left_out)
        log_error("plugin", "%s %s (%llu more times)", name, complaint->message,
                  (unsigned long long)complaint->left_out);
    complaint->left_out = 0;
}

/* Where the message is kept, or is to be: its own place, a free one, or the oldest. */
static struct complaint *find(struct complaints *complaints, const char *message)
{
    struct complaint *found = complaints->kept;
    for (size_t i = 0; i < COMPLAINTS_KEPT; i++) {
        struct complaint *complaint = &complaints->kept[i];
        if (complaint->logged_ns && strcmp(complaint->message, message) == 0)
            return complaint;
        if (complaint->logged_ns < found->logged_ns)
            found = complaint;
    }
    return found;
}

void complaints_add(struct complaints *complaints, const char *name, uint64_t now_ns,
                    const char *message)
{
    assert(complaints && name && message && now_ns);
    char cut[COMPLAINT_BYTES];
    snprintf(cut, sizeof cut, "%s", message);
    pthread_mutex_lock(&complaints->lock);
    struct complaint *complaint = find(complaints, cut);
    bool is_known = complaint->logged_ns && strcmp(complaint->message, cut) == 0;
    for (size_t i = 0; i < COMPLAINTS_KEPT; i++) {
        struct complaint *other = &complaints->kept[i];
        if (other != complaint && now_ns - other->logged_ns >= QUIET_NS)
            log_repetitions(other, name);
    }
    if (is_known && now_ns - complaint->logged_ns < QUIET_NS) {
        complaint->left_out++;
    } else {
        log_repetitions(complaint, name);
        memcpy(complaint->message, cut, sizeof cut);
        complaint->logged_ns = now_ns;
        log_error("plugin", "%s %s", name, cut);
    }
    pthread_mutex_unlock(&complaints->lock);
}

void complaints_end(struct complaints *complaints, const char *name)
{
    pthread_mutex_lock(&complaints->lock);
    for (size_t i = 0; i < COMPLAINTS_KEPT; i++)
        log_repetitions(&complaints->kept[i], name);
    pthread_mutex_unlock(&complaints->lock);
}
