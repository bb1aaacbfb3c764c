/* SPDX-License-Identifier: Apache-2.0
 *
 * local: statements that the gateway answers itself, or sends on with another text.
 *
 * Each is a row of one table (statements.def): a name, whether a command matches, and how it
 * begins. A statement at work is a chain of actions: begin() returns the first one, and each action
 * names the function that returns the next. The session carries them out; nothing here calls the
 * session.
 *
 *     QUERY      runs a statement on the backend, as the session's user, between commands of the
 *                client; row() and packet() see the reply, then next() is called
 *     PRIVILEGE  needs one of some privileges; next() is called once it is granted. Otherwise the
 *                statement ends with error 1227
 *     WORK       runs work() on a thread that may block; then next() is called
 *     FORWARD    sends a packet to the backend in place of the client's command. Its reply is the
 *                client's; reply_packet() may replace what the client reads
 *     ANSWER     ends the statement with an error, OK, or rows
 *
 *     row = local_find(observed, packet);                          NULL: send the command on
 *     local = local_begin(row, observed);
 *     action = row->begin(local, packet);
 *     while (... action is none that ends the statement ...)
 *         action = action.next(local, &outcome);
 *     local_end(local);                                            at any point
 *
 * To add a statement: a file with its struct local_statement, and a row in statements.def.
 *
 * Everything is called on the worker's thread but work(). */
#ifndef WEIR_GATEWAY_LOCAL_LOCAL_H
#define WEIR_GATEWAY_LOCAL_LOCAL_H

#include "gateway/statement/statement.h"

struct local;

/* How the action before went. */
struct local_outcome {
    unsigned error_code;              /* QUERY: the backend's error; 0: success */
    const struct wire_result *result; /* QUERY: the last result; borrowed. Never NULL for one */
    bool cancelled;                   /* WORK: the gateway is shutting down, and it was not run */
};

enum local_action_kind { LOCAL_QUERY, LOCAL_PRIVILEGE, LOCAL_WORK, LOCAL_FORWARD, LOCAL_ANSWER };

typedef struct local_action local_next(struct local *local, const struct local_outcome *outcome);

struct local_action {
    enum local_action_kind kind;
    local_next *next; /* QUERY, PRIVILEGE, WORK */
    /* QUERY */
    const char *text; /* NUL-terminated; lives until next() is called */
    /* Each row, values that are NULL with data NULL; at most LOCAL_COLUMNS of them. Or NULL. */
    void (*row)(struct local *local, const struct wire_string *values, size_t count);
    /* Each packet of the reply, before row(); or NULL. */
    void (*packet)(struct local *local, const struct wire_packet *packet,
                   const struct wire_result *result);
    /* PRIVILEGE: names as in SHOW GRANTS; the list ends with NULL; an empty one is granted to
     * everybody. Lives on. */
    const char *const *privileges;
    /* WORK: on a thread of its own. It may touch the statement's own struct, observed->handle and
     * what environment->operations and the registry allow on any thread, and nothing else of the
     * session. */
    void (*work)(struct local *local);
    /* FORWARD: of the statement's local->packet. reply_packet (or NULL): each packet of the reply,
     * of whatever kind, before its events. It appends what the client reads instead to
     * local->reply, whose packets are numbered local->shift higher than the backend's, and may
     * count *result up. */
    void (*reply_packet)(struct local *local, const struct wire_packet *packet,
                         struct wire_result *result);
};

/* How the statement ends. */
enum local_answer_kind { LOCAL_ERROR, LOCAL_OK, LOCAL_ROWS, LOCAL_PAYLOAD };

struct local_answer {
    enum local_answer_kind kind;
    struct plugin_refusal error; /* ERROR; sqlstate "": the usual one of that code */
    /* ROWS: text columns; values row by row, NULL pointers are NULL values. Owned by the statement,
     * and alive until local_end(). */
    const char *const *columns;
    size_t column_count; /* at most LOCAL_COLUMNS */
    const char *const *values;
    size_t row_count;
    /* PAYLOAD: an OK of the backend's, and what it amounted to. Owned by the statement. */
    const void *payload;
    size_t payload_size;
    struct wire_result result;
    bool took_effect;  /* events_took_effect() is due */
    uint16_t warnings; /* ROWS: how many the backend keeps */
};

#define LOCAL_COLUMNS 12 /* most columns of a row, in an answer and in a query's reply */

/* What plugins must have for a statement to be possible at all: bits. */
#define LOCAL_NEEDS_VARIABLES 1U
#define LOCAL_NEEDS_FUNCTIONS 2U

