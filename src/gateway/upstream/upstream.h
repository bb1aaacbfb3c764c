/* SPDX-License-Identifier: Apache-2.0
 *
 * upstream: where servers are.
 *
 * An upstream is one server that the gateway connects to: its addresses, what it says of itself (its profile),
 * whether it is up, and, for the embedded one, its process. The room keeps all of these fresh:
 *
 *   connection_ids.h  connection ids: the gateway's and the server's
 *   address.h    -backend's text, name lookups, sockets
 *   greeting.h   the conversation of a probe; probe.h: its socket
 *   upstream_tls.h  -backend-tls and its companions
 *   upstream.c   one server: what sessions read while probes write
 *   upstream_look.c  one look at it
 *   upstream_change.c  what a reload makes of it
 *   upstream_set.h   all of them: which one a session gets, and what clients are greeted with
 *   account_check.h  what checks ask with an account; account_session.h: its session
 *   status_check.h  what checks ask by HTTP
 *   health.h     from checks to up and down; policy.h: which one of several
 *   probing.c    when probes run
 *   embedded.h   the private mariadbd
 *
 * A profile is what the server's greeting said: version, capabilities, character set. Clients are
 * greeted with it, so it must be known before the first client comes. Probes read it, and so does
 * every session's own connection (upstream_learn()).
 *
 * Address and profile change while workers use them. Both are copied, in and out, under a lock that
 * is held for no longer than the copy: nobody ever holds a reference, and an upstream needs the same
 * memory however often its server changes. */
#ifndef WEIR_GATEWAY_UPSTREAM_H
#define WEIR_GATEWAY_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "gateway/upstream/connection_ids.h"
#include "gateway/upstream/upstream_tls.h"

/* A name is looked up this often while the server answers: an address that has changed is in use
 * after at most this time. It costs the resolver a lookup, and the server nothing. */
#define UPSTREAM_LOOK_MS 5000

/* ... and this often while it does not. */
#define UPSTREAM_RETRY_MS 200

/* A profile that no greeting has confirmed for this long is read again by a probe, which costs the
 * server a connection and a denied login ("Access denied for user 'weir-probe'" in its log): one a
 * minute for a gateway that nobody uses; none while sessions come, since their greetings count. */
#define UPSTREAM_PROFILE_MS 60000

/* Servers of one set: their numbers are bits of a word. */
#define UPSTREAM_MOST 32

#define UPSTREAM_NAME_BYTES  64
#define UPSTREAM_ERROR_BYTES 256

struct upstream;
struct policy_candidate;
struct uv_loop_s;
struct wire_greeting;

struct upstream_profile {
    char version[128];     /* NUL-terminated; a longer one is cut. Foreign text */
    uint64_t capabilities; /* as offered; upper half: MariaDB's */
    uint8_t charset;
};

/* How servers are checked; the same for all of a set. Zeroed: as a server that stands alone is. */
struct upstream_checks {
    long interval_ms;    /* 0: at the pace of the constants above, and one outcome decides */
    unsigned rise, fall; /* outcomes in a row; 0: 1 */
    long slow_start_s;
    long lost_s; /* 0: never */
    /* What is asked besides (account_check.h), in a session of this account. user NULL: nothing. */
    const char *user, *password;
    const char *query, *expected; /* NULL: nothing is asked; any answer will do */
    bool galera;                  /* it must be synced and ready */
};

/* Texts are borrowed: they must live as long as the upstream. */
struct upstream_options {
    const char *name;    /* NULL or "": its address */
    const char *address; /* tcp://host:port, unix:///path; NULL or "": the embedded server */
    const char *role;    /* a word; "standby": only when no other is up; "auto": found out by the
                                checks. NULL or "": none */
    unsigned weight;     /* 0: 1 */
    bool sends_proxy_header; /* the embedded server always gets one */
    struct upstream_checks checks;
    long status_port; /* that a check asks (status_check.h); 0: none */
    /* Its rows are accounts that the gateway was configured with and that the server lacks: the account of the
     * checks asks once the server is up, and the log names them. NULL: it does not. */
    const char *accounts_question;
    size_t asked_accounts;      /* upstream_asked_accounts() at first */
    const char *data_directory; /* of the embedded server, */
    const char *mariadbd;       /* and its program */
    long connect_timeout_s;
    struct upstream_tls_options tls;
    /* Whose the texts are: held from upstream_new() to upstream_free(). NULL: they live on. */
    void *texts;
    void (*hold_texts)(void *texts);
    void (*drop_texts)(void *texts);
};

/* ---- Its life: main thread ---- */

/* Parses the address and loads what TLS needs; reaches nobody. Returns owned (upstream_free), or NULL and a message. */
struct upstream *upstream_new(const struct upstream_options *options,
                              struct error *error) WEIR_MUST_CHECK;

/* Called from the loop after each look, once it is known whether the server answers. */
typedef void upstream_on_looked(void *user, bool answers);

/* Starts the embedded server (its first run initialises the data directory, which blocks for some
 * seconds), and then looks at the server again and again: at once, at the pace above, and whenever
 * the embedded server has been started again. Changes are logged. Returns 0, or -1 and a message;
 * upstream_stop() is due in both cases. */
int upstream_start(struct upstream *upstream, struct uv_loop_s *loop, upstream_on_looked *on_looked,
                   void *user, struct error *error) WEIR_MUST_CHECK;

/* Ends the embedded server (SIGTERM) and the looking. The loop must go on running until it has no
 * more to do; on_looked is not called any more. Idempotent, also without upstream_start(). */
