/* SPDX-License-Identifier: Apache-2.0
 *
 * Collects the facts of an event into the record of a scratch area, which each thread reuses.
 *
 * A record borrows: from the host, whose texts live as long as the callback, or from the scratch
 * area where a copy was needed (masked statements, parameters, whose texts do not outlive the next
 * call).
 *
 * What is the same for all records of a session is collected and formatted once and kept with the
 * session (struct audited). The kept part is valid while account and roles are unchanged; they are
 * compared each time, which is cheaper than collecting the rest.
 *
 * Secrets are masked here, before any format or filter sees the statement, its parameters or the
 * error message that quotes it. */
#include "collect.h"

#include <stdlib.h>
#include <weir/clock.h>

#define US 1000U /* ns */

/* Those of the kept part. */
#define SESSION_NULLS (UINT64_C(1) << RECORD_TEXT_account | UINT64_C(1) << RECORD_TEXT_roles)

#define AUDITED_MAGIC 0xa0d17edaU

struct audited {
    uint32_t magic;
    struct strbuf program, os_user; /* of the connection attributes */
    bool has_program, has_os_user;
    struct strbuf account, roles; /* as they stand in `part` */
    uint64_t nulls;               /* likewise: which of them are not known */
    struct strbuf part;
    const struct format *part_format; /* NULL: there is none */
    struct filter_state filter;
};

/* ---- What is kept with a session ---- */

struct audited *audited_new(const weir_session *session)
{
    struct audited *audited = calloc(1, sizeof *audited);
    weir_string name, value;
    if (audited)
        audited->magic = AUDITED_MAGIC;
    for (size_t i = 0; audited && weir_attribute(session, i, &name, &value); i++) {
        if (text_is(name, "program_name")) {
            strbuf_add(&audited->program, value.data, value.size);
            audited->has_program = true;
        } else if (text_is(name, "_os_user") || text_is(name, "os_user")) {
            strbuf_reset(&audited->os_user);
            strbuf_add(&audited->os_user, value.data, value.size);
            audited->has_os_user = true;
        }
    }
    return audited;
}

struct audited *audited_of(const weir_session *session)
{
    struct audited *audited = weir_session_data(session);
    if (audited)
        WEIR_CHECK(audited, AUDITED_MAGIC);
    return audited;
}

void audited_reset(struct audited *audited)
{
    if (!audited)
        return;
    WEIR_CHECK(audited, AUDITED_MAGIC);
    audited->part_format = NULL;
    audited->filter = (struct filter_state){0};
}

struct filter_state *audited_filter(struct audited *audited)
{
    return &audited->filter;
}

void audited_free(struct audited *audited)
{
    if (!audited)
        return;
    WEIR_CHECK(audited, AUDITED_MAGIC);
    audited->magic = 0;
    strbuf_release(&audited->program);
    strbuf_release(&audited->os_user);
    strbuf_release(&audited->account);
    strbuf_release(&audited->roles);
    strbuf_release(&audited->part);
    free(audited);
}

static bool is_same(const struct strbuf *kept, weir_string now)
{
    return text_equals((weir_string){kept->data, kept->size}, now);
}

static void copy(struct strbuf *to, weir_string from)
{
    strbuf_reset(to);
    strbuf_add(to, from.data, from.size);
}

/* Sets the kept part, if it is there and still right. */
static bool use_part(struct record *record, const struct audited *audited,
                     const struct format *format)
{
    if (!audited || !format || audited->part_format != format ||
        audited->nulls != (record->nulls & SESSION_NULLS) ||
        !is_same(&audited->account, record->text[RECORD_TEXT_account]) ||
        !is_same(&audited->roles, record->text[RECORD_TEXT_roles]))
        return false;
    record->session_part = (weir_string){audited->part.data, audited->part.size};
    return true;
}

