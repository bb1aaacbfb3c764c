/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of sql_firewall that clients call by SELECT: modes and lists of accounts. They run
 * on a thread of their own, and have been saved when they return. */
#include <stdio.h>
#include <string.h>
#include <weir/account.h>
#include <weir/text.h>

#include "firewall.h"
#include "refused.h"

static weir_verdict return_words(weir_call *call, const char *words)
{
    weir_return_text(call, words, strlen(words));
    return WEIR_OK;
}

/* How much of an argument a message quotes. */
static int cut(weir_string text)
{
    return (int)(text.size < 60 ? text.size : 60);
}

/* Forgets the account's statements, and turns the firewall off for it. */
static bool reset(weir_string account, struct error *error)
{
    return keeper_remove(account, NULL, error) && keeper_set_mode(account, FIREWALL_OFF, error);
}

/* Without a mode of its own: an account without statements has no list then either. */
static bool set_default(weir_string account, struct error *error)
{
    unsigned *reading = readers_enter(&keeper_readers);
    const struct account *list = allow_lists_find(keeper_lists(), account);
    bool has_list = list != NULL, has_statements = list && account_count(list) > 0;
    readers_leave(reading);
    if (!has_list)
        return true;
    return has_statements ? keeper_set_mode(account, NO_MODE, error)
                          : keeper_remove(account, NULL, error);
}

/* sql_firewall_set_mode(account, mode) */
static weir_verdict call_set_mode(weir_call *call, weir_string account)
{
    struct error error;
    weir_string name = call->arguments[1];
    int mode = 0;
    bool ok = false;
    while (mode < FIREWALL_MODE_COUNT && !text_is_word(name, firewall_mode_names[mode]))
        mode++;
    if (text_is_word(name, "RESET"))
        ok = reset(account, &error);
    else if (text_is_word(name, "DEFAULT"))
        ok = set_default(account, &error);
    else if (mode < FIREWALL_MODE_COUNT)
        ok = keeper_set_mode(account, mode, &error);
    else
        return weir_fail(
            "\"%.*s\" is no mode; it is OFF, RECORDING, DETECTING, PROTECTING, DEFAULT "
            "or RESET",
            cut(name), name.data);
    if (!ok)
        return weir_fail("%s", error.message);
    weir_log(WEIR_LOG_INFO, "the mode of %.*s is set to %.*s", WEIR_STRING_ARGS(account),
             WEIR_STRING_ARGS(name));
    return return_words(call, "OK");
}

/* sql_firewall_mode(account): the one that counts. sql_firewall_statements(account): how many it
 * has; NULL: it has no list. */
static weir_verdict call_read(weir_call *call, weir_string account)
{
    unsigned *reading = readers_enter(&keeper_readers);
    const struct account *list = allow_lists_find(keeper_lists(), account);
    enum firewall_mode mode = firewall_mode_of(account, list);
    size_t count = list ? account_count(list) : 0;
    bool has_list = list != NULL;
    readers_leave(reading);
    char number[24];
    snprintf(number, sizeof number, "%zu", count);
    if (call->index == SQL_FIREWALL_MODE_FUNCTION)
        return return_words(call, firewall_mode_names[mode]);
    return has_list ? return_words(call, number) : WEIR_OK;
}

/* sql_firewall_forget(account, digest[, database]): without a database in all of them. */
static weir_verdict call_forget(weir_call *call, weir_string account)
{
    struct error error;
    weir_string digest = call->arguments[1];
    struct key key = {.sort = KEY_DIGEST};
    if (call->argument_count > 2)
        key.database = call->arguments[2];
    if (digest.size != 2 * (size_t)KEY_BYTES || !key_from_hex(digest.data, key.bytes))
        return weir_fail("a digest has 64 lower-case hex digits");
    bool found = false;
    unsigned *reading = readers_enter(&keeper_readers);
    const struct account *list = allow_lists_find(keeper_lists(), account);
    for (int sort = 0; list && sort < KEY_SORT_COUNT && !found; sort++) {
        key.sort = (enum key_sort)sort;
        found = account_names(list, &key);
    }
    readers_leave(reading);
    if (!found)
        return weir_fail("%.*s has no statement of that digest on its list%s",
                         WEIR_STRING_ARGS(account), key.database.data ? " in that database" : "");
    if (!keeper_remove(account, &key, &error))
        return weir_fail("%s", error.message);
    return return_words(call, "OK");
}

