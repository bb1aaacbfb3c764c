/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts as people write them and as the server has them: 'web'@'10.0.%', "web"@"%", `web`@`%`,
 * web@10.0.%, web (which is web@%). All of these are read here into the form that weir_current_user()
 * has, web@10.0.%: a user name, '@', and a host in lower case. A user name may hold an '@', a host
 * cannot: the last one parts them.
 *
 * In quotes, a doubled quote is one, and in ' and " a backslash quotes the next byte, except for \%
 * and \_, which stay what they are in a LIKE. What stands without quotes has no spaces, quotes, or
 * control characters in it. Nothing is allocated. */
#ifndef WEIR_ACCOUNT_H
#define WEIR_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <weir/pattern.h>
#include <weir/plugin.h>
#include <weir/text.h>

#define ACCOUNT_USER_BYTES   512 /* 128 characters, MariaDB's most */
#define ACCOUNT_HOST_BYTES   255
#define ACCOUNT_TEXT_BYTES   (ACCOUNT_USER_BYTES + 1 + ACCOUNT_HOST_BYTES)
#define ACCOUNT_QUOTED_BYTES (2 * ACCOUNT_TEXT_BYTES + 5)

/* An account in the server's form. */
struct account_name {
    size_t size, user_size;
    char text[ACCOUNT_TEXT_BYTES + 1]; /* user@host, NUL-terminated */
};

static inline weir_string account_text(const struct account_name *name)
{
    weir_string text = {name->text, name->size};
    return text;
}

/* Splits the server's form at its last '@'. false: there is none. */
static inline bool account_split(weir_string account, weir_string *user, weir_string *host)
{
    size_t at = account.size;
    while (at > 0 && account.data[at - 1] != '@')
        at--;
    if (at == 0)
        return false;
    *user = (weir_string){account.data, at - 1};
    *host = (weir_string){account.data + at, account.size - at};
    return true;
}

/* Whether two accounts in the server's form are the same: hosts are compared without regard to
 * case. */
static inline bool account_is(weir_string a, weir_string b)
{
    weir_string user, host;
    if (text_equals(a, b))
        return true;
    if (a.size != b.size || !account_split(a, &user, &host))
        return false;
    return memcmp(a.data, b.data, user.size + 1) == 0 &&
           strncasecmp(host.data, b.data + user.size + 1, host.size) == 0;
}

/* ---- Reading ---- */

static inline bool account_is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static inline bool account_is_quote(char byte)
{
    return byte == '\'' || byte == '"' || byte == '`';
}

static inline const char *account_skip_spaces(const char *at, const char *end)
{
    while (at < end && account_is_space(*at))
        at++;
    return at;
}

/* Reads what stands in quotes at *at, which moves after them. NULL, or what is wrong. */
static inline const char *account_read_quoted(const char **at, const char *end, char *room,
                                              size_t most, size_t *size)
{
    const char *from = *at;
    char quote = *from++;
    for (*size = 0; from < end; from++) {
        bool is_end = *from == quote;
        if (is_end && (end - from < 2 || from[1] != quote)) {
            *at = from + 1;
            return NULL;
        }
        bool is_escape = *from == '\\' && quote != '`' && end - from >= 2;
        bool stays = is_escape && (from[1] == '%' || from[1] == '_');
        if (is_end || (is_escape && !stays))
            from++;
        if ((unsigned char)*from < ' ' || *from == 0x7f)
            return "has a control character in it";
        if (*size == most)
            return "is too long";
        room[(*size)++] = *from;
    }
    return "has a quote that is not closed";
}

/* Reads what stands there without quotes, from `at` to `end`. NULL, or what is wrong. */
static inline const char *account_read_plain(const char *at, const char *end, char *room,
                                             size_t most, size_t *size)
{
    for (*size = 0; at < end; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return "has a control character in it";
        if (account_is_space(*at) || account_is_quote(*at))
            return "has a space or a quote in a name without quotes; write 'user'@'host'";
        if (*size == most)
            return "is too long";
        room[(*size)++] = *at;
    }
    return NULL;
}

/* Where the '@' is that ends a user name without quotes: the one before a host in quotes, otherwise the
 * last one. `end`: there is none. */
static inline const char *account_find_at(const char *at, const char *end)
{
    const char *last = end;
    for (; at < end &&
           !(account_is_quote(*at) && last < end && account_skip_spaces(last + 1, end) == at);
         at++)
        if (*at == '@')
            last = at;
    return last;
}

