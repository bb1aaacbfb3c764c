/* SPDX-License-Identifier: Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "account.h"

#include <ctype.h>
#include <string.h>
#include <weir/pattern.h>
#include <weir/text.h>

bool account_split(weir_string account, weir_string *user, weir_string *host)
{
    const char *at = account.size ? memrchr(account.data, '@', account.size) : NULL;
    if (!at)
        return false;
    *user = (weir_string){account.data, (size_t)(at - account.data)};
    *host = (weir_string){at + 1, account.size - user->size - 1};
    return true;
}

static bool is_like(weir_string text, weir_string pattern)
{
    return pattern_like(pattern.data, pattern.size, text.data, text.size);
}

bool account_matches(weir_string pattern, weir_string user, weir_string host)
{
    weir_string wanted_user, wanted_host;
    return account_split(pattern, &wanted_user, &wanted_host) && text_equals(wanted_user, user) &&
           is_like(host, wanted_host);
}

/* Without spaces and quotes around it. */
static weir_string trimmed(weir_string text)
{
    while (text.size && isspace((unsigned char)text.data[0]))
        text = (weir_string){text.data + 1, text.size - 1};
    while (text.size && isspace((unsigned char)text.data[text.size - 1]))
        text.size--;
    char first = text.size ? text.data[0] : '\0';
    if (text.size >= 2 && strchr("'\"`", first) && text.data[text.size - 1] == first)
        text = (weir_string){text.data + 1, text.size - 2};
    return text;
}

bool account_in_list(weir_string list, weir_string account)
{
    weir_string user, host, entry_user, entry_host;
    const char *at = list.data, *end = list.data ? list.data + list.size : NULL;
    if (!account_split(account, &user, &host))
        return false;
    while (at && at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *entry_end = comma ? comma : end;
        if (account_split((weir_string){at, (size_t)(entry_end - at)}, &entry_user, &entry_host)) {
            entry_host = trimmed(entry_host);
            if (text_equals(trimmed(entry_user), user) &&
                (text_equals(entry_host, host) || is_like(host, entry_host)))
                return true;
        }
        at = comma ? comma + 1 : end;
    }
    return false;
}
