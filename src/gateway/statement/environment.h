/* SPDX-License-Identifier: Apache-2.0
 *
 * What a session is given by the process that runs it: the plugins, the limits, and the few things
 * that it cannot do by itself because they need other threads or other sessions.
 *
 * One environment a worker: what is not const here is touched by the worker's thread only. It
 * outlives its sessions. */
#ifndef WEIR_GATEWAY_STATEMENT_ENVIRONMENT_H
#define WEIR_GATEWAY_STATEMENT_ENVIRONMENT_H

#include <stdatomic.h>

#include "base/base.h"
#include "gateway/statement/metrics.h"
#include "plugin/host/plugin_host.h"
#include "sql/sql.h"

struct memo;
struct session_hold;
struct trace_host;
struct wire_greeting;
struct leg;

/* How a leg is compressed from its login on. */
struct session_compression {
    uint64_t capability; /* the one bit of its algorithm */
    int zstd_level;
    bool is_client; /* the client's leg: the login's OK is still to be sent, as it is */
};

/* What a session does about TLS with a backend, whose address may be a Unix socket. */
enum backend_security { BACKEND_STAYS_PLAIN, BACKEND_SECURES_IF_OFFERED, BACKEND_MUST_BE_SECURE };

/* A backend, as sessions see it. Constant, and outlives them. */
struct session_backend {
    const char *name;    /* of its configuration */
    const char *address; /* tcp://host:port, unix:///path */
    const char *label;   /* both, for messages */
    bool sends_proxy_header;
    bool is_local; /* behind a Unix socket */
    enum backend_security security;
    const char *tls_mode; /* its name, for errors: "required" */
    unsigned number;      /* of the set, from 0: a bit of a word */
};

#define SESSION_BACKENDS_MOST 32 /* numbers of backends are smaller */

/* A backend that was chosen for a session, which counts as one of its. */
struct session_choice {
    const struct session_backend *backend;
    uint32_t turn;    /* of its addresses; for backend_failed() */
    size_t addresses; /* how many it has */
    size_t others;    /* how many more could have been chosen */
};

/* What is known of a backend, for people. */
struct session_backend_row {
    const char *name, *address, *state; /* borrowed for the life of the process */
    int64_t since_s;                    /* seconds since 1970 UTC; 0: not yet */
    long sessions;
    uint64_t checks;
    char last_error[256], version[128], role[64]; /* "": none. Foreign texts */
    const char *
        tls; /* static text: the version that the last check has agreed on, or "fails"; NULL: none */
};

enum session_backend_order {
    SESSION_BACKEND_ENABLE,
    SESSION_BACKEND_DISABLE, /* no new sessions */
    SESSION_BACKEND_DRAIN, /* ... and those that it has end when nothing runs and no transaction is open */
};

/* Where a session is. */
struct session_place {
    unsigned node; /* of the cluster; the rest is not known here. 0: this one */
    const struct session_backend *backend; /* NULL: that of who asks */
    uint32_t backend_id; /* 0: a connection of the backend's may have its id too: nobody is meant */
    bool is_same_user;   /* as who asks */
};

/* A session, for people. Texts are borrowed and may be foreign; "": not known, or none. */
struct session_process_row {
    unsigned node; /* of the cluster; 0: in none, or without a number */
    uint32_t id;
    int64_t time_s; /* in its state; -1: not known */
    const char *user, *host, *database, *command, *state;
    const char *digest, *text; /* of the statement that runs; normalized */
};

/* Which sessions are listed, and to whom. */
struct session_process_list {
    const char *user; /* only that user's; NULL: all */
    void (*each)(void *list, const struct session_process_row *row); /* gets this struct */
    struct strbuf *warnings; /* what is missing, and why, is added */
};

/* ---- The cluster of gateways ---- */

/* A node, for people. Foreign texts, borrowed. */
struct session_node_row {
    unsigned number;
    bool is_here; /* it is this one */
    const char *address, *version, *plugins, *last_flush;
    const char
        *refused; /* variables of which it could not take the cluster's value, and why; "": none */
    int64_t since_s; /* seconds since 1970 UTC */
    int64_t sessions;
};