/* The address of a.b.c.d, which ends at *at. false: it is none. */
static inline bool account_read_ip(const char **at, const char *end, uint32_t *address)
{
    *address = 0;
    for (int part = 0; part < 4; part++) {
        uint32_t number = 0;
        const char *from = *at;
        while (*at < end && **at >= '0' && **at <= '9' && *at - from < 3)
            number = 10 * number + (uint32_t)(*(*at)++ - '0');
        if (*at == from || number > 255)
            return false;
        *address = *address << 8 | number;
        if (part < 3 && (*at == end || *(*at)++ != '.'))
            return false;
    }
    return true;
}

/* Reads "a.b.c.d/m.m.m.m" or, as MySQL 8 has it, "a.b.c.d/bits". false: the host is no such one. */
static inline bool account_read_net(weir_string host, uint32_t *address, uint32_t *mask)
{
    const char *at = host.data, *end = host.data + host.size;
    if (!host.size || !account_read_ip(&at, end, address) || at == end || *at++ != '/')
        return false;
    const char *from = at;
    if (account_read_ip(&at, end, mask) && at == end)
        return true;
    uint32_t bits = 0;
    for (at = from; at < end && *at >= '0' && *at <= '9' && at - from < 2; at++)
        bits = 10 * bits + (uint32_t)(*at - '0');
    *mask = bits ? UINT32_MAX << ((32 - bits) & 31) : 0;
    return at == end && at > from && bits <= 32;
}

/* What keeps a host from ever being a client's. NULL: nothing. */
static inline const char *account_check_host(weir_string host)
{
    uint32_t address, mask;
    if (memchr(host.data, '@', host.size))
        return "has an @ in its host";
    if (!memchr(host.data, '/', host.size))
        return NULL;
    if (!account_read_net(host, &address, &mask))
        return "has a / in its host that is no netmask; write a.b.c.d/255.255.255.0";
    return address & ~mask ? "has a network with bits that its netmask does not cover, so that no "
                             "address is in it"
                           : NULL;
}

/* Puts '@' and the host after the user name. No host, and an empty one, are '%'. */
static inline const char *account_finish(struct account_name *name, size_t host_size)
{
    char *host = name->text + name->user_size + 1;
    if (host_size == 0)
        host[host_size++] = '%';
    for (size_t i = 0; i < host_size; i++)
        host[i] = pattern_lower(host[i]);
    name->text[name->user_size] = '@';
    name->size = name->user_size + 1 + host_size;
    name->text[name->size] = '\0';
    return account_check_host((weir_string){host, host_size});
}

/* Reads an account. NULL, or what is wrong with it: "has a quote that is not closed". */
static inline const char *account_parse(weir_string text, struct account_name *name)
{
    const char *at = text.data, *end = text.data ? text.data + text.size : NULL, *wrong;
    size_t host_size = 0;
    while (at < end && account_is_space(end[-1]))
        end--;
    at = account_skip_spaces(at, end);
    if (at == end)
        return "is empty";
    if (account_is_quote(*at)) {
        wrong = account_read_quoted(&at, end, name->text, ACCOUNT_USER_BYTES, &name->user_size);
        at = wrong ? end : account_skip_spaces(at, end);
        if (at < end && *at != '@')
            wrong = "has more behind its quote than @ and a host";
    } else {
        const char *stop = account_find_at(at, end), *last = stop;
        while (last > at && account_is_space(last[-1]))
            last--;
        wrong = account_read_plain(at, last, name->text, ACCOUNT_USER_BYTES, &name->user_size);
        at = stop;
    }
    if (wrong || at == end)
        return wrong ? wrong : account_finish(name, 0);
    at = account_skip_spaces(at + 1, end);
    char *host = name->text + name->user_size + 1;
    if (at == end)
        return "has an @ without a host";
    if (!account_is_quote(*at))
        wrong = account_read_plain(at, end, host, ACCOUNT_HOST_BYTES, &host_size);
    else if (!(wrong = account_read_quoted(&at, end, host, ACCOUNT_HOST_BYTES, &host_size)) &&
             at < end)
        wrong = "has more behind its host";
    return wrong ? wrong : account_finish(name, host_size);
}

/* account_parse(), but for one of the user "%": there may be such a user, but who writes that means a
 * wildcard, and would name nobody. */
