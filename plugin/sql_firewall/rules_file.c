/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a file of rules. An unknown key is an error: a misspelled condition would make a rule deny
 * more, or less, than it says. The functions return -1 after they have set the error, which names
 * the file and the line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <weir/account.h>
#include <weir/toml.h>

#include "rules_check.h"

/* One file that is being read. */
struct reading {
    struct toml_document *document;
    struct rules *rules;
    struct error *error;
};

/* Sets the error to "FILE:LINE: ", of `node`, and the message. Is -1. */
#define WRONG(reading, ...)                                                                        \
    (toml_error((reading)->document, node, (reading)->error, __VA_ARGS__), error_status())

static int no_memory(const struct reading *reading)
{
    return error_set(reading->error, "%s: out of memory", toml_name(reading->document));
}

/* ---- Values ---- */

/* Returns the string, borrowed; NULL: it is none, and the error is set. */
static const char *read_text(const struct reading *reading, const struct toml_node *node,
                             const char *key)
{
    size_t size;
    const char *text = toml_text(node, &size);
    if (toml_type(node) == TOML_STRING && strlen(text) == size)
        return text;
    if (toml_type(node) == TOML_STRING)
        WRONG(reading, "\"%s\" has a NUL byte in it", key);
    else
        WRONG(reading, "\"%s\" is no string", key);
    return NULL;
}

static int read_bool(const struct reading *reading, const struct toml_node *node, const char *key,
                     bool *value)
{
    *value = toml_boolean(node);
    return toml_type(node) == TOML_BOOLEAN
               ? 0
               : WRONG(reading, "\"%s\" is neither true nor false", key);
}

/* Reads a condition that is written as KEY = false. */
static int read_false(const struct reading *reading, const struct toml_node *node, const char *key,
                      bool *is_set)
{
    bool value;
    if (read_bool(reading, node, key, &value) < 0)
        return -1;
    *is_set = true;
    return value ? WRONG(reading, "\"%s\" can only be false", key) : 0;
}

/* Reads one of two words: *is_first. */
static int read_choice(const struct reading *reading, const struct toml_node *node, const char *key,
                       const char *first, const char *second, bool *is_first)
{
    const char *text = read_text(reading, node, key);
    if (!text)
        return -1;
    *is_first = strcmp(text, first) == 0;
    return *is_first || strcmp(text, second) == 0
               ? 0
               : WRONG(reading, "\"%s\" is \"%s\" or \"%s\"", key, second, first);
}

static int read_count(const struct reading *reading, const struct toml_node *node, const char *key,
                      uint64_t *count)
{
    if (toml_type(node) != TOML_INTEGER || toml_integer(node) < 1)
        return WRONG(reading, "\"%s\" is no number from 1 on", key);
    *count = (uint64_t)toml_integer(node);
    return 0;
}

static int check_list(const struct reading *reading, const struct toml_node *node, const char *key)
{
    return toml_type(node) == TOML_ARRAY && toml_count(node) > 0
               ? 0
               : WRONG(reading, "\"%s\" is no list of strings", key);
}

static int read_list(const struct reading *reading, const struct toml_node *node, const char *key,
                     struct text_list *list)
{
    if (check_list(reading, node, key) < 0)
        return -1;
    list->items = calloc(toml_count(node), sizeof *list->items);
    if (!list->items)
        return no_memory(reading);
    for (size_t i = 0; i < toml_count(node); i++) {
        const char *text = read_text(reading, toml_at(node, i), key);
        if (!text)
            return -1;
        list->items[list->count] = strdup(text);
        if (!list->items[list->count++])
            return no_memory(reading);
    }
    return 0;
}

/* ---- Rules ---- */

/* Keeps a warning, with the place in the file before it. */
static int warn(const struct reading *reading, const struct toml_node *node, const char *message)
{
    struct text_list *list = &reading->rules->warnings;
    struct error place;
    char **grown = realloc(list->items, (list->count + 1) * sizeof *grown);
    if (grown)
        list->items = grown;
    toml_error(reading->document, node, &place, "%s", message);
    char *text = grown ? strdup(place.message) : NULL;
    if (!text)
        return no_memory(reading);
    list->items[list->count++] = text;
    return 0;
}

/* Accounts are written as for the server; in them, * and ? are wild: "*" alone, and what ends with
 * * and names no host, is of any host. */
