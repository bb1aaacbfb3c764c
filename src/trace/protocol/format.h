/* SPDX-License-Identifier: Apache-2.0
 *
 * Events as text, as JSON, and as MySQL's test plugin prints them: trace plugins that are part of
 * the program.
 *
 * They write to one stream. The time and the connection's number are set from outside, because a
 * recording has its own. Each line is one fwrite(): lines of several threads do not mix. */
#ifndef WEIR_TRACE_FORMAT_H
#define WEIR_TRACE_FORMAT_H

#include <stdio.h>

#include "trace/protocol/traced_session.h"

/* X(enumerator, name, plugin): the formats; `--format name`. */
#define TRACE_FORMATS(X)                                                                           \
    X(TRACE_FORMAT_TEXT, "text", trace_text_plugin)                                                \
    X(TRACE_FORMAT_TEST_TRACE, "test_trace", trace_test_trace_plugin)                              \
    X(TRACE_FORMAT_JSON, "json", trace_json_plugin)

enum trace_format {
#define X(enumerator, name, plugin) enumerator,
    TRACE_FORMATS(X)
#undef X
};

#define X(enumerator, name, plugin) extern struct st_mysql_client_plugin_TRACE plugin;
TRACE_FORMATS(X)
#undef X

/* Returns -1 if there is no such format. */
WEIR_MUST_CHECK int trace_format_from_name(const char *name, enum trace_format *format);

/* Both are static. */
const char *trace_format_name(enum trace_format format);
struct st_mysql_client_plugin_TRACE *trace_format_plugin(enum trace_format format);

/* The test plugin's own: set if passwords that are sent in the clear must not be printed. */
extern int test_trace_is_masking;

/* Set before anything is traced; read by the formats. */
struct trace_output {
    FILE *stream;
    bool hex;            /* text: the first bytes of every packet */
    bool show_secrets;   /* show authentication data and passwords in statements; otherwise they are
                            masked */
    bool is_live;        /* the time is now */
    uint64_t now_ns;     /* else: the time of what is being traced; 0: unknown, and left out */
    unsigned connection; /* the number of what is being traced, from 1; 0: there is one only */
    const struct trace_conversation *conversation; /* what is being traced; NULL: unknown */
};
extern struct trace_output trace_output;

/* Nanoseconds; 0: unknown. */
uint64_t trace_now(void);

/* Seconds from one time to another: below 0 where the clock of a capture was set back. */
double trace_seconds(uint64_t from_ns, uint64_t to_ns);

/* The text of a Query or Prepare, without query attributes; data NULL: another command. Borrowed. */
struct wire_string trace_statement(const MYSQL *handle, const struct st_trace_event_args *args);

/* If the statement holds a password that must not be shown, adds it to masked with '***' in its
 * place and returns true. masked->failed: there was no memory, and nothing may be shown. */
WEIR_MUST_CHECK bool trace_mask_statement(struct strbuf *masked, struct wire_string statement);

/* The same for a server's error message; of_secret: the statement that it is about held one. */
WEIR_MUST_CHECK bool trace_mask_message(struct strbuf *masked, struct wire_string message,
                                        bool of_secret);

/* Returns true if pkt of the event authenticates somebody or holds a password, and is to be masked
 * as a whole. of_secret: the command in progress held one. */
WEIR_MUST_CHECK bool trace_is_secret(enum trace_event event, const MYSQL *handle,
                                     const struct st_trace_event_args *args, bool of_secret);

#endif
