/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a compiled filter over one event. The tree is walked from the top: the filter itself, its
 * items for the event's class, their items for the event. The answer to "log" comes from the
 * deepest level that has an item for the event, where one item of several is enough; "abort" and
 * "print" add up over all levels.
 *
 * Fields are read from the record when a condition asks for them. A field that a gateway cannot
 * know is an empty text. One that it should know and does not makes the condition MAYBE, and what may
 * hold counts as if it did. Nothing is allocated, except to measure a statement's MySQL name. The
 * recursion over conditions is as deep as the filter, which is bounded when it is compiled. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "filter_run.h"

#include <strings.h>
#include <weir/account.h>

#include "sql_command.h"

#define ACCOUNT_BYTES 512 /* most of an argument of several pieces that is looked at */

/* ---- Fields ---- */

static weir_string account_part(const struct record *record, bool host)
{
    weir_string user_part, host_part, account = record->text[RECORD_TEXT_account];
    if (!account_split(account, &user_part, &host_part))
        return record->text[host ? RECORD_TEXT_host : RECORD_TEXT_user];
    return host ? host_part : user_part;
}

static weir_string field_text(const struct filter_occasion *occasion, enum filter_field field)
{
    const weir_string none = {"", 0}, *text = occasion->subject->record->text;
    switch (field) {
    case FIELD_USER:
    case FIELD_GENERAL_USER:
        return text[RECORD_TEXT_user];
    case FIELD_PRIVILEGED_USER:
        return account_part(occasion->subject->record, false);
    case FIELD_HOST:
    case FIELD_GENERAL_HOST:
        return text[RECORD_TEXT_host];
    case FIELD_IP:
    case FIELD_GENERAL_IP:
        return text[RECORD_TEXT_client_ip];
    case FIELD_DATABASE:
        return text[RECORD_TEXT_database];
    case FIELD_GENERAL_COMMAND:
        return text[RECORD_TEXT_command];
    case FIELD_GENERAL_QUERY:
    case FIELD_QUERY:
        return text[RECORD_TEXT_sql];
    case FIELD_GENERAL_SQL_COMMAND:
        return text[RECORD_TEXT_kind];
    case FIELD_TABLE_DATABASE:
        return occasion->table ? occasion->table->schema : none;
    case FIELD_TABLE_NAME:
        return occasion->table ? occasion->table->name : none;
    default: /* external and proxy users: a gateway does not know them */
        return none;
    }
}

static uint64_t size_of(const struct filter_occasion *occasion, enum filter_field field)
{
    uint64_t whole = occasion->subject->record->number[RECORD_NUMBER_sql_size];
    if ((field == FIELD_GENERAL_QUERY || field == FIELD_QUERY) && whole != WEIR_ABSENT)
        return whole; /* only the beginning of the text is in the record */
    if (field == FIELD_GENERAL_SQL_COMMAND) {
        struct strbuf name = {0};
        sql_command_add(&name, field_text(occasion, field));
        size_t size = name.size;
        strbuf_release(&name);
        return size;
    }
    return field_text(occasion, field).size;
}

/* MySQL's numbers of statements, as far as all its versions have the same. */
static uint64_t command_id(weir_string kind)
{
    static const char *const kinds[] = {"Select",        "CreateTable", "CreateIndex", "AlterTable",
                                        "Update",        "Insert",      NULL,          "Delete",
                                        "TruncateTable", "DropTable",   "DropIndex"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i] && text_is(kind, kinds[i]))
            return i;
    return WEIR_ABSENT;
}