static int read_accounts(const struct reading *reading, const struct toml_node *node,
                         struct text_list *list)
{
    struct account_name name;
    for (size_t i = 0; i < list->count; i++) {
        char *text = list->items[i];
        size_t size = strlen(text);
        if (size && text[size - 1] == '*' && !strpbrk(text, "@'\"` \t"))
            continue;
        const char *wrong = account_parse_named(text_of(text), &name);
        if (wrong)
            return WRONG(reading, "\"%s\" is no account: it %s", text, wrong);
        list->items[i] = strdup(name.text);
        free(text);
        if (!list->items[i])
            return no_memory(reading);
    }
    return 0;
}

static int read_access(const struct reading *reading, const struct toml_node *list,
                       uint32_t *access)
{
    static const struct {
        const char *name;
        uint32_t bit;
    } rows[] = {{"read", WEIR_TABLE_READ}, {"write", WEIR_TABLE_WRITE}, {"ddl", WEIR_TABLE_DDL}};
    if (check_list(reading, list, "access") < 0)
        return -1;
    for (size_t i = 0; i < toml_count(list); i++) {
        const struct toml_node *node = toml_at(list, i);
        const char *text = read_text(reading, node, "access");
        uint32_t bit = 0;
        for (size_t j = 0; text && j < sizeof rows / sizeof *rows; j++)
            bit |= strcmp(text, rows[j].name) == 0 ? rows[j].bit : 0;
        if (!text)
            return -1;
        if (!bit)
            return WRONG(reading, "\"%s\" is no access; it is read, write or ddl", text);
        *access |= bit;
    }
    return 0;
}

static int read_regex(const struct reading *reading, const struct toml_node *node,
                      struct rule *rule)
{
    struct error problem = {""}, warning = {""};
    const char *text = read_text(reading, node, "regex");
    if (!text)
        return -1;
    if (!rules_compile(reading->rules, rule, text, &problem))
        return WRONG(reading, "\"regex\": %s", problem.message);
    if (rules_check_regex(text, rule->regex, &problem, &warning) < 0)
        return WRONG(reading, "%s", problem.message);
    return warning.message[0] ? warn(reading, node, warning.message) : 0;
}

/* Reads a string into *copy, which is owned by the caller. */
static int read_copy(const struct reading *reading, const struct toml_node *node, const char *key,
                     char **copy)
{
    const char *text = read_text(reading, node, key);
    if (!text)
        return -1;
    *copy = strdup(text);
    return *copy ? 0 : no_memory(reading);
}

/* What the client reads: an error's text has a size. */
static int read_message(const struct reading *reading, const struct toml_node *node,
                        struct rule *rule)
{
    if (read_copy(reading, node, "message", &rule->message) < 0)
        return -1;
    size_t size = strlen(rule->message);
    return size > 0 && size < RULE_MESSAGE_BYTES
               ? 0
               : WRONG(reading, "\"message\" has 1 to %d bytes", RULE_MESSAGE_BYTES - 1);
}

/* A list of what a rate is of. */
static int read_per(const struct reading *reading, const struct toml_node *list, unsigned *per)
{
    if (check_list(reading, list, "per") < 0)
        return -1;
    for (size_t i = 0; i < toml_count(list); i++) {
        const struct toml_node *node = toml_at(list, i);
        const char *text = read_text(reading, node, "per");
        unsigned bit = 0;
        if (!text)
            return -1;
#define X(word, name, value) bit |= strcmp(text, word) == 0 ? name : 0U;
        RULE_RATE_KEYS(X)
#undef X
        if (!bit)
            return WRONG(reading, "\"%s\" is neither \"account\" nor \"digest\"", text);
        *per |= bit;
    }
    return 0;
}

/* Reads a number that can be the rate of something in a second. */
static int read_rate(const struct reading *reading, const struct toml_node *node, const char *key,
                     uint64_t *count)
{
    int status = read_count(reading, node, key, count);
    return status == 0 && *count > RULE_RATE_MOST
               ? WRONG(reading, "\"%s\" is more than %d", key, RULE_RATE_MOST)
               : status;
}

/* Finds the list that the key stands for; false: the key is not that of a list. */
static bool find_list(struct rule *rule, const char *key, struct text_list **list)
{
#define X(member, name)                                                                            \
    if (strcmp(key, name) == 0) {                                                                  \
        *list = &rule->member;                                                                     \
        return true;                                                                               \
    }
    RULE_LISTS(X)
#undef X
    return false;
}

