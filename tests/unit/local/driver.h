/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs statements of the room without a session: carries their actions out, plays the backend by a
 * script, and says in words how a statement ended. Each statement is also abandoned after each of
 * its actions, so that what it does not free is a leak. cmocka's includes come first, as cmocka
 * wants them. */
#ifndef WEIR_TESTS_LOCAL_DRIVER_H
#define WEIR_TESTS_LOCAL_DRIVER_H

#include "../plugin/workshop.h"
#include "gateway/local/local.h"

#define DRIVER_REPLIES 8
#define DRIVER_STATUS  2 /* of the server: autocommit */

struct driver {
    struct workshop *workshop;
    struct session_environment environment;
    struct observed observed;
    _Atomic(struct trace_host *) trace;

    /* The script, which each statement plays from its beginning. */
    const char *grants;                    /* the row of SHOW GRANTS; NULL: an error */
    struct strbuf replies[DRIVER_REPLIES]; /* of queries and of the packet that is forwarded */
    size_t reply_count;
    bool is_shutting_down; /* work is cancelled */

    /* What the statement has done. */
    size_t replies_read;
    struct strbuf queries;                  /* texts, a line each, and SHOW GRANTS */
    struct strbuf end;                      /* how it ended: see driver_query() */
    const char *reload_error, *reload_note; /* NULL: none */
    int reloads;
    struct strbuf backend_orders; /* "2 name;": enum session_backend_order and the name, each */
    char killed[96];              /* "elsewhere: KILL 77" */
    bool has_no_account;          /* ... and it fails */
    size_t trace_changes;
    char trace_loaded[64];
};

/* cmocka's set-up and tear-down: *state is a struct driver, with the plugin v loaded; without any
 * plugin. */
int driver_open(void **state);
int driver_open_plain(void **state);
int driver_close(void **state);

/* Appends a reply to the script. values: row by row, NULL pointers are NULL values; type: of the
 * columns (enum wire_field_type). */
void driver_reply_error(struct driver *driver, uint16_t code, const char *message);
void driver_reply_ok(struct driver *driver, const char *database); /* that it says is the new one;
                                                                      or NULL */
void driver_reply_rows(struct driver *driver, uint8_t type, size_t columns,
                       const char *const *values, size_t rows);
void driver_reply_binary_rows(struct driver *driver, size_t columns, const char *const *values,
                              size_t rows);

/* Forgets script, queries and end, not what was set. */
void driver_reset(struct driver *driver);

/* Runs a command and says how it ended; alive until the next call:
 *
 *     "none"                             no row of the table matches
 *     "error 1064 message"               (and "error 1064 HY001 message" with a state of its own)
 *     "ok", "ok; took effect"
 *     "rows Name,Status;a,b;NULL,c"      the columns, then row by row
 *     "payload 7; took effect"           bytes
 *     "forward text"                     what follows the command's byte
 *     "forward text; reads a,b;c,d"      and the rows that the client reads, where it replaces them
 */
const char *driver_query(struct driver *driver, const char *text);
const char *driver_prepare(struct driver *driver, const char *text);
const char *driver_command(struct driver *driver, uint8_t command, const void *argument,
                           size_t size);

#endif
