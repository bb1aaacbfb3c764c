/* SPDX-License-Identifier: Apache-2.0
 *
 * struct upstream, for the files of this room and its tests. */
#ifndef WEIR_GATEWAY_UPSTREAM_STATE_H
#define WEIR_GATEWAY_UPSTREAM_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "gateway/upstream/account_session.h"
#include "gateway/upstream/address.h"
#include "gateway/upstream/health.h"
#include "gateway/upstream/upstream.h"

struct upstream_watch;

typedef int upstream_look_up(const struct address_name *name, struct address_list *found,
                             struct error *error);

struct upstream {
    /* Constant from upstream_start() on. */
    struct upstream_options options;
    struct address_name name;
    char label[sizeof((struct address_name *)0)->text + UPSTREAM_NAME_BYTES + 4];
    bool is_embedded, sends_proxy_header;
    struct upstream_tls tls;
    struct health_options health_options;
    upstream_look_up *look_up;    /* address_look_up(), but for tests */
    struct upstream_watch *watch; /* main thread only; NULL: not started */

    bool lookup_failed; /* said so already; of the thread that looks */
    bool
        accounts_were_told; /* what is to be said of accounts is in the log; of the thread that looks */
    bool header_failed;     /* the same, of the PROXY header */
    bool tls_failed;        /* and of TLS */

    unsigned number; /* in its set */
    const void *tag; /* of whoever has the set; constant once it is looked at */

    /* What a reload may change, beside what the lock is for. */
    atomic_long interval_ms, connect_timeout_s, lost_s;
    atomic_uint weight;

    atomic_long sessions;
    atomic_size_t asked_accounts;
    atomic_bool is_retired;    /* it is none of the configuration's any more; set under the lock */
    atomic_long pins;          /* who else needs it to stay where it is */
    atomic_bool was_looked_at; /* the first look is over */
    atomic_uint_fast64_t connects, connect_ns; /* of sessions */

    pthread_mutex_t lock;   /* of what follows */
    struct address address; /* the one that a probe reached last, or the next one of its name */
    struct address_list addresses; /* of the last lookup that came with a probe */
    uint32_t turn;                 /* of the address in use */
    struct health health;
    enum upstream_mode mode;
    int64_t mode_since_s;   /* wall clock */
    int64_t health_since_s; /* the same */
    uint64_t checks, checks_failed;
    char last_error[UPSTREAM_ERROR_BYTES];
    char role[UPSTREAM_NAME_BYTES];
    char refused[UPSTREAM_ERROR_BYTES]; /* why sessions must not use it; "": they may */
    struct upstream_profile profile;    /* what it said, or what a session has read since */
    char fingerprint
        [UPSTREAM_FINGERPRINT_BYTES]; /* of the certificate that a look accepted; "": none */
    const char *tls_agreed;           /* static text, as struct upstream_status has it */
    bool has_profile;
    uint64_t answered_ns;  /* monotonic; when it last said anything to a check or a login */
    uint64_t confirmed_ns; /* monotonic; when a greeting last said so. 0: a probe is due */
};

/* One look at the server: looks its name up, and probes it where its address has changed or its
 * profile needs confirmation. Blocks at most connect_timeout_s for each address. Returns 0 if the
 * server answers as far as is known, or -1 and a message. Any thread, one at a time. */
int upstream_look(struct upstream *upstream, struct error *error) WEIR_MUST_CHECK;

struct health_options upstream_health_options(const struct upstream_checks *checks);

/* Makes the label, once the address is known. */
void upstream_make_label(struct upstream *upstream);

/* Notes the outcome of a check or of a session's connection. why: of a failure. */
void upstream_note(struct upstream *upstream, bool success, const char *why);

/* Has its watch look soon. Any thread, while the loop runs. */
void upstream_watch_wake(struct upstream_watch *watch);

/* Whether what upstream_start() made is at rest, after upstream_stop(). Main thread. */
bool upstream_watch_is_over(const struct upstream_watch *watch);

/* It is none of the configuration's any more. It is looked at as long as it has sessions: they end when it is lost. Main
 * thread. */
void upstream_retire(struct upstream *upstream);

/* Whether nobody has it any more: it may be freed. Main thread. */
bool upstream_is_left(struct upstream *upstream);

/* Whether an upstream of these options can be this one, with some values changed by upstream_change(). */
bool upstream_can_be(const struct upstream *upstream, const struct upstream_options *options);
void upstream_change(struct upstream *upstream, const struct upstream_options *options);

/* Copies what is known of the server, and what an administrator has said of it, from the one of that name before. */
void upstream_inherit(struct upstream *upstream, struct upstream *before);

/* Frees what upstream_start() made; after the loop has ended. */
void upstream_watch_free(struct upstream_watch *watch);

/* The account of its checks, at an address whose certificate has this fingerprint. Both are borrowed. */
struct account_target upstream_account(const struct upstream *upstream,
                                       const struct address *address, const char *fingerprint);

#endif
