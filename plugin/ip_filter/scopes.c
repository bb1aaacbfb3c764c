/* SPDX-License-Identifier: Apache-2.0
 *
 *     allow app@10.0.0.0/8 to shop,shop_test
 *     deny  country:KP,RU
 *     allow batch@any during 22:00-06:00 on mon-fri
 *     allow pay@any tls yes subject "CN=pay,O=Example" issuer "CN=Example CA"
 *
 * A rule fits a client when everything that it says does. */
#include "scopes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <weir/account.h>
#include <weir/pattern.h>

#define COUNTRIES_MAX 32
#define DAY_MINUTES   (24 * 60)
#define ALL_DAYS      0x7fU

struct scope {
    bool is_allow;
    char *account; /* owned; * is any bytes; NULL: any account */
    bool has_network;
    bool is_ipv6;
    struct range range;
    char countries[COUNTRIES_MAX][3];
    size_t country_count; /* 0: any */
    char **databases;     /* owned, up to a NULL; NULL: any */
    int from, until;      /* minutes of the day; the same: all day */
    unsigned days;        /* bit 0: Sunday */
    enum { TLS_ANY, TLS_YES, TLS_NO } tls;
    char *subject, *issuer; /* owned; * is any bytes; NULL: any certificate, or none */
};

/* ---- Reading ---- */

static const char *read_countries(struct scope *scope, char *list)
{
    char *rest, *word = strtok_r(list, ",", &rest);
    if (!word)
        return "names no country";
    for (; word; word = strtok_r(NULL, ",", &rest)) {
        if (strlen(word) != 2 || strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2)
            return "has a country that is no two capitals";
        if (scope->country_count == COUNTRIES_MAX)
            return "has more than 32 countries";
        memcpy(scope->countries[scope->country_count++], word, 3);
    }
    return NULL;
}

/* The user name, which may stand in quotes, as may the place behind it; no place is any. */
static const char *read_account(struct scope *scope, char **place)
{
    char user[ACCOUNT_USER_BYTES], *at = strrchr(*place, '@');
    const char *from = *place, *end = at ? at : *place + strlen(*place);
    size_t user_size = 0;
    if (from == end)
        return "names no account before its @";
    bool is_quoted = account_is_quote(*from);
    const char *wrong = is_quoted ? account_read_quoted(&from, end, user, sizeof user, &user_size)
                                  : account_read_plain(from, end, user, sizeof user, &user_size);
    if (!wrong && is_quoted && from < end)
        wrong = "has more behind its quote than @ and a place";
    if (!wrong && user_size == 1 && user[0] == '%')
        wrong = "is of the user named \"%\": write * for any user";
    if (wrong)
        return wrong;
    scope->account = strndup(user, user_size);
    *place = at ? at + 1 : "any";
    size_t size = strlen(*place);
    if (size >= 2 && account_is_quote(**place) && (*place)[size - 1] == **place) {
        (*place)[size - 1] = '\0';
        ++*place;
    }
    if (strcmp(*place, "%") == 0)
        *place = "any";
    return scope->account ? NULL : "does not fit into memory";
}

static const char *read_place(struct scope *scope, char *place)
{
    const char *wrong = NULL;
    if (strchr(place, '@') || account_is_quote(*place))
        wrong = read_account(scope, &place);
    if (wrong || strcmp(place, "any") == 0)
        return wrong;
    if (strpbrk(place, "%_"))
        return "has a % or _ in its address; write a network: 10.0.0.0/8";
    if (strncmp(place, "country:", 8) == 0)
        return read_countries(scope, place + 8);
    scope->has_network = true;
    return parse_network(place, &scope->range, &scope->is_ipv6);
}

static const char *read_databases(struct scope *scope, char *list)
{
    size_t count = 0;
    char *rest;
    if (scope->databases)
        return "has \"to\" twice";
    for (char *word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        char **grown = realloc(scope->databases, (count + 2) * sizeof *grown);
        if (!grown)
            return "does not fit into memory";
        scope->databases = grown;
        grown[count] = strdup(word);
        grown[count + 1] = NULL;
        if (!grown[count++])
            return "does not fit into memory";
    }
    return count ? NULL : "names no database behind \"to\"";
}

