/* SPDX-License-Identifier: Apache-2.0
 *
 * A store that the test plays, and nodes that share a file by it. Requests wait until the test has them answered, and
 * changes until it has them told: in each order that may be. All callbacks are the test's own thread's. */
#ifndef SHARED_STORE_H
#define SHARED_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <weir/clock.h>
#include <weir/shared_file.h>

#include "fake_host.h"

#define NODES  3
#define EVENTS 8192

struct test_node {
    struct shared_file *file;
    char path[128], copy[32];
    weir_store_watcher *watcher;
    void *watched;
    size_t told; /* events that it has been told of */
    bool is_away;
    pthread_mutex_t lock;
    char *in_force; /* owned; under lock */
    char *
        refuses; /* a text that it cannot take, borrowed; NULL: takes what does not begin with "wrong" */
};
extern struct test_node nodes[NODES];
extern char test_folder[64];
extern bool store_is_away, store_is_local; /* for nodes that join */

/* Sets up the fake host, a folder and an empty store; removes them. */
int store_setup(void **state);
int store_teardown(void **state);

/* Answers the oldest request; how: DONE (as it is), FAILED (not done), UNKNOWN (done, and the answer is lost). False: none
 * waits. */
bool store_answer(weir_store_status how);
/* Forgets a request that waits: its node is no more. */
void store_forget(void);
size_t store_waiting(void);
/* Tells a node of what has changed. */
void store_tell(struct test_node *node);
/* The store is not reached by the node, or is again. */
void store_leave(struct test_node *node);
void store_return(struct test_node *node);
/* Somebody else's changes. */
void store_write(const char *key, const char *value);
void store_delete(const char *key);
/* Forgets everything, and tells the nodes. */
void store_empty(void);
/* Of the store. */
size_t store_keys(void);
unsigned store_heads(void); /* that were put */
char *store_text(void);     /* that the head names; owned; NULL: none */

/* Answers and tells everything, in order, until it is so; fails after 20 s. */
#define store_until(condition)                                                                     \
    do {                                                                                           \
        const uint64_t begun_ns = clock_monotonic_ns();                                            \
        while (!(condition)) {                                                                     \
            assert_true(clock_monotonic_ns() - begun_ns < 20 * CLOCK_NS_PER_S);                    \
            store_run();                                                                           \
        }                                                                                          \
    } while (0)
void store_run(void);
/* Runs until nothing has happened for a while. */
void store_quiet(void);

/* Writes a node's file, with a time that no write before had. */
void node_write(struct test_node *node, const char *text);
void node_touch(struct test_node *node);
void node_open(struct test_node *node);
void node_start(struct test_node *node, const char *text); /* writes, opens, joins */
void node_stop(struct test_node *node);
bool node_flush(struct test_node *node);
bool node_has(struct test_node *node, const char *text);
bool node_copy_is(const struct test_node *node, const char *text);
extern struct error node_error;
/* Plans that nodes are opened with. */
extern bool node_rewrites;
extern const char *node_if_missing;
extern char *(*node_merge)(weir_string base, weir_string mine, weir_string theirs);
unsigned warnings_logged(void);

#endif
