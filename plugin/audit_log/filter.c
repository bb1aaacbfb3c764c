/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of filters: which filter an account has, and what that filter decides about a record.
 *
 * An account that the backend has matched is looked up by its name. Before that, the client's user
 * name and host are matched against the accounts, and the one with the longest literal beginning
 * wins. "%" stands for every account without a filter of its own.
 *
 * A statement is decided about as MySQL does it: first one table_access event for each use of a
 * table, then one general event. It is recorded if one of them says so, and aborted if one of them
 * says so.
 *
 * An account that is not known may have any of the filters: its events are recorded.
 *
 * A set is never changed after it was made, so any number of threads may use it. */
#include "filter.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir/account.h>

#include "table_event.h"

#define MOST_TABLES 64 /* of a statement that are decided about one by one */

struct user {
    weir_string account; /* owned, in the server's form */
    const struct filter_definition *definition;
    unsigned id;
};

struct filters {
    uint64_t number; /* no other set has it */
    json_t *root;
    struct filter_definition **definitions;
    size_t definition_count;
    struct user *users;
    size_t user_count;
    const struct user *fallback; /* "%" */
};

/* ---- Accounts ---- */

/* Bytes before the first wildcard: the more, the closer a match. */
static size_t literal_size(weir_string account)
{
    size_t size = 0;
    while (size < account.size && account.data[size] != '%')
        size++;
    return size == account.size ? SIZE_MAX : size;
}

/* Before the backend has matched a client, its name and host have to do. */
static const struct user *match_user(const struct filters *filters, weir_string name,
                                     weir_string host)
{
    const struct user *best = NULL;
    for (size_t i = 0; i < filters->user_count; i++) {
        const struct user *user = &filters->users[i];
        if (account_matches(user->account, name, host) &&
            (!best || literal_size(user->account) > literal_size(best->account)))
            best = user;
    }
    return best;
}

static const struct user *user_of(const struct filters *filters, const struct record *record)
{
    weir_string account = record->text[RECORD_TEXT_account];
    const struct user *found = NULL;
    if (!account.data)
        found = match_user(filters, record->text[RECORD_TEXT_user], record->text[RECORD_TEXT_host]);
    for (size_t i = 0; account.data && !found && i < filters->user_count; i++) {
        weir_string candidate = filters->users[i].account;
        if (account_is(candidate, account))
            found = &filters->users[i];
    }
    return found ? found : filters->fallback;
}

unsigned filters_id(const struct filters *filters, const struct record *record)
{
    const struct user *user = user_of(filters, record);
    return user ? user->id : 0;
}

/* ---- Records ---- */

static enum filter_event connection_event(enum record_event event)
{
    return event == RECORD_DISCONNECT    ? EVENT_DISCONNECT
           : event == RECORD_CHANGE_USER ? EVENT_CHANGE_USER
                                         : EVENT_CONNECT;
}

/* Runs the active filter, and hands over to the next. */
static struct filter_outcome step(struct filter_state *state,
                                  const struct filter_occasion *occasion)
{
    struct filter_outcome outcome = filter_run(state->active, occasion);
    state->active = outcome.next;
    return outcome;
}

/* One event of a table; the decision notes what it says of the statement. Returns whether it is
 * recorded. */
static bool decide_event(struct filter_state *state, const struct filter_occasion *occasion,
                         struct filter_decision *decision)
{
    struct filter_outcome outcome = step(state, occasion);
    decision->abort = decision->abort || outcome.abort;
    decision->redact = decision->redact || outcome.redact;
    return outcome.log;
}

/* The events of one table. Returns whether one of them is recorded. */
static bool decide_table(const struct filter_subject *subject, const weir_table *table,
                         struct filter_state *state, struct filter_decision *decision)
{
    static const enum filter_event events[] = {[TABLE_READ] = EVENT_READ,
                                               [TABLE_INSERT] = EVENT_INSERT,
                                               [TABLE_UPDATE] = EVENT_UPDATE,
                                               [TABLE_DELETE] = EVENT_DELETE};
    weir_string kind = subject->record->text[RECORD_TEXT_kind];
    struct filter_occasion occasion = {.subject = subject, .table = table};
    bool logs = false;
    for (unsigned i = 0; i < TABLE_EVENT_END; i++) {
        if (!(table_events_of(kind, table->access) & 1U << i))
            continue;
        occasion.event = events[i];
        logs = decide_event(state, &occasion, decision) || logs;
    }
    return logs;
}

/* A statement that may use tables which are not known: any event of them is possible. What one says
 * of recording is said of the whole record, which has no such table. */
static bool decide_possible_tables(const struct filter_subject *subject, struct filter_state *state,
                                   struct filter_decision *decision)
{
    static const enum filter_event events[] = {EVENT_READ, EVENT_INSERT, EVENT_UPDATE,
                                               EVENT_DELETE};
    struct filter_occasion occasion = {.subject = subject, .is_possible = true};
    bool logs = false;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        occasion.event = events[i];
        logs = decide_event(state, &occasion, decision) || logs;
    }
    return logs;
}

