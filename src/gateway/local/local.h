/* SPDX-License-Identifier: Apache-2.0
 *
 * local: statements that the gateway answers itself, or sends on in other words.
 *
 * Each is a row of one table: a name, whether a command matches, and how it begins. What it does is
 * a chain of actions: begin() returns the first one, and each action names the function that
 * returns the next. The session carries them out; nothing here calls the session.
 *
 *     QUERY      runs a statement on the backend, as the session's user, between commands of the
 *                client; row() and packet() see the answer, then next() is called
 *     PRIVILEGE  needs one of some privileges; next() is called once it is granted. Otherwise the
 *                statement ends with error 1227
 *     WORK       runs work() on a thread that may block; then next() is called
 *     FORWARD    sends a packet to the backend in place of the client's command. Its reply is the
 *                client's; reply_packet() may replace what the client reads
 *     ANSWER     ends the statement with an error, OK, or rows
 *
 * To add a statement: a file with its struct local_statement, and a row in statements.def. */
#ifndef WEIR_GATEWAY_LOCAL_LOCAL_H
#define WEIR_GATEWAY_LOCAL_LOCAL_H

#include "gateway/statement/statement.h"

struct local;

/* What next() is told of the action before. */
struct local_outcome {
    unsigned error_code;  /* QUERY: the backend's error; 0: success */
    const struct wire_result *result; /* QUERY: the last result; borrowed */
    bool cancelled;       /* WORK: the gateway is shutting down, and it was not run */
};

enum local_action_kind { LOCAL_QUERY, LOCAL_PRIVILEGE, LOCAL_WORK, LOCAL_FORWARD, LOCAL_ANSWER };

struct local_action {
    enum local_action_kind kind;
    struct local_action (*next)(struct local *local, const struct local_outcome *outcome);
    /* QUERY */
    const char *text; /* NUL-terminated; lives until next() is called */
    void (*row)(struct local *local, const struct wire_string *values, size_t count); /* or NULL */
    void (*packet)(struct local *local, const struct wire_packet *packet,
                   const struct wire_result *result); /* each packet, before row(); or NULL */
    /* PRIVILEGE: names as in SHOW GRANTS; the list ends with NULL; an empty one is granted to
     * everybody. Lives on. */
    const char *const *privileges;
    /* WORK: on a thread of its own. It must not touch more of the session than its handle. */
    void (*work)(struct local *local);
    /* FORWARD: the statement's local->packet. reply_packet (or NULL): each packet of the reply; it
     * appends what the client shall read instead to local->reply, whose packets are numbered
     * local->shift higher than the backend's. */
    void (*reply_packet)(struct local *local, const struct wire_packet *packet,
                         struct wire_result *result);
};

/* How the statement ends. */
enum local_answer_kind { LOCAL_ERROR, LOCAL_OK, LOCAL_ROWS, LOCAL_PAYLOAD };

struct local_answer {
    enum local_answer_kind kind;
    struct plugin_refusal error; /* sqlstate "": the usual one of that error */
    /* ROWS: text columns; values row by row, NULL pointers are NULL values. Owned by the statement,
     * and alive until release(). */
    const char *const *columns;
    size_t column_count;
    const char *const *values;
    size_t row_count;
    /* PAYLOAD: a packet of the backend's, such as an OK, and what it amounted to. Owned by the
     * statement. */
    const void *payload;
    size_t payload_size;
    struct wire_result result;
    bool took_effect; /* events_took_effect() is due */
};

#define LOCAL_COLUMNS 8 /* most columns of an answer */

/* A row of the table. */
struct local_statement {
    const char *name;
    /* Whether the command that has begun (observed->command) is one. Must cost an ordinary
     * statement next to nothing. */
    bool (*matches)(const struct observed *observed, const struct wire_packet *packet);
    /* Makes the statement at work (returns owned, base filled by local_begin()). NULL: no memory. */
    struct local *(*make)(void);
    /* The first action. The command's payload may go once it has returned. */
    struct local_action (*begin)(struct local *local, const struct wire_packet *packet);
    /* Frees what it owns, itself included. */
    void (*release)(struct local *local);
};

/* The statement at work; each statement's own struct begins with it. */
struct local {
    const struct local_statement *statement;
    struct observed *observed;
    struct local_answer answer;
    struct strbuf packet; /* FORWARD: the packet, header included */
    struct strbuf reply;  /* what the client shall read of the reply */
    uint8_t shift;
};

/* The row that a command matches. NULL: none. */
const struct local_statement *local_find(const struct observed *observed,
                                         const struct wire_packet *packet);

/* Begins the statement: *local is made. NULL: no memory. Returns owned (local_end()). */
struct local *local_begin(const struct local_statement *statement, struct observed *observed);

void local_end(struct local *local); /* NULL is allowed */

/* ---- For the statements ---- */

/* The action that ends a statement with an error. sqlstate is the usual one. */
struct local_action local_fail(struct local *local, unsigned code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct local_action local_refuse(struct local *local, const struct plugin_refusal *refusal);
struct local_action local_ok(struct local *local);

/* The backend's own error, of the query before. */
struct local_action local_fail_like(struct local *local, const struct wire_result *result);
struct local_action local_out_of_memory(struct local *local);

/* ---- Privileges, for the session ---- */

/* Whether a row of SHOW GRANTS grants one of the privileges on everything. */
bool local_grants(struct wire_string line, const char *const *privileges);

/* How the server says that none of them is granted: the message of error 1227. */
void local_denied_message(const char *const *privileges, char *message, size_t room);

#endif