static uint64_t connection_type(weir_string type)
{
    static const struct {
        const char *name;
        uint64_t number;
    } types[] = {{"TCP", 1}, {"Socket", 2}, {"TLS", 4}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (text_is(type, types[i].name))
            return types[i].number;
    return 0;
}

static uint64_t number_of(const struct filter_occasion *occasion, enum filter_field field)
{
    const struct record *record = occasion->subject->record;
    uint64_t code = record->number[RECORD_NUMBER_error_code];
    switch (field) {
    case FIELD_STATUS:
    case FIELD_GENERAL_ERROR_CODE:
        return code == WEIR_ABSENT ? 0 : code;
    case FIELD_CONNECTION_TYPE:
        return connection_type(record->text[RECORD_TEXT_connection_type]);
    case FIELD_SQL_COMMAND_ID:
        return command_id(record->text[RECORD_TEXT_kind]);
    default:
        return record->number[RECORD_NUMBER_connection_id];
    }
}

/* ---- Conditions ---- */

enum answer { NO, YES, MAYBE };

static enum answer answer_of(bool holds)
{
    return holds ? YES : NO;
}

/* Whether the field has a value that is not known: kinds and tables are guesses if the text may be
 * read otherwise. */
static bool is_unknown(const struct filter_occasion *occasion, enum filter_field field)
{
    const struct record *record = occasion->subject->record;
    switch (field) {
    case FIELD_PRIVILEGED_USER:
        return record_is_null(record, RECORD_TEXT_account);
    case FIELD_DATABASE:
        return record_is_null(record, RECORD_TEXT_database);
    case FIELD_GENERAL_SQL_COMMAND:
    case FIELD_SQL_COMMAND_ID:
        return record->number[RECORD_NUMBER_reading_known] == 0;
    case FIELD_TABLE_DATABASE:
        return occasion->is_possible ||
               (occasion->table && record_is_schema_null(record, occasion->table));
    case FIELD_TABLE_NAME:
        return occasion->is_possible;
    default:
        return false;
    }
}

static bool has_unknown(const struct filter_occasion *occasion,
                        const struct filter_argument *argument)
{
    bool found = false;
    for (size_t i = 0; i < argument->count && !found; i++)
        found = argument->pieces[i].field != FIELD_END &&
                is_unknown(occasion, argument->pieces[i].field);
    return found;
}

static bool text_holds(const struct filter_occasion *occasion,
                       const struct filter_condition *condition)
{
    weir_string text = field_text(occasion, condition->field), wanted = condition->text;
    if (condition->field == FIELD_GENERAL_SQL_COMMAND)
        return sql_command_is(text, wanted);
    if (text.size != wanted.size)
        return false;
    if (condition->field == FIELD_GENERAL_COMMAND) /* "Change user" is "Change User" here */
        return text.size == 0 || strncasecmp(text.data, wanted.data, text.size) == 0;
    return text.size == 0 || memcmp(text.data, wanted.data, text.size) == 0;
}

/* A single piece is borrowed; several are put together in `room`, cut to its size. */
static weir_string argument_of(const struct filter_occasion *occasion,
                               const struct filter_argument *argument, char room[ACCOUNT_BYTES])
{
    size_t size = 0;
    for (size_t i = 0; i < argument->count; i++) {
        const struct filter_piece *piece = &argument->pieces[i];
        weir_string text =
            piece->field == FIELD_END ? piece->literal : field_text(occasion, piece->field);
        if (argument->count == 1)
            return text;
        size_t part = text.size < ACCOUNT_BYTES - size ? text.size : ACCOUNT_BYTES - size;
        if (part)
            memcpy(room + size, text.data, part);
        size += part;
    }
    return (weir_string){room, size};
}

static bool string_find(const struct filter_occasion *occasion,
                        const struct filter_condition *condition)
{
    char rooms[2][ACCOUNT_BYTES];
    weir_string text = argument_of(occasion, &condition->arguments[0], rooms[0]);
    weir_string part = argument_of(occasion, &condition->arguments[1], rooms[1]);
    return part.size == 0 ||
           (text.size && memmem(text.data, text.size, part.data, part.size) != NULL);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The same but for white space and case: MySQL prints its digests in capitals. */
static bool is_same_digest(weir_string a, weir_string b)
{
    size_t i = 0, j = 0;
    for (;;) {
        while (i < a.size && is_space(a.data[i]))
            i++;
        while (j < b.size && is_space(b.data[j]))
            j++;
        if (i == a.size || j == b.size)
            return i == a.size && j == b.size;
        if (strncasecmp(a.data + i++, b.data + j++, 1) != 0)
            return false;
    }
}

/* The argument is the normalised text, or the 64 digits of its hash. */
static enum answer query_digest(const struct filter_occasion *occasion,
                                const struct filter_condition *condition)
{
    char room[ACCOUNT_BYTES];
    const weir_session *session = occasion->subject->session;
    weir_string wanted = condition->arguments[0].count
                             ? argument_of(occasion, &condition->arguments[0], room)
                             : condition->text;
    if (!session || !occasion->subject->record->text[RECORD_TEXT_sql].data)
        return NO;
    weir_string normalized = weir_normalized(session);
    if (is_same_digest(normalized, wanted) ||
        (wanted.size == 64 && is_same_digest(weir_digest(session), wanted)))
        return YES;
    bool is_read = occasion->subject->record->number[RECORD_NUMBER_reading_known] != 0;
    return is_read && normalized.data ? NO : MAYBE;
}

static bool in_list(const struct filter_occasion *occasion,
                    const struct filter_condition *condition)
{
    char room[ACCOUNT_BYTES];
    const struct filter_subject *subject = occasion->subject;
    return account_in_list(condition->value ? subject->excluded : subject->included,
                           argument_of(occasion, &condition->arguments[0], room));
}

/* A condition that asks for the session or the statement. */
static enum answer field_holds(const struct filter_occasion *occasion,
                               const struct filter_condition *condition)
{
    if (is_unknown(occasion, condition->field))
        return MAYBE;
    if (condition->kind == CONDITION_FIELD_TEXT)
        return answer_of(text_holds(occasion, condition));
    uint64_t number = condition->is_length ? size_of(occasion, condition->field)
                                           : number_of(occasion, condition->field);
    return answer_of(number == condition->number);
}

static enum answer function_holds(const struct filter_occasion *occasion,
                                  const struct filter_condition *condition)
{
    if (has_unknown(occasion, &condition->arguments[0]) ||
        has_unknown(occasion, &condition->arguments[1]))
        return MAYBE;
    if (condition->kind == CONDITION_QUERY_DIGEST)
        return query_digest(occasion, condition);
    return answer_of(condition->kind == CONDITION_IN_LIST ? in_list(occasion, condition)
                                                          : string_find(occasion, condition));
}

static enum answer ask(const struct filter_occasion *occasion,
                       const struct filter_condition *condition);

/* One that decides is enough; otherwise one that cannot be told leaves the whole open.
 * NOLINTNEXTLINE(misc-no-recursion): the depth is bounded when it is compiled. */
static enum answer ask_parts(const struct filter_occasion *occasion,
                             const struct filter_condition *condition)
{
    enum answer open = condition->kind == CONDITION_AND ? YES : NO, all = open;
    for (size_t i = 0; i < condition->part_count; i++) {
        enum answer answer = ask(occasion, &condition->parts[i]);
        if (answer != MAYBE && answer != open)
            return answer;
        all = answer == MAYBE ? MAYBE : all;
    }
    return all;
}

/* NOLINTNEXTLINE(misc-no-recursion): the depth is bounded when it is compiled. */
static enum answer ask(const struct filter_occasion *occasion,
                       const struct filter_condition *condition)
{
    const struct filter_subject *subject = occasion->subject;
    enum answer answer;
    switch (condition->kind) {
    case CONDITION_CONSTANT:
        return answer_of(condition->value);
    case CONDITION_FIELD_TEXT:
    case CONDITION_FIELD_NUMBER:
        return field_holds(occasion, condition);
    case CONDITION_VARIABLE:
        return answer_of(subject->variables[condition->variable] == condition->number);
    case CONDITION_LIST_IS_NULL:
        return answer_of((condition->value ? subject->excluded : subject->included).size == 0);
    case CONDITION_NOT:
        answer = ask(occasion, condition->parts);
        return answer == MAYBE ? MAYBE : answer_of(answer == NO);
    case CONDITION_AND:
    case CONDITION_OR:
        return ask_parts(occasion, condition);
    default:
        return function_holds(occasion, condition);
    }
}

/* ---- Items ---- */

/* What an item says of itself: print and abort add up, log is the answer. */
static bool act(const struct filter_occasion *occasion, const struct filter_action *action,
                bool fallback, struct filter_outcome *outcome)
{
    outcome->abort = outcome->abort || (action->abort && ask(occasion, action->abort) != NO);
    outcome->redact =
        outcome->redact || (action->keeps_text && ask(occasion, action->keeps_text) != YES);
    return action->log ? ask(occasion, action->log) != NO : fallback;
}

/* In doubt neither filter is right, and what follows is recorded whole. */
static const struct filter_tree everything;

static const struct filter_tree *hand_over(const struct filter_occasion *occasion,
                                           const struct filter_tree *next,
                                           const struct filter_tree *now)
{
    enum answer answer = next->activates ? ask(occasion, next->activates) : YES;
    if (answer == YES && !occasion->is_possible)
        return next->target;
    return answer == NO ? now : &everything;
}

static bool run_class(const struct filter_occasion *occasion, const struct filter_class_item *class,
                      struct filter_outcome *outcome)
{
    bool logs = act(occasion, &class->action, !class->has_events, outcome);
    bool matched = false, any = false;
    for (size_t i = 0; i < class->event_count; i++) {
        const struct filter_event_item *item = &class->events[i];
        if (!(item->events & 1U << occasion->event))
            continue;
        matched = true;
        any = act(occasion, &item->action, true, outcome) || any;
        if (item->next)
            outcome->next = hand_over(occasion, item->next, outcome->next);
    }
    return matched ? any : logs;
}

struct filter_outcome filter_run(const struct filter_tree *tree,
                                 const struct filter_occasion *occasion)
{
    struct filter_outcome outcome = {.next = tree};
    bool logs = act(occasion, &tree->action, !tree->has_classes, &outcome);
    bool matched = false, any = false;
    for (size_t i = 0; i < tree->class_count; i++) {
        const struct filter_class_item *item = &tree->classes[i];
        if (!(item->classes & 1U << filter_event_class(occasion->event)))
            continue;
        matched = true;
        any = run_class(occasion, item, &outcome) || any;
    }
    outcome.log = matched ? any : logs;
    return outcome;
}