/* A KILL of a session at another node. */
struct session_kill {
    unsigned node;
    uint32_t id;
    bool is_query, is_soft;
    const char *user; /* who wants it */
    bool is_granted;  /* it may be anybody's session */
};

enum session_kill_outcome {
    SESSION_KILL_DONE,
    SESSION_KILL_NOBODY, /* there is no such session */
    SESSION_KILL_DENIED, /* it is another user's */
    SESSION_KILL_FAILED, /* and a message says why */
};

/* What a statement has done to a plugin here. */
enum session_plugin_action { SESSION_PLUGIN_FLUSH, SESSION_PLUGIN_ENABLE, SESSION_PLUGIN_DISABLE };

/* What several gateways have in common. Any thread; nothing but kill() and processes() waits for another node. Each gets the environment's
 * `owner`. */
struct session_cluster {
    /* The plugin is about to be changed or flushed here. Returns 0, and plugin_end() is due; or -1 and a message: it is
     * not to be done. */
    int (*plugin_begin)(void *owner, const char *plugin, struct error *error);
    /* It was, or it has failed (NULL: it has not). The other nodes are asked unless it has; what keeps them from it is added
     * to warnings. */
    void (*plugin_end)(void *owner, const char *plugin, enum session_plugin_action action,
                       const char *failure, struct strbuf *warnings);
    /* Whether variables that nodes share may be set here now: 0, or -1 and a message. */
    int (*variables_begin)(void *owner, struct error *error);
    /* One was set here; text NULL: to DEFAULT. The other nodes get it; what keeps them from it is added to warnings. */
    void (*variable_end)(void *owner, const char *name, const char *text, struct strbuf *warnings);
    /* Whether a plugin that is not loaded here is loaded on another node. */
    bool (*plugin_is_elsewhere)(void *owner, const char *plugin);
    /* Asks the node, and waits for its answer; not on a worker's thread. */
    enum session_kill_outcome (*kill)(void *owner, const struct session_kill *kill,
                                      struct error *error);
    /* Calls each() for every node, by number; it may not call back. Returns false, and why is added to warnings, if the
     * cluster cannot be asked now: they are those of before. */
    bool (*nodes)(void *owner, void (*each)(void *user, const struct session_node_row *row),
                  void *user, struct strbuf *warnings);
    /* The number of this node; 0: it has none now. */
    unsigned (*number)(void *owner);
    /* Lists the sessions of the other nodes, which are asked; not on a worker's thread. */
    void (*processes)(void *owner, struct session_process_list *list);
};