static const char *read_times(struct scope *scope, const char *text)
{
    unsigned h1, m1, h2, m2;
    int end = 0;
    if (sscanf(text, "%2u:%2u-%2u:%2u%n", &h1, &m1, &h2, &m2, &end) != 4 || text[end] || h1 > 23 ||
        h2 > 24 || m1 > 59 || m2 > 59)
        return "has times that are not like 08:00-18:00";
    scope->from = (int)(60 * h1 + m1);
    scope->until = (int)(60 * h2 + m2) % DAY_MINUTES;
    return NULL;
}

static int day_of(const char *name)
{
    static const char names[7][4] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
    int day = 0;
    while (day < 7 && strcasecmp(names[day], name) != 0)
        day++;
    return day;
}

/* "mon-fri,sun" */
static const char *read_days(struct scope *scope, char *list)
{
    char *rest;
    scope->days = 0;
    for (char *word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        char *dash = strchr(word, '-');
        if (dash)
            *dash = '\0';
        int first = day_of(word), last = dash ? day_of(dash + 1) : first;
        if (first == 7 || last == 7)
            return "has days that are not like mon-fri,sun";
        for (int day = first; day != last; day = (day + 1) % 7)
            scope->days |= 1U << day;
        scope->days |= 1U << last;
    }
    return scope->days ? NULL : "names no day behind \"on\"";
}

static const char *read_tls(struct scope *scope, const char *value)
{
    scope->tls = strcmp(value, "yes") == 0 ? TLS_YES : TLS_NO;
    return scope->tls == TLS_YES || strcmp(value, "no") == 0
               ? NULL
               : "is followed by \"tls\" and something else than yes or no";
}

/* A client need not show its certificate: what is denied one, it could do without. */
static const char *read_name(const struct scope *scope, const char *value, char **name)
{
    if (!scope->is_allow)
        return "is denied; \"subject\" and \"issuer\" say what certificate is allowed";
    if (*name)
        return "has \"subject\" or \"issuer\" twice";
    *name = strdup(value);
    return *name ? NULL : "does not fit into memory";
}

/* The next word; one that begins with a quote ends with the next, and may have spaces. NULL: there is none,
 * or it does not end. */
static char *next_value(char **rest)
{
    static const char space[] = " \t\r\n";
    char *value = *rest + strspn(*rest, space);
    if (*value != '"')
        return strtok_r(NULL, space, rest);
    char *end = strchr(++value, '"');
    if (!end || value == end || !strchr(space, end[1])) /* which its end is, too */
        return NULL;
    *rest = end + (end[1] ? 2 : 1);
    *end = '\0';
    return value;
}

static const char *read_word(struct scope *scope, const char *word, char *value)
{
    if (strcmp(word, "to") == 0)
        return read_databases(scope, value);
    if (strcmp(word, "during") == 0)
        return read_times(scope, value);
    if (strcmp(word, "on") == 0)
        return read_days(scope, value);
    if (strcmp(word, "tls") == 0)
        return read_tls(scope, value);
    if (strcmp(word, "subject") == 0)
        return read_name(scope, value, &scope->subject);
    if (strcmp(word, "issuer") == 0)
        return read_name(scope, value, &scope->issuer);
    return "is followed by something else than to, during, on, tls, subject or issuer";
}

static const char *read_rest(struct scope *scope, char *rest)
{
    static const char space[] = " \t\r\n";
    const char *wrong = NULL;
    char *save, *word = strtok_r(rest, space, &save);
    while (word && !wrong) {
        char *value = next_value(&save);
        if (!value)
            wrong = "is followed by a word without a value";
        else
            wrong = read_word(scope, word, value);
        word = strtok_r(NULL, space, &save);
    }
    if (!wrong && scope->databases && !scope->is_allow)
        wrong = "is denied; \"to\" says what an account is allowed";
    if (!wrong && scope->tls == TLS_NO && (scope->subject || scope->issuer))
        wrong = "asks for a certificate without TLS";
    return wrong;
}

