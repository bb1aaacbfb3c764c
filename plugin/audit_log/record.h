/* SPDX-License-Identifier: Apache-2.0
 *
 * A record: what happened, as facts, before any format. The one table of its fields drives every
 * format, and weir-audit's reading. A fact that is absent has no data, or is WEIR_ABSENT, and is
 * not written. One that there is and that is not known is written as null; `unknown` says why. A
 * record borrows all that it points to.
 *
 * Sequence number and chain are not here: the journal (journal.h) assigns them in the order of
 * writing. */
#ifndef AUDIT_LOG_RECORD_H
#define AUDIT_LOG_RECORD_H

#include <stdbool.h>
#include <weir/plugin.h>
#include <weir/text.h>

/* X(enumerator, name, class): what can be recorded.
 *   Refused    a statement that a plugin has refused
 *   Start      the log begins, or continues after a restart
 *   Stop       the plugin ends in order
 *   Gap        events have been lost; `lost` says how many, `since` and `until` when
 *   Reopen     the file was closed and opened again: FLUSH, or it had been removed
 *   Plugin     a plugin of the server was enabled, disabled or flushed: `detail` of `plugin`
 *   TableAccess  a statement's use of one table. The plugin makes none: formats that have lines of
 *              their own for it are read as these */
#define RECORD_EVENTS(X)                                                                           \
    X(RECORD_CONNECT, "Connect", "connection")                                                     \
    X(RECORD_REJECT, "Reject", "connection")                                                       \
    X(RECORD_CHANGE_USER, "ChangeUser", "connection")                                              \
    X(RECORD_DISCONNECT, "Disconnect", "connection")                                               \
    X(RECORD_STARTING, "Starting", "general")                                                      \
    X(RECORD_COMPLETED, "Completed", "general")                                                    \
    X(RECORD_ERROR, "Error", "general")                                                            \
    X(RECORD_REFUSED, "Refused", "general")                                                        \
    X(RECORD_START, "Start", "audit")                                                              \
    X(RECORD_STOP, "Stop", "audit")                                                                \
    X(RECORD_GAP, "Gap", "audit")                                                                  \
    X(RECORD_REOPEN, "Reopen", "audit")                                                            \
    X(RECORD_PLUGIN, "Plugin", "audit")                                                            \
    X(RECORD_TABLE, "TableAccess", "table_access")

#define X(enumerator, name, class) enumerator,
enum record_event { RECORD_EVENTS(X) RECORD_EVENT_END };
#undef X

/* TEXT(member), NUMBER(member), LIST(member): the fields in the order in which they are written.
 * The first group is the same for all records of a session, until its account or roles change. */
#define RECORD_SESSION_FIELDS(TEXT, NUMBER, LIST)                                                  \
    NUMBER(connection_id)         /* as the client knows it */                                     \
    NUMBER(backend_connection_id) /* as the backend's CONNECTION_ID() and KILL have it */          \
    TEXT(user)                    /* as the client sent it */                                      \
    TEXT(host)                                                                                     \
    TEXT(account) /* as the backend matched it */                                                  \
    TEXT(roles)                                                                                    \
    TEXT(client_ip)                                                                                \
    NUMBER(client_port)                                                                            \
    TEXT(connection_type)                                                                          \
    TEXT(tls_version)                                                                              \
    TEXT(tls_cipher)                                                                               \
    TEXT(program) /* connection attribute program_name */                                          \
    TEXT(os_user) /* connection attribute _os_user or os_user */