/* Patterns that fit nothing are mistakes. */
static int check_patterns(const struct reading *reading, const struct toml_node *node,
                          struct rule *rule, struct text_list *list)
{
    struct error problem = {""};
    int status = 0;
    if (list == &rule->accounts || list == &rule->except_accounts)
        return read_accounts(reading, node, list);
    if (list == &rule->except_subjects || list == &rule->except_issuers)
        return 0;
    if (list == &rule->tables)
        status = rules_check_in_schema(list, "table", &problem);
    else if (list == &rule->routines)
        status = rules_check_in_schema(list, "routine", &problem);
    else if (list == &rule->digests)
        status = rules_check_digests(list, &problem);
    else if (list == &rule->kinds)
        status = rules_check_names(list, WEIR_NAMES_KIND, "kind", &problem);
    else
        status = rules_check_names(list, WEIR_NAMES_COMMAND, "command", &problem);
    return status < 0 ? WRONG(reading, "%s", problem.message) : 0;
}

static int read_rule_key(const struct reading *reading, const struct toml_node *node,
                         struct rule *rule)
{
    const char *key = toml_key(node);
    struct text_list *list;
    if (find_list(rule, key, &list)) {
        int status = read_list(reading, node, key, list);
        return status < 0 ? status : check_patterns(reading, node, rule, list);
    }
    if (strcmp(key, "name") == 0)
        return read_copy(reading, node, key, &rule->name);
    if (strcmp(key, "message") == 0)
        return read_message(reading, node, rule);
    if (strcmp(key, "rate") == 0)
        return read_rate(reading, node, key, &rule->rate);
    if (strcmp(key, "burst") == 0)
        return read_rate(reading, node, key, &rule->burst);
    if (strcmp(key, "per") == 0)
        return read_per(reading, node, &rule->per);
    if (strcmp(key, "rows_over") == 0)
        return read_count(reading, node, key, &rule->rows_over);
    if (strcmp(key, "bytes_over") == 0)
        return read_count(reading, node, key, &rule->bytes_over);
    if (strcmp(key, "seconds_over") == 0)
        return read_rate(reading, node, key, &rule->seconds_over);
    if (strcmp(key, "sessions_over") == 0)
        return read_count(reading, node, key, &rule->sessions_over);
    if (strcmp(key, "access") == 0)
        return read_access(reading, node, &rule->access);
    if (strcmp(key, "regex") == 0)
        return read_regex(reading, node, rule);
    if (strcmp(key, "statements_over") == 0)
        return read_count(reading, node, key, &rule->statements_over);
    if (strcmp(key, "without_tls") == 0)
        return read_bool(reading, node, key, &rule->without_tls);
    if (strcmp(key, "missing_where") == 0)
        return read_bool(reading, node, key, &rule->missing_where);
    if (strcmp(key, "tables_known") == 0)
        return read_false(reading, node, key, &rule->tables_unknown);
    if (strcmp(key, "digest_exact") == 0)
        return read_false(reading, node, key, &rule->digest_inexact);
    if (strcmp(key, "log_only") == 0)
        return read_bool(reading, node, key, &rule->log_only);
    if (strcmp(key, "blind") == 0)
        return read_choice(reading, node, key, "pass", "refuse", &rule->blind_passes);
    return WRONG(reading, "a rule has no \"%s\"", key);
}

static int check_rule(const struct reading *reading, const struct toml_node *node,
                      struct rule *rule)
{
    const struct rules *rules = reading->rules;
    if (!rule->name || !*rule->name)
        return WRONG(reading, "a rule has no \"name\"");
    if (rule->access && !rule->tables.count)
        return WRONG(reading, "\"access\" without \"tables\"; for all of them write [\"*.*\"]");
    if (!rule->access)
        rule->access = WEIR_TABLE_READ | WEIR_TABLE_WRITE | WEIR_TABLE_DDL;
    struct error problem = {""};
    if (rules_check_whole(rule, &problem) < 0)
        return WRONG(reading, "%s", problem.message);
    if (rule->rate && !rule->burst)
        rule->burst = rule->rate;
    if (rule->rate && !rule->per)
        rule->per = RULE_PER_ACCOUNT;
    for (size_t i = 0; i + 1 < rules->count; i++)
        if (strcmp(rules->rules[i].name, rule->name) == 0)
            return WRONG(reading, "there are two rules of the name \"%s\"", rule->name);
    return 0;
}

static int read_rule(const struct reading *reading, const struct toml_node *node)
{
    if (toml_type(node) != TOML_TABLE)
        return WRONG(reading, "\"deny\" is no [[deny]]");
    struct rule *rule = &reading->rules->rules[reading->rules->count++];
    rule->statements_over = rule->sessions_over = WEIR_ABSENT;
    rule->line = toml_line(node);
    for (size_t i = 0; i < toml_count(node); i++)
        if (read_rule_key(reading, toml_at(node, i), rule) < 0)
            return -1;
    return check_rule(reading, node, rule);
}