/* As in MySQL a statement is a table_access event for each use of a table, and then one general
 * event. */
static struct filter_decision decide_statement(const struct filter_subject *subject,
                                               struct filter_state *state)
{
    const struct record *record = subject->record;
    struct filter_decision decision = {.log = false};
    bool logs_table = false;
    for (size_t i = 0; i < record->table_count; i++) {
        bool logs = decide_table(subject, &record->tables[i], state, &decision);
        logs_table = logs_table || logs;
        if (i < MOST_TABLES)
            decision.table_skip |= logs ? 0 : (uint64_t)1 << i;
    }
    /* Tables of routines are no events, as in MySQL: they are in tables_known alone. */
    bool is_known = !record->has_unknown_names && record->number[RECORD_NUMBER_reading_known] != 0;
    bool logs_possible = !is_known && decide_possible_tables(subject, state, &decision);
    struct filter_occasion occasion = {.subject = subject, .event = EVENT_STATUS};
    struct filter_outcome general = step(state, &occasion);
    decision.abort = decision.abort || general.abort;
    decision.redact = decision.redact || general.redact;
    decision.log = general.log || logs_table || logs_possible;
    decision.without_general = !general.log && !logs_possible;
    return decision;
}

/* Of an account that is not known, which may have any filter: recorded, and aborted or replaced if one
 * says so. */
static struct filter_decision decide_for_any(const struct filters *filters,
                                             const struct filter_subject *subject,
                                             bool is_statement)
{
    struct filter_decision all = {.log = true};
    for (size_t i = 0; is_statement && i < filters->user_count; i++) {
        const struct filter_definition *definition = filters->users[i].definition;
        struct filter_state state = {filters->number, definition, definition->root};
        struct filter_decision one = decide_statement(subject, &state);
        all.abort = all.abort || one.abort;
        all.redact = all.redact || one.redact;
    }
    return all;
}

struct filter_decision filters_decide(const struct filters *filters,
                                      const struct filter_subject *subject,
                                      struct filter_state *state)
{
    struct filter_decision all = {.log = true};
    const struct record *record = subject->record;
    const char *class = record_event_class(record->event);
    bool is_own = strcmp(class, "audit") == 0;
    if (!is_own && record_is_null(record, RECORD_TEXT_account))
        return decide_for_any(filters, subject, strcmp(class, "general") == 0);
    const struct user *user = is_own ? NULL : user_of(filters, record);
    if (!user)
        return all;
    if (state->set != filters->number || state->definition != user->definition)
        *state = (struct filter_state){filters->number, user->definition, user->definition->root};
    if (strcmp(class, "general") == 0)
        return decide_statement(subject, state);
    struct filter_occasion occasion = {.subject = subject,
                                       .event = connection_event(record->event)};
    struct filter_outcome outcome = step(state, &occasion);
    return (struct filter_decision){.log = outcome.log, .abort = outcome.abort};
}

/* ---- Making ---- */

static int compile_definitions(struct filters *filters, const json_t *definitions, const char *path,
                               struct error *error)
{
    const char *name;
    json_t *json;
    if (definitions && !json_is_object(definitions))
        return error_set(error, "%s: \"filters\" must be an object", path);
    filters->definitions =
        calloc(json_object_size(definitions) + 1, sizeof(struct filter_definition *));
    if (!filters->definitions)
        return error_set(error, "%s: no memory", path);
    json_object_foreach((json_t *)definitions, name, json)
    {
        struct filter_definition *definition = filter_compile(json, error);
        if (!definition)
            return error_prefix(error, "%s: filter \"%.60s\"", path, name);
        filters->definitions[filters->definition_count++] = definition;
    }
    return 0;
}

/* The number of a filter in the order of the file, from 1; 0: there is none. */
static unsigned find_definition(const json_t *definitions, const char *wanted)
{
    unsigned at = 0;
    const char *name;
    json_t *json;
    json_object_foreach((json_t *)definitions, name, json)
    {
        at++;
        if (strcmp(name, wanted) == 0)
            return at;
    }
    return 0;
}

/* As weir_current_user() has it; "%" stays. */
static int read_account(const char *text, struct account_name *name, struct error *error)
{
    const char *wrong = NULL;
    bool is_fallback = strcmp(text, "%") == 0;
    if (is_fallback)
        *name = (struct account_name){.size = 1, .text = "%"};
    else
        wrong = account_parse_named(text_of(text), name);
    return wrong ? error_set(error,
                             "\"%.60s\" is no account, it %s; write user_name@host_name, or %% "
                             "for all others",
                             text, wrong)
                 : 0;
}

