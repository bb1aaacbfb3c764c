/* SPDX-License-Identifier: Apache-2.0
 *
 * struct observed: a session as plugins observe it: who it is, and which command it runs.
 *
 * The handle that plugins get is the address of its first member. Everything here belongs to the
 * worker's thread. */
#ifndef WEIR_GATEWAY_STATEMENT_OBSERVED_H
#define WEIR_GATEWAY_STATEMENT_OBSERVED_H

#include "gateway/statement/client_address.h"
#include "gateway/statement/environment.h"
#include "wire/wire.h"

struct prepared;

/* X(enumerator, bit, name): what is known of a session or not. Whatever is not is cleared: there is
 * no older value to be taken for it. */
#define IDENTITY_PARTS(X)                                                                          \
    X(IDENTITY_ACCOUNT, 0, "account")                                                              \
    X(IDENTITY_ROLES, 1, "roles")                                                                  \
    X(IDENTITY_DATABASE, 2, "database")                                                            \
    X(IDENTITY_READING, 3, "reading") /* sql_mode and character set */

enum identity_part {
#define X(enumerator, bit, name) enumerator = 1U << (bit),
    IDENTITY_PARTS(X)
#undef X
        IDENTITY_ALL = 15U
};

/* What the backend reports when it changes (tracking.h). */
enum tracking {
    TRACKING_NONE,    /* nothing */
    TRACKING_REPORTS, /* some of it: what is not reported may have changed all the same */
    TRACKING_PROVES,  /* all of it: what is not reported has not changed */
};

/* Who the session is, and where (session_identity.c, tracking.c). */
struct identity {
    char *user, *attributes; /* owned; NULL before the handshake response */
    struct strbuf database;
    char *current_user, *current_role; /* owned; NULL: not known */
    unsigned unknown;                  /* enum identity_part */
    const char *why_unknown;           /* static text; of what became unknown last */
    enum tracking tracking;
    bool tracking_is_in_doubt; /* it proved, and does so again once the backend has been asked */
    uint8_t reported;          /* REPORTED_*: by the statement that runs, so far */
    struct sql_mode reported_mode; /* flags only */
    uint8_t hidden;         /* REPORTED_*: what is reported because the gateway asked for it */
    struct sql_named named; /* prepared statements that have names */
    struct change_of_user *change; /* a COM_CHANGE_USER that has no answer yet; owned */
    struct sql_mode mode;          /* how the session's statements are lexed */
    bool multi_statements;         /* a text may hold several */
    bool multi_statements_asked;   /* what the COM_SET_OPTION that is running wants of it */
};

/* One statement of a command. */
struct statement {
    const char
        *text; /* in command.text, or in the prepared statement; NULL: the command has none */
    size_t size;
    struct sql_kinds kinds;
    struct sql_mode mode; /* that it is lexed in: a SET before it in the same text counts */
};

/* How far the events before a command have come (events.c). */
enum command_phase {
    COMMAND_NEW,           /* no event yet */
    COMMAND_PARSE_PENDING, /* PreParse is given; a plugin will answer later */
    COMMAND_STARTING,      /* Starting is due for statement `started` */
    COMMAND_START_PENDING, /* ... has been given; a plugin will answer later */
    COMMAND_JUDGED,
};

/* The command that is being dealt with. */
struct command {
    uint8_t code;
    enum command_phase phase;
    bool out_of_memory; /* it could not be kept: it must be refused */
    bool is_announced;  /* its Starting events were given; Completed or Error are due */
    bool is_sent;       /* to the backend */
    bool is_whole_text; /* PreParse: the statement is the whole text */
    bool has_fixed;     /* is_fixed is known: the whole text is read alike in all modes */
    bool is_fixed;
    bool is_ambiguous;       /* which statement the next result belongs to is not known */
    bool has_failed;         /* a result was an error: what comes after it does not run */
    struct strbuf text;      /* the command's text, kept until it ends */
    struct wire_string sent; /* the same of a Query or Prepare; without plugins borrowed from the
                                packet, until the command is sent on */
    struct strbuf arguments; /* payload of an Execute, for its parameters */
    struct statement one;    /* the usual case */
    struct statement *many;  /* a multi-statement text; NULL: `one` */
    size_t count, current;
    size_t started;        /* statements that had a Starting */
    uint64_t first_number; /* statement_number of the first */
    uint64_t started_wall_ns, started_ns;
    uint64_t bytes_before; /* bytes of the reply that belong to statements before the current one */
    uint64_t rows_before;  /* rows of earlier results of the current statement (CALL) */
    struct prepared *prepared; /* of an Execute, Fetch ...: borrowed from the session's map */
    struct memo *memo;         /* what was computed of the current statement; NULL: nothing yet */
    struct statement_limits *limits; /* that plugins have set (limits.h); owned; NULL: none */
    struct plugin_refusal *refusal;  /* the first one, while later events are given; owned */
    struct strbuf forecast; /* the database that USE statements before the current one will set */
};

struct observed {
    struct weir_session handle; /* first: what plugins get */
    struct session_environment *environment;
    void *session; /* for environment->operations and holds: who is observed */
    struct weir_hold *(*hold)(void *session, enum plugin_hold_kind kind);
    const struct session_backend *backend; /* NULL: not chosen yet */
    bool
        backend_first; /* it is connected before the client is greeted: both have one scramble, and one
                           connection id where the gateway has none of its own */
    char *wanted_backend; /* a name or a role that a plugin has chosen; owned. NULL: any */
    uint32_t id;          /* what the client was told; 0: nothing yet */
    uint64_t accepted_ns;
    const uint64_t *wire_received, *wire_sent; /* bytes of the client's socket; NULL: not counted */
    uint64_t capabilities;                     /* those that both sides use */
    uint16_t status;                           /* last server status seen */

    struct identity identity;
    struct command command;
    uint64_t statements; /* statement_number so far */
    char *
        listed; /* without plugins: the beginning of the command's text, for lists of sessions; owned */
    size_t listed_capacity, listed_size; /* size: of the whole text; 0: there is none */

    struct prepared *prepared;      /* map by id */
    struct prepared *last_prepared; /* for statement id -1 */
    size_t prepared_bytes;
    bool
        is_connected; /* Connected has been reached: before it the backend has said nothing of the session */
    bool prepare_refused; /* the last Prepare never reached the backend, whose "last" is an older
                             one */

    char client_ip[CLIENT_ADDRESS_TEXT],
        server_ip[CLIENT_ADDRESS_TEXT]; /* text; empty for a Unix socket */
    char *tls_version, *tls_cipher, *auth_method, *backend_version; /* owned; NULL: none */
    char *backend_tls_version, *backend_tls_cipher, *cert_subject, *cert_issuer, *cert_serial;
    char *proxy_ip, *proxy_values; /* of a PROXY header; owned; NULL: none */
};

/* environment, session and hold live as long as observed. */
void observed_init(struct observed *observed, struct session_environment *environment, uint32_t id,
                   const struct client_address *address);
void observed_release(struct observed *observed);

static inline bool has_plugins(const struct observed *observed)
{
    return observed->environment->has_plugins;
}

#endif