static inline const char *account_parse_named(weir_string text, struct account_name *name)
{
    const char *wrong = account_parse(text, name);
    if (!wrong && name->user_size == 1 && name->text[0] == '%')
        wrong = "is of the user named \"%\": user names have no wildcards";
    return wrong;
}

/* Takes the next text of a list with commas between, which may stand in quotes; empty ones are left
 * out. false: there are no more. *list is what follows. */
static inline bool account_list_next(weir_string *list, weir_string *entry)
{
    for (entry->size = 0; entry->size == 0 && list->size > 0;) {
        const char *at = list->data, *end = at + list->size, *from;
        char quote = '\0';
        for (from = at; at < end && (quote || *at != ','); at++)
            if (quote && *at == '\\' && quote != '`' && end - at >= 2)
                at++;
            else if (quote ? *at == quote : account_is_quote(*at))
                quote = quote ? '\0' : *at;
        *list = (weir_string){at < end ? at + 1 : end, at < end ? (size_t)(end - at - 1) : 0};
        from = account_skip_spaces(from, at);
        *entry = (weir_string){from, (size_t)(at - from)};
    }
    return entry->size > 0;
}

/* Checks a list. NULL, or what is wrong with *entry. */
static inline const char *account_list_check(weir_string list, weir_string *entry)
{
    struct account_name name;
    const char *wrong = NULL;
    while (!wrong && account_list_next(&list, entry))
        wrong = account_parse_named(*entry, &name);
    return wrong;
}

/* weir_expect_account() for each of a list that has been checked. */
static inline void account_list_expect(weir_string list)
{
    struct account_name name;
    weir_string entry;
    while (account_list_next(&list, &entry))
        if (!account_parse_named(entry, &name))
            weir_expect_account(account_text(&name));
}

/* ---- Matching ---- */

/* Whether a client's host is in that of an account: a LIKE, or an address of a network. */
static inline bool account_host_matches(weir_string pattern, weir_string host)
{
    uint32_t network, mask, address;
    const char *at = host.data, *end = host.data ? host.data + host.size : NULL;
    if (account_read_net(pattern, &network, &mask))
        return host.size && account_read_ip(&at, end, &address) && at == end &&
               (address & mask) == network;
    return pattern_like(pattern.data, pattern.size, host.data, host.size);
}

/* Whether the account, in the server's form, could be that of a client whom the server has not
 * matched yet. */
static inline bool account_matches(weir_string account, weir_string user, weir_string host)
{
    weir_string wanted_user, wanted_host;
    return account_split(account, &wanted_user, &wanted_host) && text_equals(wanted_user, user) &&
           account_host_matches(wanted_host, host);
}

/* Whether a list such as "app@10.%, 'root'@'localhost'" has an account that is `account`, in the
 * server's form, or that matches it as a client's. */
static inline bool account_in_list(weir_string list, weir_string account)
{
    struct account_name name;
    weir_string user, host, entry;
    bool found = false;
    if (!account_split(account, &user, &host))
        return false;
    while (!found && account_list_next(&list, &entry))
        found = !account_parse(entry, &name) && (account_is(account_text(&name), account) ||
                                                 account_matches(account_text(&name), user, host));
    return found;
}

/* ---- Writing ---- */

static inline size_t account_quote(weir_string part, char *room)
{
    size_t size = 0;
    room[size++] = '\'';
    for (size_t i = 0; i < part.size; i++) {
        bool is_escape = part.data[i] == '\\' && i + 1 < part.size &&
                         (part.data[i + 1] == '%' || part.data[i + 1] == '_');
        if (part.data[i] == '\'' || (part.data[i] == '\\' && !is_escape))
            room[size++] = part.data[i];
        room[size++] = part.data[i];
    }
    room[size++] = '\'';
    return size;
}

/* Writes an account of the server's form so that account_parse() reads it: as it is, or in quotes where
 * it needs them. Returns it, in room or borrowed; absent: it is none, or too long. */
static inline weir_string account_print(weir_string account, char room[ACCOUNT_QUOTED_BYTES])
{
    weir_string user, host, none = {NULL, 0};
    bool is_plain = true;
    if (account.size > ACCOUNT_TEXT_BYTES || !account_split(account, &user, &host))
        return none;
    for (size_t i = 0; i < account.size; i++)
        is_plain =
            is_plain && !account_is_space(account.data[i]) && !account_is_quote(account.data[i]);
    if (is_plain)
        return account;
    size_t size = account_quote(user, room);
    room[size++] = '@';
    size += account_quote(host, room + size);
    return (weir_string){room, size};
}

#endif