/* Each gets the environment's `owner`. */
struct session_operations {
    /* The connection id map: which backend connection belongs to which session. add: once more where
     * the user has changed; false means that there is no memory. find, for a session of user: false
     * means that no session has that id. */
    bool (*id_add)(void *owner, uint32_t id, const struct session_backend *backend,
                   uint32_t backend_id, const char *user);
    void (*id_remove)(void *owner, uint32_t id);
    bool (*id_find)(void *owner, uint32_t id, const char *user, struct session_place *place);
    /* Runs a KILL at a backend with the gateway's own account. Blocks, any thread. Returns 0, or -1 and a
     * message. NULL: there is only one backend. */
    int (*kill_elsewhere)(void *owner, const struct session_backend *backend, const char *statement,
                          struct error *error);
    /* Lists this gateway's sessions. Blocks, any thread but a worker's. NULL: they are not known. */
    void (*processes)(void *owner, struct session_process_list *list);
    /* Ends what a session still runs at its backend, and its connection there (backend_id), as far as the gateway
     * can. Does not wait. NULL: it goes on. */
    void (*end_statement)(void *owner, const struct session_backend *backend, uint32_t backend_id);
    /* Chooses a backend. wanted: a name or a role; NULL: any. tried: bits of the numbers that are not to
     * be chosen. Returns false and a message if there is none. NULL: it is environment->backend. */
    bool (*backend_choose)(void *owner, const char *wanted, uint32_t tried,
                           struct session_choice *choice, struct error *error);
    /* The session has left it. Due once after each choice; NULL with backend_choose. */
    void (*backend_leave)(void *owner, const struct session_backend *backend);
    /* It could not be connected, or has not greeted, or not let the login begin. Returns whether its name has
     * another address, which the next connection goes to. NULL with backend_choose. */
    bool (*backend_failed)(void *owner, const struct session_choice *choice, const char *why);
    /* Fills *row. Returns false past the last one. NULL: nothing is known. */
    bool (*backend_describe)(void *owner, size_t number, struct session_backend_row *row);
    /* Returns 0, or -1 and a message. NULL: they cannot be changed. */
    int (*backend_change)(void *owner, const char *name, enum session_backend_order order,
                          struct error *error);
    /* The backend has greeted: what it says of itself is of use to the next client. NULL: nobody
     * wants to know. */
    void (*greeted)(void *owner, const struct session_backend *backend,
                    const struct wire_greeting *greeting);
    /* Puts compression on a leg. false: no memory. NULL where none is offered or asked for. */
    bool (*compress)(void *owner, struct leg *leg, const struct session_compression *wanted);
    /* A plugin has given a hold back, on any thread: has session_hold_returned() called with it on
     * the session's own thread. */
    void (*hold_is_back)(void *owner, struct session_hold *hold);
    /* Loads a trace plugin (-1 and error; may block), and has every worker look at what is traced
     * now. Any thread. */
    int (*trace_load)(void *owner, const char *name, struct error *error);
    void (*trace_changed)(void *owner);
    /* Adds what all workers have counted so far to sums. NULL: there is only this environment. */
    void (*metrics_read)(void *owner, struct metrics *sums);
    /* Reads the configuration again. Blocks, any thread but a worker's. notes: what does not take effect now,
     * with "; " between sentences. Returns 0, or -1 and a message. NULL: it cannot be read again. */
    int (*configuration_reload)(void *owner, struct strbuf *notes, struct error *error);
    /* RSA for passwords (password_relay.c): appends the gateway's public key, decrypts with its private
     * one, encrypts with the key of a server (foreign text in PEM). false: it cannot be done. NULL:
     * nobody can. */
    bool (*password_key)(void *owner, struct strbuf *pem);
    bool (*password_decrypt)(void *owner, const uint8_t *bytes, size_t size, struct strbuf *out);
    bool (*password_encrypt)(void *owner, const uint8_t *pem, size_t pem_size, const uint8_t *bytes,
                             size_t size, struct strbuf *out);
};

struct session_environment {
    const struct session_operations *operations;
    const struct session_cluster *cluster; /* NULL: the gateway is in none */
    void *owner;

    struct plugin_registry *registry;
    bool has_plugins;   /* some plugin is loaded, enabled or not */
    bool has_variables; /* some plugin has system or status variables */
    bool has_functions; /* some plugin has functions that clients call */

    bool offers_tls;                       /* to clients */
    uint64_t compression;                  /* capabilities that are offered to clients; 0: none */
    uint64_t backend_compression;          /* that are asked of the backend */
    int zstd_level;                        /* asked of the backend, and the most that clients get */
    bool requires_tls;                     /* of TCP clients */
    const struct session_backend *backend; /* the only one; NULL: there are several */
    size_t max_command_bytes;              /* largest command that is relayed */
    size_t max_prepared_bytes; /* text of prepared statements that one session may keep */
    long handshake_timeout_s, connect_timeout_s;
    long hold_timeout_s; /* how long plugins may keep a reply or a verdict */

    bool measures;          /* durations: somebody may ask for them */
    struct metrics metrics; /* of this worker; METRIC_UPTIME is whoever reads them to say */

    _Atomic(struct trace_host *) *trace; /* the trace plugin; *trace NULL: none (yet) */

    /* Lexing needs memory that is best kept: one set a worker, because it runs one session at a
     * time (memo.c). */
    struct sql_digester digester;
    struct sql_runs runs;
    struct memo *memos; /* unused ones */
};

/* Sets up the part that sessions share; the rest is the caller's to fill in. */
void session_environment_init(struct session_environment *environment);
void session_environment_release(struct session_environment *environment);

#endif