/* A row of the table. */
struct local_statement {
    const char *name;
    unsigned needs; /* LOCAL_NEEDS_* */
    size_t size;    /* of the statement's own struct, which begins with struct local */
    /* Returns whether the command that has begun (observed->command) is one. Must cost an ordinary
     * statement next to nothing. */
    bool (*matches)(const struct observed *observed, const struct wire_packet *packet);
    /* Returns the first action. The struct is all zeros after its struct local. The command's
     * payload may go once it has returned. */
    struct local_action (*begin)(struct local *local, const struct wire_packet *packet);
    /* Frees what the statement owns beyond its struct; called at any point, once begun. NULL:
     * nothing. */
    void (*release)(struct local *local);
};

/* The statement at work; each statement's own struct begins with it. */
struct local {
    const struct local_statement *statement;
    struct observed *observed;
    struct local_answer answer;
    struct strbuf packet; /* FORWARD: the packet, header included */
    struct strbuf reply;  /* what the client reads of the reply; whoever sends it resets it */
    uint8_t shift;
    struct strbuf warnings; /* of plugins, in its work; with "; " between them */
    struct strbuf accounts; /* that plugins expect the server to have; each with a NUL behind it */
    struct strbuf warned;   /* the backend's OK to the warnings; empty: none */
    struct wire_result warned_result;
    bool has_looked, has_warned; /* local_conclude() has done it */
};

/* Returns the row that a command matches; NULL: none. */
const struct local_statement *local_find(const struct observed *observed,
                                         const struct wire_packet *packet);

/* Makes the statement at work. Returns owned (local_end()); NULL: no memory. observed is borrowed
 * until then. */
WEIR_MUST_CHECK struct local *local_begin(const struct local_statement *statement,
                                          struct observed *observed);

/* Frees it. No work() of it may be running. NULL is allowed. */
void local_end(struct local *local);

/* ---- Privileges ---- */

/* What needs one: rows of privileges.def. */
enum local_privilege {
#define X(enumerator, ...) LOCAL_PRIVILEGE_##enumerator,
#include "gateway/local/privileges.def"
#undef X
};

/* The privileges of a row; ends with NULL. */
const char *const *local_privileges(enum local_privilege row);

/* The action that demands one of them, and then goes on with next(). */
struct local_action local_demand(const char *const *privileges, local_next *next);

/* Returns whether a row of SHOW GRANTS grants one of the privileges on everything. A row of any other
 * shape grants nothing, whatever the names in it look like. */
bool local_grants(struct wire_string line, const char *const *privileges);

/* Writes the server's message of error 1227, which says that none of them is granted. */
void local_denied_message(const char *const *privileges, char *message, size_t room);

/* ---- For the statements ---- */

/* The actions that end a statement. A Prepare that ends with an error never reaches the backend,
 * and observed->prepare_refused says so. */
struct local_action local_fail(struct local *local, unsigned code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct local_action local_refuse(struct local *local, const struct plugin_refusal *refusal);
struct local_action local_fail_like(struct local *local, const struct wire_result *result);
struct local_action local_out_of_memory(struct local *local);
struct local_action local_ok(struct local *local);

/* For a query whose OK is answered later: keeps the packet that ends its reply in `answer` (any other
 * packet, and an error, is passed over) and its result without texts, which are borrowed; and notes
 * what it says of the session. */
void local_keep_ok(struct local *local, const struct wire_packet *packet,
                   const struct wire_result *result, struct strbuf *answer,
                   struct wire_result *kept);

struct local_action local_rows(struct local *local, const char *const *columns, size_t column_count,
                               const char *const *values, size_t row_count);

/* Runs the WORK of an action. Whoever carries actions out calls it, on the thread of the work. */
void local_do_work(struct local *local, void (*work)(struct local *local));

/* What is to be done in place of an action that ends the statement: before an OK and before rows, whatever
 * else is due for what plugins had to say in its work (warnings, accounts that are not there); any other
 * action is returned as it is. Whoever carries actions out asks for each. */
struct local_action local_conclude(struct local *local, struct local_action end);

/* Forwards local->packet; an error instead if it was not written whole. */
struct local_action local_forward(struct local *local);

/* The text of a COM_QUERY or COM_STMT_PREPARE, whether a plugin is loaded or not. Borrowed from the packet. */
struct sql_span local_query_text(const struct observed *observed, const struct wire_packet *packet);

/* Returns whether the command is a COM_QUERY of a single statement. Costs a search for ';' without
 * plugins: look at the kind first. */
bool local_is_single_query(const struct observed *observed, const struct wire_packet *packet);

#define X(row) extern const struct local_statement row;
#include "gateway/local/statements.def"
#undef X

#endif