struct allowing {
    weir_string account;
    size_t count; /* of keys that are new */
};

static bool allow_key(void *data, const struct key *key)
{
    struct allowing *allowing = data;
    enum learned learned = keeper_learn(allowing->account, key);
    allowing->count += learned == LEARNED_NEW;
    return learned != LEARNED_FULL;
}

/* A statement that nobody has tried since the start: its digest is all that is known of it. */
static bool allow_unseen(struct allowing *allowing, const uint8_t digest[KEY_BYTES],
                         weir_string database)
{
    static const char shown[] = "(allowed by sql_firewall_allow())";
    struct key key = {.sort = KEY_DIGEST, .shown = {shown, sizeof shown - 1}, .database = database};
    memcpy(key.bytes, digest, KEY_BYTES);
    return allow_key(allowing, &key);
}

static bool has_list(weir_string account)
{
    unsigned *reading = readers_enter(&keeper_readers);
    bool found = allow_lists_find(keeper_lists(), account) != NULL;
    readers_leave(reading);
    return found;
}

/* sql_firewall_allow(account, digest[, database]): without a database in those where it was refused. */
static weir_verdict call_allow(weir_call *call, weir_string account)
{
    struct error error;
    struct allowing allowing = {.account = account};
    uint8_t digest[KEY_BYTES];
    weir_string hex = call->arguments[1], database = {NULL, 0};
    if (call->argument_count > 2)
        database = call->arguments[2];
    if (hex.size != 2 * (size_t)KEY_BYTES || !key_from_hex(hex.data, digest))
        return weir_fail("a digest has 64 lower-case hex digits");
    enum refused_answer answer = refused_each(account, digest, database, allow_key, &allowing);
    if (answer == REFUSED_UNKNOWN && !database.data)
        return weir_fail("no statement of that digest of %.*s is known to have been refused; name "
                         "the database to allow it all the same",
                         WEIR_STRING_ARGS(account));
    if (answer == REFUSED_UNKNOWN && !has_list(account))
        return weir_fail("%.*s has no allow-list; with this statement on one it could do nothing "
                         "else",
                         WEIR_STRING_ARGS(account));
    if (answer == REFUSED_SEVERAL)
        return weir_fail(
            "several texts of that digest were refused, and it does not tell what they "
            "do: record the one that is meant");
    bool ok = answer == REFUSED_FOUND ||
              (answer == REFUSED_UNKNOWN && allow_unseen(&allowing, digest, database));
    if (!ok)
        return weir_fail("the list is full, or cannot name the database");
    if (!keeper_save(&error))
        return weir_fail("it is allowed, but not saved yet: %s", error.message);
    weir_log(WEIR_LOG_INFO, "%.*s is allowed the digest %.*s", WEIR_STRING_ARGS(account),
             WEIR_STRING_ARGS(hex));
    return return_words(call, "OK");
}

weir_verdict OnFunction(weir_session *session, weir_call *call)
{
    (void)session;
    for (size_t i = 0; i < call->argument_count; i++)
        if (!call->arguments[i].data)
            return weir_fail("an argument is NULL");
    if (call->index == SQL_FIREWALL_FLUSH_FUNCTION) {
        weir_verdict verdict = firewall_flush();
        return verdict == WEIR_OK ? return_words(call, "OK") : verdict;
    }
    struct account_name account;
    const char *wrong = account_parse_named(call->arguments[0], &account);
    if (wrong)
        return weir_fail("\"%.*s\" is no account: it %s", cut(call->arguments[0]),
                         call->arguments[0].data, wrong);
    if (call->index == SQL_FIREWALL_SET_MODE_FUNCTION || call->index == SQL_FIREWALL_ALLOW_FUNCTION)
        weir_expect_account(account_text(&account));
    switch (call->index) {
    case SQL_FIREWALL_SET_MODE_FUNCTION:
        return call_set_mode(call, account_text(&account));
    case SQL_FIREWALL_ALLOW_FUNCTION:
        return call_allow(call, account_text(&account));
    case SQL_FIREWALL_FORGET_FUNCTION:
        return call_forget(call, account_text(&account));
    default:
        return call_read(call, account_text(&account));
    }
}