/* ---- Accounts ---- */

static int read_mode(const struct reading *reading, const struct toml_node *node,
                     enum firewall_mode *mode)
{
    const char *text = read_text(reading, node, "mode");
    for (int i = 0; text && i < FIREWALL_MODE_COUNT; i++) {
        *mode = (enum firewall_mode)i;
        if (strcasecmp(text, firewall_mode_names[i]) == 0)
            return 0;
    }
    return text ? WRONG(reading, "\"%s\" is no mode; it is OFF, RECORDING, DETECTING or PROTECTING",
                        text)
                : -1;
}

static int read_account(const struct reading *reading, const struct toml_node *node)
{
    if (toml_type(node) != TOML_TABLE)
        return WRONG(reading, "\"account\" is no [[account]]");
    struct account_mode *mode = &reading->rules->modes[reading->rules->mode_count++];
    int status = 0;
    for (size_t i = 0; status == 0 && i < toml_count(node); i++) {
        const struct toml_node *value = toml_at(node, i);
        const char *key = toml_key(value);
        if (strcmp(key, "accounts") == 0)
            status = read_list(reading, value, key, &mode->accounts) < 0
                         ? -1
                         : read_accounts(reading, value, &mode->accounts);
        else if (strcmp(key, "mode") == 0)
            status = read_mode(reading, value, &mode->mode);
        else
            status = toml_error(reading->document, value, reading->error,
                                "an account has no \"%s\"", key);
    }
    if (status == 0 && (!mode->accounts.count || !toml_get(node, "mode")))
        status = WRONG(reading, "an account needs \"accounts\" and \"mode\"");
    return status;
}

/* ---- The file ---- */

static int read_tables(const struct reading *reading, const struct toml_node *list,
                       int (*read)(const struct reading *reading, const struct toml_node *node))
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < toml_count(list); i++)
        status = read(reading, toml_at(list, i));
    return status;
}

static int read_trusted_routines(const struct reading *reading, const struct toml_node *node)
{
    struct text_list *list = &reading->rules->trusted_routines;
    struct error problem = {""};
    if (read_list(reading, node, toml_key(node), list) < 0)
        return -1;
    return rules_check_in_schema(list, "routine", &problem) < 0
               ? WRONG(reading, "%s", problem.message)
               : 0;
}

static int read_key(const struct reading *reading, const struct toml_node *node)
{
    struct rules *rules = reading->rules;
    const char *key = toml_key(node);
    if (strcmp(key, "unknown_accounts") == 0)
        return read_choice(reading, node, key, "refuse", "allow", &rules->refuse_unknown_accounts);
    if (strcmp(key, "trusted_routines") == 0)
        return read_trusted_routines(reading, node);
    if (strcmp(key, "deny") != 0 && strcmp(key, "account") != 0)
        return WRONG(reading, "there is no \"%s\"", key);
    if (check_list(reading, node, key) < 0)
        return -1;
    if (strcmp(key, "deny") == 0) {
        rules->rules = calloc(toml_count(node), sizeof *rules->rules);
        return rules->rules ? read_tables(reading, node, read_rule) : no_memory(reading);
    }
    rules->modes = calloc(toml_count(node), sizeof *rules->modes);
    return rules->modes ? read_tables(reading, node, read_account) : no_memory(reading);
}

static int read_file(const struct reading *reading)
{
    const struct toml_node *root = toml_root(reading->document);
    if (!reading->rules)
        return no_memory(reading);
    for (size_t i = 0; i < toml_count(root); i++)
        if (read_key(reading, toml_at(root, i)) < 0)
            return -1;
    return rules_prepare(reading->rules) ? 0 : no_memory(reading);
}

/* Takes the document; NULL: it could not be read, and the error says why. */
static struct rules *read_document(struct toml_document *document, struct error *error)
{
    struct reading reading = {.document = document, .error = error};
    if (!reading.document)
        return NULL;
    reading.rules = calloc(1, sizeof *reading.rules);
    int status = read_file(&reading);
    toml_free(reading.document);
    if (status == 0)
        return reading.rules;
    rules_free(reading.rules);
    return NULL;
}

struct rules *rules_read(const char *path, struct error *error)
{
    return read_document(toml_read(path, error), error);
}

struct rules *rules_parse(weir_string text, const char *name, struct error *error)
{
    return read_document(toml_parse(text.data, text.size, name, error), error);
}
