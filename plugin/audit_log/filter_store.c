/* SPDX-License-Identifier: Apache-2.0
 *
 * Holds the set of filters in force, and replaces it.
 *
 * Deciding takes a read lock, and not even that while there are no filters. A change copies the
 * JSON of the current set, edits the copy, compiles it, writes the file, and only then puts the
 * new set in force under the write lock: if any of these steps fails, memory and file stay as they
 * were. Changes come one at a time, between shared_file_enter() and shared_file_leave(), so
 * `current` may be read without the lock while one is prepared. In a cluster all nodes have the same
 * set (shared_file.h); what two of them change at the same time is merged (filter_text.h). */
#include "filter_store.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/files.h>
#include <weir/shared_file.h>

#include "filter_text.h"

#define MOST_NAME_BYTES 255 /* of a filter, as in MySQL's tables */

static char *path;
static struct shared_file *file;
static struct filters *current;
static atomic_bool has_filters; /* without them the lock is not taken */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

/* ---- In memory ---- */

static void set_current(struct filters *next)
{
    pthread_rwlock_wrlock(&lock);
    struct filters *old = current;
    current = next;
    atomic_store(&has_filters, next && !filters_are_empty(next));
    pthread_rwlock_unlock(&lock);
    filters_free(old);
}

bool filter_store_has_filters(void)
{
    return atomic_load_explicit(&has_filters, memory_order_relaxed);
}

struct filter_decision filter_store_decide(const struct filter_subject *subject,
                                           struct filter_state *state)
{
    struct filter_decision decision = {.log = true};
    if (!filter_store_has_filters())
        return decision;
    pthread_rwlock_rdlock(&lock);
    if (current)
        decision = filters_decide(current, subject, state);
    pthread_rwlock_unlock(&lock);
    return decision;
}

unsigned filter_store_id(const struct record *record)
{
    pthread_rwlock_rdlock(&lock);
    unsigned id = current ? filters_id(current, record) : 0;
    pthread_rwlock_unlock(&lock);
    return id;
}

/* ---- The file ---- */

/* "%" is all others, and no account. */
static void expect_accounts_of(const struct filters *filters)
{
    struct account_name account;
    const char *name;
    json_t *filter;
    json_object_foreach(json_object_get(filters_json(filters), "users"), name, filter)
    {
        if (!account_parse_named((weir_string){name, strlen(name)}, &account))
            weir_expect_account(account_text(&account));
    }
}

static bool take(void *user, weir_string text, const char *name, struct error *error)
{
    struct filters *next = filters_parse(text.data, text.size, name, error);
    (void)user;
    if (!next)
        return false;
    expect_accounts_of(next); /* afterwards another thread may change and free it */
    set_current(next);
    return true;
}

int filter_store_open(const char *name, struct error *error)
{
    static const struct shared_file_plan plan = {.what = "filters",
                                                 .prefix = "filters/",
                                                 .if_missing = "{}",
                                                 .take = take,
                                                 .merge = filters_merge};
    filter_store_close();
    path = strdup(name);
    if (!path)
        return error_set(error, "no memory");
    file = shared_file_open(&plan, path, error);
    return file ? 0 : -1;
}

void filter_store_share(void)
{
    shared_file_join(file);
}

int filter_store_reload(struct error *error)
{
    return shared_file_flush(file, error) ? 0 : -1;
}

bool filter_store_is_refused(void)
{
    return shared_file_is_refused(file);
}

void filter_store_close(void)
{
    shared_file_close(file);
    file = NULL;
    set_current(NULL);
    free(path);
    path = NULL;
}

static int write_file(const json_t *root, struct error *error)
{
    char *text = filters_print(root);
    int status = -1;
    errno = ENOMEM;
    if (text)
        status = files_replace(path, text, strlen(text));
    if (status < 0)
        error_set(error, "%s: cannot be written: %s", path, strerror(errno));
    free(text);
    return status;
}

/* ---- Changes ---- */

