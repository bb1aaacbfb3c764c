/* SPDX-License-Identifier: Apache-2.0
 *
 * The etcd client's parts, which are one thread's:
 *
 *     etcd.c            the thread: takes what is queued, runs timers and transfers
 *     etcd_transfer.c   one HTTP request at one endpoint
 *     etcd_call.c       a request of the store: fail-over, and what its answer means
 *     etcd_login.c      the token, which calls and watches wait for
 *     etcd_follow.c     a prefix that is followed: read, watch, and again
 *
 * All use one endpoint, the current one. When it fails for one of them, the next is everybody's. */
#ifndef WEIR_CLUSTER_ETCD_STATE_H
#define WEIR_CLUSTER_ETCD_STATE_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "cluster/etcd.h"
#include "cluster/etcd_answer.h"
#include "cluster/etcd_lines.h"
#include "cluster/etcd_request.h"

struct etcd;
struct etcd_transfer;

/* How a transfer has ended. All of it is borrowed. */
struct etcd_outcome {
    const char *failure;       /* why there is no answer; NULL: there is one */
    bool was_sent;             /* some of the request may have arrived there */
    bool was_cut;              /* we did not want more of it */
    struct etcd_answer answer; /* without a failure; of a watch: empty */
};

typedef void etcd_transfer_done(struct etcd_transfer *transfer, const struct etcd_outcome *outcome);

struct etcd_transfer {
    struct etcd *etcd;
    CURL *easy;
    struct curl_slist *headers;
    struct strbuf url, body, reply; /* reply: of an ordinary request */
    struct etcd_lines lines;        /* of a watch */
    etcd_line *line;                /* a watch's; NULL: an ordinary request */
    etcd_transfer_done *done;
    void *user;
    size_t endpoint;
    char curl_message[CURL_ERROR_SIZE];
    struct etcd_transfer *next, *prev;
};

/* A request of the store. */
struct etcd_call {
    struct etcd *etcd;
    enum store_action action;
    struct strbuf body;
    store_done *done;
    void *user;
    unsigned attempts, logins;
    uint64_t token; /* number of the token that it was sent with */
    struct etcd_call *next, *prev;
};

enum etcd_follow_state { ETCD_FOLLOW_WAITS, ETCD_FOLLOW_READS, ETCD_FOLLOW_WATCHES };

struct etcd_follow {
    struct etcd *etcd;
    enum etcd_follow_state state;
    char *prefix; /* owned */
    size_t prefix_size;
    store_follower *follower;
    void *user;
    int64_t next_revision;       /* that is watched from; 0: everything is to be read */
    struct etcd_transfer *watch; /* WATCHES */
    uint64_t token;              /* number of the token that it watches with */
    bool is_lost;                /* the follower knows that */
    uint64_t pause_ms;           /* the next one; 0: the shortest */
    char failure[256];           /* why the watch is to end; "" if it is not */
    struct etcd_follow *next, *prev;
};

struct etcd_timer {
    uint64_t at_ns;
    store_timer *timer;
    void *user;
    struct etcd_timer *next, *prev;
};

struct etcd {
    struct store store;
    char *endpoints[ETCD_ENDPOINTS_MOST]; /* owned, without a slash at the end */
    size_t endpoint_count;
    char *ca, *certificate, *key, *user, *password; /* owned; NULL: none */
    long timeout_ms;

    pthread_t thread;
    CURLM *multi;
    atomic_bool stopping;
    pthread_mutex_t lock; /* of what other threads add to: */
    struct etcd_call *queued;
    struct etcd_follow *new_follows;
    struct etcd_timer *new_timers;

    /* The thread's own. */
    size_t current; /* endpoint */
    struct etcd_transfer *transfers;
    struct etcd_call *calls; /* that wait for their answer */
    struct etcd_follow *follows;
    struct etcd_timer *timers;
    char *token;           /* owned; NULL: none */
    uint64_t token_number; /* counts them; 0: there has been none */
    bool logging_in;
    unsigned login_attempts;
    struct etcd_call *waiting; /* for a token */
};

/* ---- etcd_transfer.c ---- */

/* Sends path and body (taken) to the current endpoint; done() is called from the loop. line: for a
 * watch. Returns NULL without memory; body is released then, too. */
struct etcd_transfer *etcd_transfer_start(struct etcd *etcd, const char *path, struct strbuf *body,
                                          bool is_repeatable, etcd_line *line,
                                          etcd_transfer_done *done, void *user) WEIR_MUST_CHECK;
/* Ends it without done(). Not from within its own line() or done(). */
void etcd_transfer_cancel(struct etcd_transfer *transfer);
/* Calls done() of those that have ended. */
void etcd_transfers_ended(struct etcd *etcd);

/* ---- etcd_call.c ---- */

void etcd_call_start(struct etcd_call *call);
/* The end of a call that has no answer; frees it. */
void etcd_call_fail(struct etcd_call *call, enum store_status status, const char *message);
/* The endpoint does not answer: the next one is the current one, unless it is another by now. Watches
 * at it begin again. */
void etcd_endpoint_failed(struct etcd *etcd, size_t endpoint, const char *why);

/* ---- etcd_login.c ---- */

/* Whether requests can be sent: there is a token, or none is needed. */
bool etcd_is_logged_in(const struct etcd *etcd);
void etcd_login_start(struct etcd *etcd);
/* A request that was sent with this token was refused for it. */
void etcd_token_refused(struct etcd *etcd, uint64_t number);
/* Whether an answer says that the token is not valid (any more). */
bool etcd_is_token_refusal(const struct etcd_answer *answer);

/* ---- etcd_follow.c ---- */

void etcd_follow_start(struct etcd_follow *follow);
/* Watches that run at another endpoint than the current one, or at `failed`, begin again. Each is told why: the one
 * that fails first would otherwise end the others' attempts for ever, and they would never learn of it. */
void etcd_follows_move(struct etcd *etcd, size_t failed, const char *why);
void etcd_follow_free(struct etcd_follow *follow);

#endif