void collect_session_part(struct scratch *scratch, struct audited *audited,
                          const struct format *format)
{
    struct record *record = &scratch->record;
    if (!audited || !format->write_session || record->session_part.data ||
        use_part(record, audited, format))
        return;
    copy(&audited->account, record->text[RECORD_TEXT_account]);
    copy(&audited->roles, record->text[RECORD_TEXT_roles]);
    audited->nulls = record->nulls & SESSION_NULLS;
    strbuf_reset(&audited->part);
    format->write_session(&audited->part, record);
    bool failed = audited->part.failed || audited->account.failed || audited->roles.failed;
    audited->part_format = failed ? NULL : format;
    use_part(record, audited, format);
}

/* ---- Facts ---- */

void scratch_release(struct scratch *scratch)
{
    strbuf_release(&scratch->bodies);
    strbuf_release(&scratch->redacted);
    strbuf_release(&scratch->values);
    free(scratch->parameters);
    free(scratch->tables);
    free(scratch->routines);
    free(scratch->attributes);
}

/* Absent when empty: an empty database or cipher says nothing. */
static weir_string unless_empty(weir_string string)
{
    return string.size ? string : (weir_string){NULL, 0};
}

/* A fact that every session has once it is logged in: absent is not known, and empty is none. */
static void collect_known(struct record *record, unsigned text, weir_string fact)
{
    record->text[text] = unless_empty(fact);
    if (!fact.data && record->event != RECORD_REJECT)
        record_set_null(record, text);
}

/* format: whose kept part is enough, where there is one; NULL: every fact is wanted. */
static void collect_session(struct record *record, const struct audited *audited,
                            const weir_session *session, const struct format *format)
{
    weir_string *text = record->text;
    uint64_t *number = record->number;
    collect_known(record, RECORD_TEXT_account, weir_current_user(session));
    collect_known(record, RECORD_TEXT_roles, weir_current_role(session));
    collect_known(record, RECORD_TEXT_database, weir_database(session));
    if (record->nulls)
        text[RECORD_TEXT_unknown] = unless_empty(weir_unknown(session));
    if (use_part(record, audited, format))
        return;
    number[RECORD_NUMBER_connection_id] = weir_connection_id(session);
    number[RECORD_NUMBER_backend_connection_id] = weir_backend_connection_id(session);
    text[RECORD_TEXT_user] = weir_user(session);
    text[RECORD_TEXT_host] = weir_host(session);
    text[RECORD_TEXT_client_ip] = unless_empty(weir_client_ip(session));
    if (weir_client_port(session))
        number[RECORD_NUMBER_client_port] = weir_client_port(session);
    text[RECORD_TEXT_connection_type] =
        text_of(weir_connection_type_name(weir_connection_type(session)));
    text[RECORD_TEXT_tls_version] = unless_empty(weir_tls_version(session));
    text[RECORD_TEXT_tls_cipher] = unless_empty(weir_tls_cipher(session));
    if (audited && audited->has_program)
        text[RECORD_TEXT_program] = (weir_string){audited->program.data, audited->program.size};
    if (audited && audited->has_os_user)
        text[RECORD_TEXT_os_user] = (weir_string){audited->os_user.data, audited->os_user.size};
}

/* Makes room for one more element of a scratch array. */
#define MORE(array, room, count)                                                                   \
    ((count) < (room) || grow((void **)&(array), &(room), sizeof *(array)))
static bool grow(void **array, size_t *room, size_t size)
{
    size_t more = *room ? 2 * *room : 16;
    void *grown = realloc(*array, more * size);
    if (!grown)
        return false;
    *array = grown;
    *room = more;
    return true;
}

static void collect_attributes(struct scratch *scratch, const weir_session *session)
{
    struct record *record = &scratch->record;
    size_t count = 0;
    while (MORE(scratch->attributes, scratch->attribute_room, count) &&
           weir_attribute(session, count, &scratch->attributes[count].name,
                          &scratch->attributes[count].value))
        count++;
    record->attributes = scratch->attributes;
    record->attribute_count = count;
}

