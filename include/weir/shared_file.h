/* SPDX-License-Identifier: Apache-2.0
 *
 * A file that a plugin reads, and that all nodes of a cluster have alike: rules, filters.
 *
 *     the file ──FLUSH, if it has changed──► checked, in force ──► the store ──► the other nodes: checked, in force
 *
 * A plugin says where the file is, and how a text is checked and put in force. Without a cluster the file is read at the
 * start and by each FLUSH, as if this was not there.
 *
 *   - A FLUSH puts the file only if it has changed (its bytes, or its time) since this process has last read it: a file
 *     that is out of date on one node never undoes what another has put. Otherwise what the cluster has stays.
 *   - At the start what the cluster has counts. A cluster that has nothing yet gets the node's file.
 *   - Of two that are put at the same time one is left, on all nodes. A put that could not be made is made when the store
 *     is back, unless another has come before it.
 *   - What a node cannot take it leaves out, keeps what it has, and says why.
 *   - A text of more than SHARED_TEXT_BYTES stays the node's own.
 *   - What the cluster has is kept in the data directory: a node that starts without the store begins with it.
 *
 * The functions are in <weir/shared_file_code.h>, which one file of the plugin includes. */
#ifndef WEIR_SHARED_FILE_H
#define WEIR_SHARED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <weir/check.h>
#include <weir/error.h>
#include <weir/plugin.h>
#include <weir/shared_text.h>

struct shared_file_plan {
    const char *what;   /* in the log's sentences: "rules" */
    const char *prefix; /* of its keys in the plugin's store */
    const char
        *copy; /* name of what is kept in the data directory; NULL: the file itself is rewritten */
    const char *if_missing; /* the text of a file that is not there; NULL: that is a mistake */
    /* Checks a text, and puts it in force. False and the problem: nothing has changed. `name` stands for the file in
     * messages. One call at a time; on a thread that serves no session. */
    bool (*take)(void *user, weir_string text, const char *name, struct error *error);
    /* What becomes of a text that was to be put where another has been put meanwhile: `base` is what both have begun with.
     * Returns owned, NUL-terminated, or NULL: the other one holds. The function may be NULL. */
    char *(*merge)(weir_string base, weir_string mine, weir_string theirs);
    void *user;
};

struct shared_file;

/* Reads the file, and puts it in force. Returns owned (shared_file_close), or NULL and the problem. The plan is copied. */
WEIR_MUST_CHECK struct shared_file *shared_file_open(const struct shared_file_plan *plan,
                                                     const char *path, struct error *error);

/* Shares it from now on. Waits for what the cluster has, for two seconds at most. */
void shared_file_join(struct shared_file *file);

/* What OnFlush does. False and the problem. */
WEIR_MUST_CHECK bool shared_file_flush(struct shared_file *file, struct error *error);

/* Between these two nothing is put in force, and a plugin can change the file itself. When it has written it, and put it in
 * force, it says so before it leaves. */
void shared_file_enter(struct shared_file *file);
void shared_file_written(struct shared_file *file);
void shared_file_leave(struct shared_file *file);

/* Whether what the cluster has could not be taken here. Any thread. */
bool shared_file_is_refused(struct shared_file *file);

/* OnShutdown, or after shared_file_open() if the plugin does not start after all. file may be NULL. */
void shared_file_close(struct shared_file *file);

#endif
