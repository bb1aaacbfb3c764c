/* SPDX-License-Identifier: Apache-2.0
 *
 * A session of the fake host whose facts are computed from a statement's text, as the server does:
 * what the rules of sql_firewall ask for, outside of any server. */
#ifndef WEIR_FIREWALL_TEXT_SESSION_H
#define WEIR_FIREWALL_TEXT_SESSION_H

#include "base/base.h"
#include "fake_host.h"
#include "sql/sql.h"

struct text_session {
    struct weir_session session;       /* for the plugin's functions */
    struct sql_mode mode;              /* set by the caller, as the next two are */
    struct sql_span account, database; /* at NULL: it is not known */
    /* Private. */
    struct sql_digester digester;
    struct sql_tables tables;
    struct sql_parts parts;
    struct strbuf normalized, table_memory, routine_memory, part_memory;
    char digest[SQL_DIGEST_BYTES], part_digest[SQL_DIGEST_BYTES];
};

/* The server's names, for the fake host: plugin_options in plugin/host/plugin_host.h. */
const char *text_session_known_name(uint32_t list, size_t index);

/* Everything empty; mode, account and database are the caller's to set after this. */
void text_session_open(struct text_session *session);
void text_session_close(struct text_session *session);

/* Computes the facts of a statement, which is borrowed; `statement_count` is that of the text that
 * it is in. They are valid until the next call. False: there is no memory. */
WEIR_MUST_CHECK bool text_session_read(struct text_session *session, struct sql_span statement,
                                       size_t statement_count);

#endif