void collect_connection(struct scratch *scratch, struct audited *audited,
                        const weir_session *session, weir_connection_event event)
{
    static const enum record_event events[] = {[WEIR_CONNECTED] = RECORD_CONNECT,
                                               [WEIR_DISCONNECT] = RECORD_DISCONNECT,
                                               [WEIR_CHANGE_USER] = RECORD_CHANGE_USER,
                                               [WEIR_REJECT] = RECORD_REJECT};
    struct record *record = &scratch->record;
    record_init(record, events[event], clock_wall_ns());
    collect_session(record, audited, session, NULL);
    weir_string *text = record->text;
    if (event == WEIR_DISCONNECT) {
        text[RECORD_TEXT_reason] = unless_empty(weir_reject_reason(session));
        text[RECORD_TEXT_refused_by] = unless_empty(weir_refused_by(session));
        record->number[RECORD_NUMBER_duration_us] = weir_connection_duration(session) / US;
        return;
    }
    collect_attributes(scratch, session);
    text[RECORD_TEXT_auth_method] = unless_empty(weir_auth_method(session));
    if (event == WEIR_REJECT) {
        text[RECORD_TEXT_reason] = unless_empty(weir_reject_reason(session));
        text[RECORD_TEXT_refused_by] = unless_empty(weir_refused_by(session));
        record->number[RECORD_NUMBER_error_code] = weir_error_code(session);
    }
}

/* Texts without a secret are not even copied: mostly this looks at no byte. */
static bool is_same_text(weir_string a, weir_string b)
{
    return a.size == b.size &&
           (a.data == b.data || (a.data && memcmp(a.data, b.data, a.size) == 0));
}

/* How much of a longer text the limit leaves: not half a character. */
static size_t beginning(weir_string text, uint64_t limit)
{
    size_t size = limit;
    while (size && ((unsigned char)text.data[size] & 0xc0) == 0x80)
        size--;
    return size;
}

/* Without the fact (an older server, or no memory for it) no text is written. */
static void collect_sql(struct scratch *scratch, const weir_session *session,
                        const struct collect_options *options)
{
    struct record *record = &scratch->record;
    weir_string written = weir_sql(session), sql = written;
    uint64_t whole = weir_sql_size(session);
    if (!sql.data)
        return;
    weir_string redacted = weir_redacted_sql(session);
    if (!is_same_text(redacted, sql)) {
        record->number[RECORD_NUMBER_masked] = 1;
        sql = redacted.data ? redacted : text_of("");
    }
    bool is_cut = whole != WEIR_ABSENT && written.size < whole;
    if (options->sql_limit && sql.size > options->sql_limit) {
        sql.size = beginning(sql, options->sql_limit);
        is_cut = true;
    }
    if (is_cut)
        record->number[RECORD_NUMBER_sql_size] = whole != WEIR_ABSENT ? whole : sql.size;
    record->text[RECORD_TEXT_sql] = sql;
}

/* What a parameter takes of the limit besides its value: its name and marks. */
#define PARAMETER_BYTES 32

/* Reads one parameter, and cuts its value to what is left of the limit. False: there is no such
 * parameter. */
static bool collect_parameter(const weir_session *session, size_t index, bool is_masked,
                              uint64_t left, struct record_parameter *parameter)
{
    weir_parameter_origin origin = {.struct_size = sizeof origin};
    weir_string *value = &parameter->shown.value;
    if (!weir_statement_parameter(session, index, &parameter->shown))
        return false;
    bool is_known = weir_statement_parameter_origin(session, index, &origin);
    parameter->flags = is_known ? origin.flags : 0;
    parameter->size = parameter->flags & WEIR_PARAMETER_CUT ? origin.size : value->size;
    if (parameter->flags & (WEIR_PARAMETER_DEFAULT | WEIR_PARAMETER_IGNORE))
        *value = (weir_string){NULL, 0};
    if (is_masked) {
        *value = text_of("***");
        parameter->flags = 0;
    } else if (value->size > left) {
        value->size = beginning(*value, left);
        parameter->flags |= WEIR_PARAMETER_CUT;
    }
    return true;
}