void upstream_stop(struct upstream *upstream);

/* After the loop has ended. upstream may be NULL. */
void upstream_free(struct upstream *upstream);

/* ---- What it is: any thread ---- */

/* "tcp://127.0.0.1:3306", as it was given; and its name, with the address where that is another. Borrowed:
 * constant for the life of the upstream once upstream_start() has returned. */
const char *upstream_address(const struct upstream *upstream);
const char *upstream_name(const struct upstream *upstream);
const char *upstream_label(const struct upstream *upstream);

bool upstream_is_embedded(const struct upstream *upstream);
bool upstream_sends_proxy_header(const struct upstream *upstream);
bool upstream_is_local(const struct upstream *upstream); /* behind a Unix socket */

/* How connections to it are encrypted. Borrowed; lives as long as the upstream. */
const struct upstream_tls *upstream_tls(const struct upstream *upstream);

/* Copies the current profile. Returns false if the server was never reached. */
bool upstream_profile(struct upstream *upstream, struct upstream_profile *profile) WEIR_MUST_CHECK;

/* Whether it is down and has not said anything for -backend-lost-timeout, neither to checks nor, at
 * heard_ns (monotonic), to the session that asks. Any thread. */
bool upstream_is_lost(struct upstream *upstream, uint64_t heard_ns);

/* What an administrator has said of it. */
enum upstream_mode { UPSTREAM_ENABLED, UPSTREAM_DISABLED, UPSTREAM_DRAINING };
void upstream_set_mode(struct upstream *upstream, enum upstream_mode mode);
enum upstream_mode upstream_mode(struct upstream *upstream);

/* X(name): the states of a server, as people read them. */
#define UPSTREAM_STATES(X)                                                                         \
    X(up) X(down) X(unknown) X(refused) X(disabled) X(draining) X(drained) X(removed)

/* A copy of what is known of it, for people. */
struct upstream_status {
    const char *state; /* static text, of UPSTREAM_STATES */
    int64_t since_s;   /* seconds since 1970 UTC: when the state began; 0: not yet */
    long sessions;
    uint64_t checks, checks_failed; /* connections of sessions that failed among them */
    uint64_t connects, connect_ns;  /* of sessions, and how long they took together */
    char last_error
        [UPSTREAM_ERROR_BYTES];     /* of a check or a session; "": none so far. Foreign text */
    char version[128];              /* "": it was never reached. Foreign text */
    char role[UPSTREAM_NAME_BYTES]; /* "": none */
    const char
        *tls; /* static text: the version that the last look agreed on, or "fails"; NULL: none */
};
void upstream_status(struct upstream *upstream, struct upstream_status *status);

/* Says why sessions must not use it ("": they may). A server that was refused and is not any more is
 * logged, and the reverse. Main thread. */
void upstream_refuse(struct upstream *upstream, const char *why);

/* What a policy is to know of it. It is eligible if it has been reached, is enabled and is not
 * refused; wanted (NULL: any) must be its name or its role. */
void upstream_candidate(struct upstream *upstream, const char *wanted,
                        struct policy_candidate *candidate);

/* Keeps it where it is, beyond the session that has it, and the end of that. */
void upstream_pin(struct upstream *upstream);
void upstream_unpin(struct upstream *upstream);

/* What the owner of its set has made of it; see upstream_set_options.tag. */
const void *upstream_tag(const struct upstream *upstream);

/* A session has connected to it, which took so long. Any thread. */
void upstream_count_connect(struct upstream *upstream, uint64_t took_ns);

/* A session has begun with it, or has ended. */
void upstream_count_session(struct upstream *upstream, long more);

/* ---- Connections to it: any thread ---- */

/* Runs a KILL in a session of the account of its checks. Blocks. Returns 0, or -1 and a message. */
int upstream_kill(struct upstream *upstream, const char *statement,
                  struct error *error) WEIR_MUST_CHECK;

/* How much of the caller's list of accounts it has been asked for. */
size_t upstream_asked_accounts(const struct upstream *upstream);

/* Asks it for accounts that it lacks, as the question's rows say, in a session of the account of its checks; the log names
 * them. Nothing without such an account, or with NULL. Then it has been asked for so much of the list, unless it could not be reached. Blocks. */
void upstream_notice_missing(struct upstream *upstream, const char *rows_question,
                             size_t asked_accounts);

/* The number of the address in use: it goes up with each address that is left. *addresses: how many there are. */
uint32_t upstream_turn(struct upstream *upstream, size_t *addresses);

/* Returns a non-blocking socket (owned) whose connection has begun, to the address that a probe
 * reached last; -1 and errno. *in_progress: it is not yet connected. Only after upstream_profile()
 * has returned true. */
int upstream_connect(struct upstream *upstream, bool *in_progress) WEIR_MUST_CHECK;

/* A session's connection to it has failed: that counts as a check, a look is due soon, and the next
 * connection goes to the next address of its name, unless another session has seen to that (turn is
 * that of the failed one). Returns whether its name has another address. why: for people; borrowed. */
bool upstream_connection_failed(struct upstream *upstream, uint32_t turn, const char *why);

/* A connection to it has read this greeting (borrowed for the call): it becomes the profile, and
 * confirms it where it says the same. */
void upstream_learn(struct upstream *upstream, const struct wire_greeting *greeting);

/* The set that it is one of: the last part of the room's header. */
#include "gateway/upstream/upstream_set.h"

#endif
