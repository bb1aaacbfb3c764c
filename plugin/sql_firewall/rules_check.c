/* SPDX-License-Identifier: Apache-2.0
 *
 * Compares patterns with the names that the host knows, and regular expressions with what a
 * normalised text has: lower case, and question marks for literals. Nothing here runs for a
 * statement. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rules_check.h"

#include <pcre2.h>
#include <string.h>
#include <weir/nearest.h>
#include <weir/pattern.h>

#include "statement.h"

#define DIGEST_DIGITS 64

/* ---- Lists ---- */

static int check_name(const char *pattern, weir_name_list names, const char *what,
                      struct error *error)
{
    struct nearest nearest = {.wanted = pattern};
    weir_string name = weir_known_name(names, 0);
    bool found = !name.data; /* an older host */
    for (size_t i = 0; !found && (name = weir_known_name(names, i)).data; i++) {
        found = pattern_matches(pattern, name.data, name.size, PATTERN_SINGLE | PATTERN_FOLDS);
        nearest_offer(&nearest, name.data);
    }
    if (found)
        return 0;
    return error_set(error, "there is no %s \"%s\"%s%s%s", what, pattern,
                     nearest.name ? "; did you mean \"" : "", nearest.name ? nearest.name : "",
                     nearest.name ? "\"?" : "");
}

int rules_check_names(const struct text_list *patterns, weir_name_list names, const char *what,
                      struct error *error)
{
    int status = 0;
    for (size_t i = 0; i < patterns->count && status == 0; i++)
        status = check_name(patterns->items[i], names, what, error);
    return status;
}

int rules_check_digests(const struct text_list *patterns, struct error *error)
{
    for (size_t i = 0; i < patterns->count; i++) {
        const char *pattern = patterns->items[i];
        size_t size = strlen(pattern), stars = 0;
        for (size_t j = 0; j < size; j++)
            stars += pattern[j] == '*';
        size_t digits = size - stars;
        if (strspn(pattern, "0123456789abcdefABCDEF*?") < size || digits > DIGEST_DIGITS ||
            (stars == 0 && digits < DIGEST_DIGITS))
            return error_set(error, "\"%.80s\" is no digest; a digest has 64 hex digits", pattern);
    }
    return 0;
}

int rules_check_in_schema(const struct text_list *patterns, const char *what, struct error *error)
{
    for (size_t i = 0; i < patterns->count; i++) {
        const char *pattern = patterns->items[i];
        if (!strchr(pattern, '.'))
            return error_set(error, "\"%s\" names no schema; write \"schema.%s\" or \"*.%s\"",
                             pattern, what, what);
        if (strpbrk(pattern, "`'\""))
            return error_set(error, "\"%s\" has quotes; names of %ss are written without", pattern,
                             what);
    }
    return 0;
}

/* ---- Whole rules ---- */

/* What every account matches. */
static bool is_everybody(const struct text_list *accounts)
{
    bool found = false;
    for (size_t i = 0; i < accounts->count; i++)
        found =
            found || strcmp(accounts->items[i], "*") == 0 || strcmp(accounts->items[i], "*@*") == 0;
    return found;
}

static bool matches_any(const struct text_list *patterns, const char *text)
{
    bool found = false;
    for (size_t i = 0; i < patterns->count; i++)
        found = found || pattern_matches(patterns->items[i], text, strlen(text),
                                         PATTERN_SINGLE | PATTERN_FOLDS);
    return found;
}

/* Whether there is an account that the rule could be about. */
static bool has_account(const struct rule *rule)
{
    bool left = rule->accounts.count == 0;
    for (size_t i = 0; i < rule->accounts.count; i++) {
        const char *account = rule->accounts.items[i];
        bool is_excepted = false;
        for (size_t j = 0; j < rule->except_accounts.count; j++)
            is_excepted = is_excepted || strcmp(rule->except_accounts.items[j], account) == 0;
        left = left || !is_excepted;
    }
    return left && !is_everybody(&rule->except_accounts);
}

int rules_check_whole(const struct rule *rule, struct error *error)
{
    if (rule_limits(rule) && (rule->rate || rule->log_only))
        return error_set(error,
                         "the rule \"%s\" limits replies, and can have neither \"rate\" nor "
                         "\"log_only\"",
                         rule->name);
    if (!rules_have_condition(rule) && !rule_limits(rule))
        return error_set(error,
                         "the rule \"%s\" has no condition, and would deny every "
                         "statement; if it shall, write kinds = [\"*\"]",
                         rule->name);
    if ((rule->burst || rule->per) && !rule->rate)
        return error_set(error, "the rule \"%s\" has \"burst\" or \"per\" without \"rate\"",
                         rule->name);
    if (!has_account(rule))
        return error_set(error,
                         "the rule \"%s\" can never deny: \"except_accounts\" leaves it no "
                         "account",
                         rule->name);
    if (rule->missing_where && rule->kinds.count && !matches_any(&rule->kinds, "Update") &&
        !matches_any(&rule->kinds, "Delete"))
        return error_set(error,
                         "the rule \"%s\" can never deny: \"missing_where\" is about Update "
                         "and Delete, and its \"kinds\" are others",
                         rule->name);
    return 0;
}