static uint64_t count_parameters(const weir_session *session, size_t from)
{
    weir_parameter_origin origin = {.struct_size = sizeof origin};
    size_t index = from;
    while (weir_statement_parameter_origin(session, index, &origin))
        index++;
    return index - from;
}

/* The text of a parameter may be gone when the next one is asked for: all are copied, and pointed
 * at when the copy does not move any more. */
static void collect_parameters(struct scratch *scratch, const weir_session *session, uint64_t limit)
{
    struct record *record = &scratch->record;
    bool is_masked = record->number[RECORD_NUMBER_masked] == 1;
    uint64_t left = limit ? limit : UINT64_MAX;
    size_t count = 0;
    strbuf_reset(&scratch->values);
    while (left && MORE(scratch->parameters, scratch->parameter_room, count) &&
           collect_parameter(session, count, is_masked, left, &scratch->parameters[count])) {
        const weir_string *value = &scratch->parameters[count++].shown.value;
        strbuf_add(&scratch->values, value->data, value->size);
        uint64_t taken = value->size + PARAMETER_BYTES;
        left -= taken < left ? taken : left;
    }
    uint64_t left_out = left ? 0 : count_parameters(session, count);
    if (left_out)
        record->number[RECORD_NUMBER_parameters_left_out] = left_out;
    const char *at = scratch->values.data ? scratch->values.data : "";
    for (size_t i = 0; i < count && !scratch->values.failed; i++) {
        weir_string *value = &scratch->parameters[i].shown.value;
        value->data = value->data ? at : NULL;
        at += value->size;
    }
    record->parameters = scratch->parameters;
    record->parameter_count = scratch->values.failed ? 0 : count;
}

static void collect_tables(struct scratch *scratch, const weir_session *session)
{
    struct record *record = &scratch->record;
    size_t count = 0;
    while (MORE(scratch->tables, scratch->table_room, count) &&
           weir_statement_table(session, count, &scratch->tables[count]))
        count++;
    record->tables = scratch->tables;
    record->table_count = count;
    record->number[RECORD_NUMBER_tables_known] = weir_tables_known(session);
    record->has_unknown_names = weir_names_known(session) != 1;
    count = 0;
    while (MORE(scratch->routines, scratch->routine_room, count) &&
           weir_statement_routine(session, count, &scratch->routines[count]))
        count++;
    record->routines = scratch->routines;
    record->routine_count = count;
}

static void collect_outcome(struct scratch *scratch, const weir_session *session,
                            weir_general_event event)
{
    struct record *record = &scratch->record;
    uint64_t *number = record->number, duration = weir_duration(session);
    if (duration != WEIR_ABSENT)
        number[RECORD_NUMBER_duration_us] = duration / US;
    number[RECORD_NUMBER_bytes] = weir_bytes(session);
    weir_string message =
        unless_empty(event == WEIR_ERROR ? weir_redacted_message(session) : weir_message(session));
    if (event == WEIR_ERROR) {
        number[RECORD_NUMBER_error_code] = weir_error_code(session);
        record->text[RECORD_TEXT_sqlstate] = weir_sqlstate(session);
        record->text[RECORD_TEXT_refused_by] = unless_empty(weir_refused_by(session));
    } else {
        number[RECORD_NUMBER_rows] = weir_rows(session);
        number[RECORD_NUMBER_affected_rows] = weir_affected_rows(session);
        number[RECORD_NUMBER_warnings] = weir_warnings(session);
        uint64_t last_insert_id = weir_last_insert_id(session);
        if (last_insert_id)
            number[RECORD_NUMBER_last_insert_id] = last_insert_id;
    }
    record->text[RECORD_TEXT_message] = message;
}