const char *scopes_add(struct scopes *scopes, bool is_allow, char *place, char *rest)
{
    if (scopes->count == scopes->room) {
        size_t room = scopes->room ? 2 * scopes->room : 16;
        struct scope *items = realloc(scopes->items, room * sizeof *items);
        if (!items)
            return "does not fit into memory";
        scopes->items = items;
        scopes->room = room;
    }
    struct scope *scope = &scopes->items[scopes->count++];
    *scope = (struct scope){.is_allow = is_allow, .days = ALL_DAYS};
    const char *wrong = read_place(scope, place);
    return wrong ? wrong : read_rest(scope, rest);
}

bool scopes_last_asks_country(const struct scopes *scopes)
{
    return scopes->count && scopes->items[scopes->count - 1].country_count > 0;
}

void scopes_free(struct scopes *scopes)
{
    for (size_t i = 0; i < scopes->count; i++) {
        struct scope *scope = &scopes->items[i];
        for (size_t j = 0; scope->databases && scope->databases[j]; j++)
            free(scope->databases[j]);
        free(scope->databases);
        free(scope->account);
        free(scope->subject);
        free(scope->issuer);
    }
    free(scopes->items);
}

/* ---- Asking ---- */

static bool has_country(const struct scope *scope, const char *country)
{
    bool found = scope->country_count == 0;
    for (size_t i = 0; i < scope->country_count && !found; i++)
        found = strcmp(scope->countries[i], country) == 0;
    return found;
}

/* A window over midnight belongs to the day on which it begins. */
static bool is_time(const struct scope *scope, const struct tm *now)
{
    int minute = 60 * now->tm_hour + now->tm_min, day = now->tm_wday;
    bool is_in = scope->from == scope->until || (minute >= scope->from && minute < scope->until);
    if (scope->from > scope->until) {
        is_in = minute >= scope->from || minute < scope->until;
        if (minute < scope->until)
            day = (day + 6) % 7;
    }
    return is_in && (scope->days & 1U << day);
}

static bool matches_place(const struct scope *scope, const struct client *client)
{
    uint8_t key[ADDRESS_BYTES] = {0};
    memcpy(key, client->address, client->size);
    if (scope->has_network && (scope->is_ipv6 != (client->size == 16) ||
                               memcmp(key, scope->range.first, ADDRESS_BYTES) < 0 ||
                               memcmp(key, scope->range.last, ADDRESS_BYTES) > 0))
        return false;
    return has_country(scope, client->country) && is_time(scope, &client->now);
}

static bool has_name(const char *pattern, weir_string name)
{
    return !pattern || (name.data && pattern_matches(pattern, name.data, name.size, 0));
}

/* What is absent fits no pattern. */
static bool matches_tls(const struct scope *scope, const struct client *client)
{
    return (scope->tls == TLS_ANY || (scope->tls == TLS_YES) == client->has_tls) &&
           has_name(scope->subject, client->subject) && has_name(scope->issuer, client->issuer);
}

static bool asks_tls(const struct scope *scope)
{
    return scope->tls != TLS_ANY || scope->subject || scope->issuer;
}

struct scope_answer scopes_ask(const struct scopes *scopes, const struct client *client)
{
    struct scope_answer answer = {0};
    for (size_t i = 0; i < scopes->count; i++) {
        const struct scope *scope = &scopes->items[i];
        bool named = scope->account != NULL;
        if ((named || asks_tls(scope)) && !client->user) {
            answer.allowed_for_some =
                answer.allowed_for_some || (scope->is_allow && matches_place(scope, client));
            answer.has_allow = answer.has_allow || (scope->is_allow && !named);
            continue;
        }
        if (named && !pattern_matches(scope->account, client->user, client->user_size, 0))
            continue;
        bool here = matches_place(scope, client) && matches_tls(scope, client);
        if (!scope->is_allow) {
            answer.denied = answer.denied || here;
            continue;
        }
        answer.named = answer.named || named;
        answer.has_allow = answer.has_allow || !named;
        answer.allowed_unnamed = answer.allowed_unnamed || (!named && here);
        if (here && (named ? !answer.allowed : !answer.named && !answer.databases))
            answer.databases = scope->databases;
        answer.allowed = answer.allowed || (named && here);
    }
    return answer;
}
