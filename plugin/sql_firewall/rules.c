/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rules.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A pattern that needs more steps is taken as blind: nobody can stall a thread with a text. */
#define REGEX_STEPS 1000000

const char *const firewall_mode_names[FIREWALL_MODE_COUNT] = {
#define X(name) #name,
    FIREWALL_MODES(X)
#undef X
};

enum answer { NO, YES, BLIND };

/* ---- Patterns ---- */

static unsigned char fold(unsigned char byte, bool folds)
{
    return folds && byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte | 0x20) : byte;
}

/* Whether the text fits the pattern, in which * is any bytes and ? any one. */
static bool fits(const char *pattern, weir_string text, bool folds)
{
    const char *star = NULL; /* behind the last * */
    size_t at = 0, retry = 0;
    while (at < text.size) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = at;
        } else if (*pattern && (*pattern == '?' || fold((unsigned char)*pattern, folds) ==
                                                       fold((unsigned char)text.data[at], folds))) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star;
            at = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static bool fits_any(const struct text_list *list, weir_string text, bool folds)
{
    for (size_t i = 0; i < list->count; i++) {
        if (fits(list->items[i], text, folds))
            return true;
    }
    return false;
}

static bool is(weir_string text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

/* ---- What the statement is ---- */

static bool runs_text(const weir_part *part)
{
    return is(part->specific_kind, "Prepare") || is(part->specific_kind, "ExecuteImmediate");
}

static bool has_text(const weir_session *session)
{
    weir_part part;
    for (size_t i = 0; weir_statement_part(session, i, &part); i++) {
        if (runs_text(&part))
            return true;
    }
    return false;
}

bool statement_is_plain(const weir_session *session)
{
    return weir_digest_exact(session) == 1 && !has_text(session);
}

bool statement_is_computed(const weir_session *session)
{
    return weir_tables_known(session) == 0 && has_text(session);
}

/* ---- Conditions ---- */

static bool part_fits(const struct rule *rule, const weir_part *part)
{
    if (rule->missing_where &&
        ((part->flags & WEIR_PART_HAS_WHERE) ||
         !(is(part->specific_kind, "Update") || is(part->specific_kind, "Delete"))))
        return false;
    return rule->kinds.count == 0 || fits_any(&rule->kinds, part->kind, true) ||
           fits_any(&rule->kinds, part->specific_kind, true);
}

/* kinds and missing_where are of the same part. */
static enum answer ask_parts(const struct rule *rule, const weir_session *session)
{
    weir_part part;
    if (rule->kinds.count == 0 && !rule->missing_where)
        return YES;
    for (size_t i = 0; weir_statement_part(session, i, &part); i++) {
        if (part_fits(rule, &part))
            return YES;
    }
    return statement_is_computed(session) ? BLIND : NO;
}

static enum answer ask_tables(const struct rule *rule, const weir_session *session)
{
    weir_table table;
    if (rule->tables.count == 0)
        return YES;
    for (size_t i = 0; weir_statement_table(session, i, &table); i++) {
        char name[600]; /* of names of 64 characters each; what is longer is not a table's */
        int size = snprintf(name, sizeof name, "%.*s.%.*s", WEIR_STRING_ARGS(table.schema),
                            WEIR_STRING_ARGS(table.name));
        weir_string text = {name, size < (int)sizeof name ? (size_t)size : sizeof name - 1};
        if ((table.access & rule->access) && fits_any(&rule->tables, text, true))
            return YES;
    }
    return weir_tables_known(session) == 0 ? BLIND : NO;
}

/* A text that the pattern fits not, but that is too hard to tell, is BLIND. */
static enum answer ask_regex(const struct rule *rule, const weir_session *session)
{
    weir_string text = weir_normalized(session);
    if (!rule->regex)
        return YES;
    if (!text.data)
        return NO;
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    int found = PCRE2_ERROR_NOMEMORY;
    if (data && limits) {
        pcre2_set_match_limit(limits, REGEX_STEPS);
        found = pcre2_match(rule->regex, (PCRE2_SPTR)text.data, text.size, 0, PCRE2_NO_UTF_CHECK,
                            data, limits);
    }
    pcre2_match_context_free(limits);
    pcre2_match_data_free(data);
    if (found >= 0)
        return YES;
    return found != PCRE2_ERROR_NOMATCH || !statement_is_plain(session) ? BLIND : NO;
}

static enum answer ask_digests(const struct rule *rule, const weir_session *session)
{
    if (rule->digests.count == 0 || fits_any(&rule->digests, weir_digest(session), true))
        return YES;
    return weir_sql(session).data && !statement_is_plain(session) ? BLIND : NO;
}

static bool ask_numbers(const struct rule *rule, const weir_session *session)
{
    if (rule->statements_over != WEIR_ABSENT &&
        weir_statement_count(session) <= rule->statements_over)
        return false;
    if (rule->tables_unknown && weir_tables_known(session) != 0)
        return false;
    return !rule->digest_inexact || weir_digest_exact(session) == 0;
}

/* Cheap conditions first. */
static enum answer ask(const struct rule *rule, const weir_session *session, weir_string account)
{
    static enum answer (*const conditions[])(const struct rule *, const weir_session *) = {
        ask_parts, ask_tables, ask_digests, ask_regex};
    enum answer answer = YES;
    if ((rule->accounts.count && !fits_any(&rule->accounts, account, false)) ||
        fits_any(&rule->except_accounts, account, false) ||
        (rule->commands.count && !fits_any(&rule->commands, weir_command(session), true)) ||
        !ask_numbers(rule, session))
        return NO;
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions && answer != NO; i++) {
        enum answer next = conditions[i](rule, session);
        if (next != YES)
            answer = next;
    }
    return answer;
}