/* ---- Regular expressions ---- */

/* Moves behind an escape, whose backslash is at *at. What it stands for is not looked at. */
static void skip_escape(const char **at)
{
    const char *next = *at + 1;
    if (*next == 'Q') { /* \Q...\E: taken for what it is by nobody here */
        const char *end = strstr(next, "\\E");
        *at = end ? end + 2 : next + strlen(next);
        return;
    }
    if (strchr("pPxoNkg", *next) && *next && next[1] == '{')
        next = strchr(next, '}') ? strchr(next, '}') : next + 1;
    else if (*next == 'p' || *next == 'P' || *next == 'c')
        next += next[1] != '\0';
    else if (*next == 'x')
        next += strspn(next + 1, "0123456789abcdefABCDEF") < 2
                    ? strspn(next + 1, "0123456789abcdefABCDEF")
                    : 2;
    *at = *next ? next + 1 : next;
}

/* Moves behind a class of characters, whose bracket is at *at. */
static void skip_class(const char **at)
{
    const char *next = *at + 1;
    next += *next == '^';
    next += *next == ']';
    while (*next && *next != ']') {
        if (*next == '\\') {
            skip_escape(&next);
        } else if (*next == '[' && next[1] == ':') {
            const char *end = strstr(next + 2, ":]");
            next = end ? end + 2 : next + 1;
        } else {
            next++;
        }
    }
    *at = *next ? next + 1 : next;
}

/* Moves behind the beginning of a group, whose parenthesis is at *at. False: it sets options, and what
 * letters mean cannot be told here. */
static bool skip_group(const char **at)
{
    const char *next = *at + 1;
    if (*next == '*') { /* a verb */
        next += strcspn(next, ")");
    } else if (*next == '?') {
        next++;
        if (*next == '#')
            next += strcspn(next, ")");
        else if (strchr("imsxnJU^-", *next) && *next)
            return false;
        else if (*next == 'P' || *next == '\'' || (*next == '<' && !strchr("=!", next[1])))
            next += 1 + strcspn(next + 1, ">')");
        next += *next == '\'';
    }
    *at = next;
    return true;
}

/* The first capital letter that the pattern has as such; '\0': none, or nobody knows. A quote is found
 * in the same way. */
static char find_alien(const char *pattern)
{
    char found = '\0';
    for (const char *at = pattern; *at;) {
        if (*at == '\\') {
            skip_escape(&at);
        } else if (*at == '[') {
            skip_class(&at);
        } else if (*at == '(') {
            if (!skip_group(&at))
                return '\0';
        } else {
            bool is_alien = (*at >= 'A' && *at <= 'Z') || *at == '\'' || *at == '"';
            found = is_alien && !found ? *at : found;
            at++;
        }
    }
    return found;
}

/* Whether every text that matches has a capital letter at its beginning, or somewhere. */
static bool needs_capital(const pcre2_code *regex)
{
    uint32_t first_sort = 0, first = 0, last_sort = 0, last = 0;
    pcre2_pattern_info(regex, PCRE2_INFO_FIRSTCODETYPE, &first_sort);
    pcre2_pattern_info(regex, PCRE2_INFO_FIRSTCODEUNIT, &first);
    pcre2_pattern_info(regex, PCRE2_INFO_LASTCODETYPE, &last_sort);
    pcre2_pattern_info(regex, PCRE2_INFO_LASTCODEUNIT, &last);
    return (first_sort == 1 && first >= 'A' && first <= 'Z') ||
           (last_sort == 1 && last >= 'A' && last <= 'Z');
}

int rules_check_regex(const char *pattern, const void *regex, struct error *error,
                      struct error *warning)
{
    char alien = find_alien(pattern);
    warning->message[0] = '\0';
    if (!alien)
        return 0;
    if (alien == '\'' || alien == '"') {
        error_set(warning,
                  "\"regex\" looks for a %c, which no normalised text has: literals are question "
                  "marks there",
                  alien);
        return 0;
    }
    if (needs_capital(regex))
        return error_set(error, "\"regex\" can never match: it needs a capital letter, and "
                                "normalised texts are in lower case; write it so, or begin with "
                                "(?i)");
    error_set(warning,
              "\"regex\" looks for the capital letter %c, which no normalised text has; write it "
              "in lower case, or begin with (?i)",
              alien);
    return 0;
}
