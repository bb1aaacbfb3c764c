/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts of a session, as the host reports them, become a record. What costs something (digest,
 * tables, parameters) is asked for only when the settings want it, and secrets are masked here, so
 * that no format ever sees one. */
#ifndef AUDIT_LOG_COLLECT_H
#define AUDIT_LOG_COLLECT_H

#include <weir/check.h>

#include "filter.h"
#include "format.h"

struct collect_options {
    bool with_digest, with_tables, with_parameters;
    uint64_t sql_limit; /* bytes of the text, and of all parameters; 0: no limit */
    /* The format whose kept part of the session is enough; NULL: all facts are wanted. */
    const struct format *format;
};

/* What is kept with a session: texts that the host reports once, and the part of its records that is
 * the same for all. */
struct audited;

WEIR_MUST_CHECK struct audited *audited_new(
    const weir_session *session); /* NULL: no memory; the records are then written without it */
/* Returns what is kept with the session; NULL: nothing. Borrowed. */
struct audited *audited_of(const weir_session *session);
void audited_free(struct audited *audited);
/* Call when the account has changed: forces all facts to be read again. */
void audited_reset(struct audited *audited);
/* Which filter the session has. */
struct filter_state *audited_filter(struct audited *audited);

/* A thread's memory for collecting and formatting. */
struct scratch {
    struct strbuf bodies, redacted, values;
    struct record_parameter *parameters;
    weir_table *tables;
    weir_routine *routines;
    struct record_attribute *attributes;
    size_t parameter_room, table_room, routine_room, attribute_room;
    struct record record;
};
void scratch_release(struct scratch *scratch);

/* Fills scratch->record, which borrows from session, audited and scratch. */
void collect_connection(struct scratch *scratch, struct audited *audited,
                        const weir_session *session, weir_connection_event event);
void collect_statement(struct scratch *scratch, struct audited *audited,
                       const weir_session *session, weir_general_event event,
                       const struct collect_options *options);

/* session: who did it; NULL: SIGHUP. */
void collect_plugin(struct scratch *scratch, struct audited *audited, const weir_session *session,
                    weir_plugin_event event, weir_string plugin);

/* A filter wants no literals: the text is replaced by its normalised form, parameters and what
 * is quoted in messages are left out. */
void collect_redact(struct scratch *scratch, const weir_session *session);

/* Sets the record's session_part for this format, written once and kept. */
void collect_session_part(struct scratch *scratch, struct audited *audited,
                          const struct format *format);

#endif