const struct rule *rules_deny(const struct rules *rules, const weir_session *session,
                              weir_string account, bool *blind,
                              void (*logged)(const weir_session *session, const struct rule *rule))
{
    for (size_t i = 0; rules && i < rules->count; i++) {
        const struct rule *rule = &rules->rules[i];
        enum answer answer = ask(rule, session, account);
        if (answer == NO || (answer == BLIND && rule->blind_passes))
            continue;
        *blind = answer == BLIND;
        if (!rule->log_only)
            return rule;
        if (logged)
            logged(session, rule);
    }
    return NULL;
}

enum firewall_mode rules_mode(const struct rules *rules, weir_string account,
                              enum firewall_mode global)
{
    for (size_t i = 0; rules && i < rules->mode_count; i++) {
        if (fits_any(&rules->modes[i].accounts, account, false))
            return rules->modes[i].mode;
    }
    return global;
}

/* ---- Life ---- */

void *rules_compile(const char *pattern, char problem[PROBLEM_BYTES])
{
    int code;
    PCRE2_SIZE offset;
    pcre2_code *regex = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                      PCRE2_UTF | PCRE2_DOTALL, &code, &offset, NULL);
    if (!regex) {
        PCRE2_UCHAR words[200] = "";
        pcre2_get_error_message(code, words, sizeof words);
        snprintf(problem, PROBLEM_BYTES, "%s, at byte %zu", (char *)words, (size_t)offset);
    } else {
        pcre2_jit_compile(regex, PCRE2_JIT_COMPLETE); /* where there is no JIT it is interpreted */
    }
    return regex;
}

static void free_list(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

void rules_free(struct rules *rules)
{
    for (size_t i = 0; rules && i < rules->count; i++) {
        struct rule *rule = &rules->rules[i];
        free(rule->name);
#define X(member, key) free_list(&rule->member);
        RULE_LISTS(X)
#undef X
        pcre2_code_free(rule->regex);
    }
    for (size_t i = 0; rules && i < rules->mode_count; i++)
        free_list(&rules->modes[i].accounts);
    if (rules) {
        free(rules->rules);
        free(rules->modes);
    }
    free(rules);
}
