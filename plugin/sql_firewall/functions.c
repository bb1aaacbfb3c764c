/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of sql_firewall that clients call by SELECT: modes and lists of accounts. They run
 * on a thread of their own, and have been saved when they return. */
#include <stdio.h>
#include <string.h>
#include <weir/account.h>
#include <weir/text.h>

#include "firewall.h"

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
    switch (call->index) {
    case SQL_FIREWALL_SET_MODE_FUNCTION:
        return call_set_mode(call, account_text(&account));
    case SQL_FIREWALL_FORGET_FUNCTION:
        return call_forget(call, account_text(&account));
    default:
        return call_read(call, account_text(&account));
    }
}
