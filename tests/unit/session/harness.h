/* SPDX-License-Identifier: Apache-2.0
 *
 * harness: a session between two peers in memory. It does what src/gateway/connection.c does: it
 * feeds the session what the peers have sent, as far as the session wishes for it, flushes both legs,
 * and carries out the wishes. Nothing here sleeps or waits.
 *
 * What a session is fed lies in memory of its own, just as large, which is freed right after the
 * flush: whoever keeps a pointer into it is seen by the address sanitizer. */
#ifndef WEIR_TESTS_SESSION_HARNESS_H
#define WEIR_TESTS_SESSION_HARNESS_H

#include "gateway/session/session.h"
#include "puppet.h"
#include "witness.h"

#define HARNESS_BACKENDS 3

struct harness_options {
    bool without_plugins;
    bool lenient;       /* the plugin's on_failure is "allow" */
    bool declares;      /* the plugin has variables and a function */
    bool needs_account; /* the plugin needs "account": the gateway asks the backend */
    bool offers_tls, requires_tls;
    bool backend_tls;          /* the backend offers it, and it is used where it is offered */
    bool backend_tls_required; /* it is demanded, offered or not */
    bool backend_first;
    bool address_refused, address_judged_late; /* what the plugin does in PreConnect */
    bool has_no_profile;                       /* the backend was not reached yet */
    bool too_many;
    bool takes_header;                  /* the client may be a balancer with a PROXY header */
    bool is_stopping;                   /* the gateway waits for balancers to notice its end */
    bool connects_later, connect_fails; /* the backend */
    bool several;                       /* HARNESS_BACKENDS of them, in order; otherwise one */
    bool secures_later, secure_fails;   /* TLS of either side */
    bool works_later;                   /* harness_work() does it */
    size_t max_command_bytes;           /* 0: 1 MiB */
    size_t max_prepared_bytes;          /* 0: 64 KiB */
    uint64_t capabilities;              /* what the backend offers */
    uint64_t missing;                   /* ... and does not any more in its own greeting */
};

/* One of the two peers, as the session's leg sees it. */
struct peer {
    struct filter filter;    /* first */
    struct strbuf got;       /* what the session has sent */
    struct strbuf unread;    /* what the peer has sent and the session has not read */
    struct witness *witness; /* sees both directions; NULL: nobody does */
    size_t may_take;         /* bytes; SIZE_MAX: all */
    bool fails;              /* the next send fails */
    bool has_ended;          /* sends nothing more after `unread` */
    bool is_lost;            /* the socket has an error */
    bool is_finished;        /* the session will send nothing more */
    bool is_broken_off;      /* ... and has closed with a reset */
    bool is_closed;
};

/* Called around what the harness itself allocates while the session is at work (starve.h). */
extern void (*harness_pause)(void);
extern void (*harness_resume)(void);

#define HARNESS_IDS 4

struct harness {
    struct harness_options options;
    struct session_environment environment;
    _Atomic(struct trace_host *) trace;
    struct session *session; /* NULL: freed */
    struct peer peers[2];    /* by enum session_side */
    struct puppet puppet;
    struct witness witness; /* of the client */
    pthread_mutex_t lock;
    struct session_hold *holds; /* on their way back; guarded by lock */
    struct {
        uint32_t id, backend_id;
    } ids[HARNESS_IDS];
    size_t (*split)(struct harness *harness, size_t size); /* bytes of the next read; NULL: all */
    unsigned seed;                                         /* for split */
    bool is_over;
    bool is_connecting;
    bool is_securing[2]; /* by enum session_side */
    bool is_working;     /* a thread that may block has the work */
    long deadline_ms;
    struct session_backend backends[HARNESS_BACKENDS];
    int sessions[HARNESS_BACKENDS]; /* that count for each backend */
    int failures;                   /* of backends, that the session has reported */
    const char *state;              /* the last one that was seen */
    enum close_reason reason;
    size_t turns;
};

/* outside.c: what sessions ask of the gateway; owner is the harness. */
extern const struct session_operations harness_operations;

void harness_begin(struct harness *harness, const struct harness_options *options);

/* What a peer does, and what comes of it. */
void harness_send(struct harness *harness, enum session_side side, const void *bytes, size_t size);
void harness_end_of(struct harness *harness, enum session_side side);
void harness_lose(struct harness *harness, enum session_side side);
void harness_take(struct harness *harness, enum session_side side, size_t may_take);

/* What the gateway does. */
void harness_connected(struct harness *harness, const char *error);
void harness_secured(struct harness *harness, const char *error);
void harness_begin_work(struct harness *harness);
void harness_worked(struct harness *harness, bool cancelled);
void harness_deadline(struct harness *harness);
void harness_expire_holds(struct harness *harness); /* their time is over */
void harness_drain(struct harness *harness);
void harness_close(struct harness *harness);

/* Goes on until nothing happens any more; after something was done to the puppet. */
void harness_go_on(struct harness *harness);

/* Ends the session if it has not ended, drops the holds that are out as the gateway's end does, frees
 * everything, and asserts that nothing is left. Then the plugin answers its holds after all. */
void harness_finish(struct harness *harness);

#endif