#define RECORD_EVENT_FIELDS(TEXT, NUMBER, LIST)                                                    \
    TEXT(auth_method)                                                                              \
    LIST(attributes)                                                                               \
    TEXT(database)                                                                                 \
    NUMBER(statement_id) /* counts the session's statements */                                     \
    TEXT(command)                                                                                  \
    TEXT(kind)                                                                                     \
    TEXT(sql)                                                                                      \
    NUMBER(sql_size) /* bytes of the whole text, when sql is only its beginning */                 \
    NUMBER(masked)   /* 1: secrets in sql were replaced by *** */                                  \
    NUMBER(redacted) /* 1: a filter had sql replaced by its normalised form */                     \
    NUMBER(prepared_id)                                                                            \
    LIST(parameters)                                                                               \
    NUMBER(parameters_left_out) /* after these, since the record had become too long */            \
    TEXT(digest)                                                                                   \
    LIST(tables)                                                                                   \
    LIST(routines)        /* that the statement calls: their tables are in no record of it */      \
    NUMBER(tables_known)  /* 0: the statement may use other tables than these */                   \
    NUMBER(reading_known) /* 0: kind and tables are what the text looks like; not written else */  \
    TEXT(unknown)         /* which facts are not known, and why */                                 \
    NUMBER(rows)                                                                                   \
    NUMBER(bytes)                                                                                  \
    NUMBER(affected_rows)                                                                          \
    NUMBER(last_insert_id)                                                                         \
    NUMBER(warnings)                                                                               \
    NUMBER(duration_us)                                                                            \
    NUMBER(error_code)                                                                             \
    TEXT(sqlstate)                                                                                 \
    TEXT(message)                                                                                  \
    TEXT(refused_by) /* name of the plugin */                                                      \
    TEXT(reason)                                                                                   \
    NUMBER(lost) /* Gap: events that are in no record */                                           \
    TEXT(since)                                                                                    \
    TEXT(until)                                                                                    \
    NUMBER(torn_bytes) /* Start: bytes of a half-written record that were cut off */               \
    TEXT(plugin)       /* Plugin: its name */                                                      \
    TEXT(detail)

#define RECORD_FIELDS(TEXT, NUMBER, LIST)                                                          \
    RECORD_SESSION_FIELDS(TEXT, NUMBER, LIST)                                                      \
    RECORD_EVENT_FIELDS(TEXT, NUMBER, LIST)

#define NONE(member)
#define X(member) RECORD_TEXT_##member,
enum record_text { RECORD_FIELDS(X, NONE, NONE) RECORD_TEXT_END };
#undef X
#define X(member) RECORD_NUMBER_##member,
enum record_number { RECORD_FIELDS(NONE, X, NONE) RECORD_NUMBER_END };
#undef X
#define X(member) RECORD_LIST_##member,
enum record_list { RECORD_FIELDS(NONE, NONE, X) RECORD_LIST_END };
#undef X
#undef NONE

struct record_attribute {
    weir_string name, value;
};

struct record_parameter {
    weir_parameter shown; /* value.data is NULL where there is none: NULL, and DEFAULT or IGNORE */
    uint32_t flags;       /* WEIR_PARAMETER_*; CUT: shown.value is the beginning of `size` bytes */
    uint64_t size;
};

struct record {
    uint64_t time_ns; /* since 1970 */
    enum record_event event;
    weir_string text[RECORD_TEXT_END];
    uint64_t nulls; /* bit of enum record_text: the text, which is absent, is not known */
    uint64_t number[RECORD_NUMBER_END];
    const struct record_attribute *attributes;
    size_t attribute_count;
    const struct record_parameter *parameters;
    size_t parameter_count;
    const weir_table *tables;
    size_t table_count;
    const weir_routine *routines;
    size_t routine_count;
    bool has_unknown_names; /* the text may name other tables and routines than these */
    uint64_t table_skip;    /* bit i: a filter leaves table i out */
    weir_string
        session_part; /* the session's fields, as the format has written them before; or absent */
    bool without_general; /* a filter wants the statement's tables only */
};

/* One row for each field, in order. */
enum record_type { RECORD_IS_TEXT, RECORD_IS_NUMBER, RECORD_IS_LIST };
struct record_row {
    const char *name;
    enum record_type type;
    unsigned index; /* of enum record_text, record_number or record_list */
};
extern const struct record_row record_rows[];
extern const size_t record_row_count, record_session_row_count;

/* "Completed", and "general". */
const char *record_event_name(enum record_event event);
const char *record_event_class(enum record_event event);

static inline bool record_is_null(const struct record *record, unsigned text)
{
    return record->nulls >> text & 1;
}
static inline void record_set_null(struct record *record, unsigned text)
{
    record->text[text] = (weir_string){NULL, 0};
    record->nulls |= UINT64_C(1) << text;
}
/* Whether the schema of the table is the session's database, which is not known. */
static inline bool record_is_schema_null(const struct record *record, const weir_table *table)
{
    return table->schema.size == 0 && record_is_null(record, RECORD_TEXT_database);
}

/* Everything absent. */
void record_init(struct record *record, enum record_event event, uint64_t time_ns);

#endif
