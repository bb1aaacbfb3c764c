/* SPDX-License-Identifier: Apache-2.0
 *
 * A host for the firewall's rules, outside of any server: it answers the few facts that rules ask
 * for, of a text at hand. */
#ifndef WEIR_FIREWALL_HOST_H
#define WEIR_FIREWALL_HOST_H

#include <weir/plugin.h>

#include "base/base.h"
#include "sql/sql.h"

/* What rules see; the rules' handle of a session is its address. */
struct weir_session {
    struct sql_mode mode;
    struct sql_span account, database;
    struct sql_span statement;
    size_t statement_count; /* in the text that the statement stands in */
    struct sql_digester digester;
    struct sql_tables tables;
    struct sql_parts parts;
    struct strbuf normalized;
    char digest[SQL_DIGEST_BYTES], part_digest[SQL_DIGEST_BYTES];
};

/* mode, account and database are set by the caller. */
void host_open(struct weir_session *session);
void host_close(struct weir_session *session);

/* Works out the facts of a statement, which is borrowed. False: there is no memory. */
bool host_read(struct weir_session *session, struct sql_span statement, size_t statement_count);

#endif