int filters_name_account(const char *text, char name[FILTERS_ACCOUNT_BYTES], struct error *error)
{
    struct account_name account;
    char room[ACCOUNT_QUOTED_BYTES];
    if (read_account(text, &account, error) < 0)
        return -1;
    weir_string printed = account_print(account_text(&account), room);
    if (!printed.data)
        printed = account_text(&account); /* "%" */
    memcpy(name, printed.data, printed.size);
    name[printed.size] = '\0';
    return 0;
}

/* Accounts stand in the file as somebody wrote them; from here on in one way. */
static int name_users(json_t *root, const char *path, struct error *error)
{
    json_t *users = json_object_get(root, "users"), *named = json_object(), *filter;
    const char *account;
    char name[FILTERS_ACCOUNT_BYTES];
    int status = named ? 0 : error_set(error, "no memory");
    json_object_foreach(users, account, filter)
    {
        if (status == 0)
            status = filters_name_account(account, name, error);
        if (status == 0 && json_object_get(named, name))
            status = error_set(error, "\"users\" has the account %.60s twice", name);
        if (status == 0 && json_object_set(named, name, filter) < 0)
            status = error_set(error, "no memory");
    }
    if (status == 0 && json_is_object(users) && json_object_set(root, "users", named) < 0)
        status = error_set(error, "no memory");
    json_decref(named);
    return status == 0 ? 0 : error_prefix(error, "%s", path);
}

static int read_users(struct filters *filters, const json_t *definitions, const json_t *users,
                      const char *path, struct error *error)
{
    const char *account;
    json_t *name;
    if (users && !json_is_object(users))
        return error_set(error, "%s: \"users\" must be an object", path);
    filters->users = calloc(json_object_size(users) + 1, sizeof *filters->users);
    if (!filters->users)
        return error_set(error, "%s: no memory", path);
    json_object_foreach((json_t *)users, account, name)
    {
        const char *filter = json_is_string(name) ? json_string_value(name) : "";
        unsigned id = find_definition(definitions, filter);
        if (id == 0)
            return error_set(error,
                             "%s: filter \"%.60s\": there is none, and user \"%.60s\" is to "
                             "have it",
                             path, filter, account);
        struct account_name own;
        if (read_account(account, &own, error) < 0)
            return error_prefix(error, "%s", path);
        char *text = strdup(own.text);
        if (!text)
            return error_set(error, "%s: no memory", path);
        struct user *user = &filters->users[filters->user_count++];
        *user = (struct user){text_of(text), filters->definitions[id - 1], id};
        if (strcmp(account, "%") == 0)
            filters->fallback = user;
    }
    return 0;
}

static int check_root(const json_t *root, const char *path, struct error *error)
{
    const char *key;
    json_t *value;
    if (!json_is_object(root))
        return error_set(error, "%s: the file must be an object", path);
    json_object_foreach((json_t *)root, key, value)
    {
        if (strcmp(key, "filters") == 0 || strcmp(key, "users") == 0)
            continue;
        return error_set(error, "%s: the file has no item \"%.60s\"", path, key);
    }
    return 0;
}

struct filters *filters_of_json(json_t *root, const char *path, struct error *error)
{
    static atomic_ullong number;
    const json_t *definitions = json_object_get(root, "filters");
    struct filters *filters = calloc(1, sizeof *filters);
    if (!filters) {
        json_decref(root);
        error_set(error, "%s: no memory", path);
        return NULL;
    }
    filters->root = root;
    filters->number = 1 + atomic_fetch_add(&number, 1);
    if (check_root(root, path, error) == 0 && name_users(root, path, error) == 0 &&
        compile_definitions(filters, definitions, path, error) == 0 &&
        read_users(filters, definitions, json_object_get(root, "users"), path, error) == 0)
        return filters;
    filters_free(filters);
    return NULL;
}

static struct filters *read_root(json_t *root, const json_error_t *problem, const char *path,
                                 struct error *error)
{
    if (root)
        return filters_of_json(root, path, error);
    error_set(error, "%s:%d: %s", path, problem->line, problem->text);
    return NULL;
}

struct filters *filters_parse(const char *text, size_t size, const char *path, struct error *error)
{
    json_error_t problem = {.line = 0};
    return read_root(json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem), &problem, path,
                     error);
}

void filters_free(struct filters *filters)
{
    if (!filters)
        return;
    for (size_t i = 0; i < filters->definition_count; i++)
        filter_definition_free(filters->definitions[i]);
    free(filters->definitions);
    for (size_t i = 0; i < filters->user_count; i++)
        free((char *)filters->users[i].account.data);
    free(filters->users);
    json_decref(filters->root);
    free(filters);
}

bool filters_are_empty(const struct filters *filters)
{
    return filters->user_count == 0;
}

const json_t *filters_json(const struct filters *filters)
{
    return filters->root;
}