static enum record_event event_of(const weir_session *session, weir_general_event event)
{
    if (event == WEIR_STARTING)
        return RECORD_STARTING;
    if (event == WEIR_COMPLETED)
        return RECORD_COMPLETED;
    return weir_refused_by(session).size ? RECORD_REFUSED : RECORD_ERROR;
}

void collect_statement(struct scratch *scratch, struct audited *audited,
                       const weir_session *session, weir_general_event event,
                       const struct collect_options *options)
{
    struct record *record = &scratch->record;
    record_init(record, event_of(session, event), clock_wall_ns());
    collect_session(record, audited, session, options->format);
    record->number[RECORD_NUMBER_statement_id] = weir_statement_number(session);
    record->text[RECORD_TEXT_command] = weir_command(session);
    collect_sql(scratch, session, options);
    if (record->text[RECORD_TEXT_sql].data) {
        record->text[RECORD_TEXT_kind] = unless_empty(weir_specific_kind(session));
        if (weir_reading_known(session) != 1) {
            record->number[RECORD_NUMBER_reading_known] = 0;
            record->text[RECORD_TEXT_unknown] = unless_empty(weir_unknown(session));
        }
        if (options->with_digest)
            record->text[RECORD_TEXT_digest] = unless_empty(weir_digest(session));
        if (options->with_tables)
            collect_tables(scratch, session);
    }
    record->number[RECORD_NUMBER_prepared_id] = weir_prepared_id(session);
    uint64_t parameters = options->with_parameters ? weir_parameter_count(session) : WEIR_ABSENT;
    if (parameters != WEIR_ABSENT && parameters)
        collect_parameters(scratch, session, options->sql_limit);
    if (event != WEIR_STARTING)
        collect_outcome(scratch, session, event);
}

void collect_plugin(struct scratch *scratch, struct audited *audited, const weir_session *session,
                    weir_plugin_event event, weir_string plugin)
{
    struct record *record = &scratch->record;
    record_init(record, RECORD_PLUGIN, clock_wall_ns());
    if (session)
        collect_session(record, audited, session, NULL);
    record->text[RECORD_TEXT_plugin] = plugin;
    record->text[RECORD_TEXT_detail] = text_of(weir_plugin_event_name(event));
}

/* Messages quote what was in the text: Duplicate entry '4711' for key 'PRIMARY'. Without its end a
 * quotation goes to the end of the message. */
static weir_string without_quotations(struct strbuf *out, weir_string message)
{
    const char *at = message.data, *end = message.data + message.size;
    strbuf_reset(out);
    while (at < end) {
        const char *quote = memchr(at, '\'', (size_t)(end - at));
        strbuf_add(out, at, (size_t)((quote ? quote : end) - at));
        if (!quote)
            break;
        const char *close = memchr(quote + 1, '\'', (size_t)(end - quote - 1));
        strbuf_add_text(out, "'?'");
        at = close ? close + 1 : end;
    }
    return (weir_string){out->failed ? NULL : out->data, out->failed ? 0 : out->size};
}

void collect_redact(struct scratch *scratch, const weir_session *session)
{
    struct record *record = &scratch->record;
    weir_string *message = &record->text[RECORD_TEXT_message];
    if (record->text[RECORD_TEXT_sql].data)
        record->text[RECORD_TEXT_sql] = weir_normalized(session);
    record->number[RECORD_NUMBER_sql_size] = WEIR_ABSENT;
    record->number[RECORD_NUMBER_redacted] = 1;
    record->parameter_count = 0;
    record->number[RECORD_NUMBER_parameters_left_out] = WEIR_ABSENT;
    if (record->event != RECORD_COMPLETED && message->data)
        *message = without_quotations(&scratch->redacted, *message);
}