/* Takes the JSON that the next set is to be made of. */
static int change(json_t *root, struct error *error)
{
    struct filters *next = filters_of_json(root, path, error);
    if (!next)
        return -1;
    if (write_file(filters_json(next), error) < 0) {
        filters_free(next);
        return -1;
    }
    set_current(next);
    shared_file_written(file);
    return 0;
}

/* A copy of what is in force, with both its objects. Owned; NULL and the problem. */
static json_t *copy_of_current(struct error *error)
{
    json_t *root = current ? json_deep_copy(filters_json(current)) : json_object();
    static const char *const objects[] = {"filters", "users"};
    for (size_t i = 0; root && i < 2; i++)
        if (!json_object_get(root, objects[i]))
            json_object_set_new(root, objects[i], json_object());
    if (!root)
        error_set(error, "no memory");
    return root;
}

static int check_name(const char *name, struct error *error)
{
    size_t size = strlen(name);
    if (size > 0 && size <= MOST_NAME_BYTES)
        return 0;
    error_set(error, "the name of a filter has 1 to %d bytes", MOST_NAME_BYTES);
    return -1;
}

/* Puts a value into one of the two objects, and makes that the set in force. Takes the value. */
static int change_member(const char *object, const char *name, json_t *value, struct error *error)
{
    json_t *root = copy_of_current(error);
    if (root && json_object_set_new(json_object_get(root, object), name, value) == 0)
        return change(root, error);
    if (root)
        error_set(error, "\"%.60s\" is no UTF-8", name);
    else
        json_decref(value);
    json_decref(root);
    return -1;
}

static int set_filter(const char *name, weir_string definition, struct error *error)
{
    json_error_t problem = {.line = 0};
    if (check_name(name, error) < 0)
        return -1;
    json_t *json = json_loadb(definition.data, definition.size, JSON_REJECT_DUPLICATES, &problem);
    if (json)
        return change_member("filters", name, json, error);
    error_set(error, "the definition is no JSON: %s", problem.text);
    return -1;
}

static int set_user(const char *account, const char *filter, struct error *error)
{
    char name[FILTERS_ACCOUNT_BYTES];
    if (filters_name_account(account, name, error) < 0 || check_name(filter, error) < 0)
        return -1;
    if (!current || !json_object_get(json_object_get(filters_json(current), "filters"), filter)) {
        error_set(error, "there is no filter \"%.60s\"", filter);
        return -1;
    }
    return change_member("users", name, json_string(filter), error);
}

static int remove_filter(const char *name, struct error *error)
{
    json_t *root = copy_of_current(error), *users = json_object_get(root, "users"), *filter;
    const char *account;
    void *next;
    if (!root)
        return -1;
    json_object_del(json_object_get(root, "filters"), name);
    json_object_foreach_safe(users, next, account, filter)
    {
        if (strcmp(json_string_value(filter), name) == 0)
            json_object_del(users, account);
    }
    return change(root, error);
}

static int remove_user(const char *account, struct error *error)
{
    char name[FILTERS_ACCOUNT_BYTES];
    if (filters_name_account(account, name, error) < 0)
        return -1;
    json_t *root = copy_of_current(error);
    if (!root)
        return -1;
    json_object_del(json_object_get(root, "users"), name);
    return change(root, error);
}

/* ---- One at a time ---- */

int filter_store_set_filter(const char *name, weir_string definition, struct error *error)
{
    shared_file_enter(file);
    int status = set_filter(name, definition, error);
    shared_file_leave(file);
    return status;
}

int filter_store_set_user(const char *account, const char *filter, struct error *error)
{
    shared_file_enter(file);
    int status = set_user(account, filter, error);
    shared_file_leave(file);
    return status;
}

int filter_store_remove_filter(const char *name, struct error *error)
{
    shared_file_enter(file);
    int status = remove_filter(name, error);
    shared_file_leave(file);
    return status;
}

int filter_store_remove_user(const char *account, struct error *error)
{
    shared_file_enter(file);
    int status = remove_user(account, error);
    shared_file_leave(file);
    return status;
}
