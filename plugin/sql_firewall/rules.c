/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluates rules against a statement. Each condition answers YES, NO or BLIND (it cannot know),
 * and a rule's answer is NO if one condition says NO, else BLIND if one is blind, else YES.
 *
 * Cost decides the order. First the gist of a rule, bit sets of the letters with which its kinds
 * and tables can begin, rules out most rules for most statements without looking at any text; then
 * come accounts and numbers, parts, tables, digests, and regular expressions last. A regular
 * expression that takes more than REGEX_STEPS is BLIND, so that no text can stall a thread.
 *
 * A fact that is not known makes the conditions that ask for it BLIND, also those that would only
 * except an account. What a text looks like is enough for YES, and for NO only if it is read as the
 * server reads it.
 *
 * Rules do not change after rules_prepare(); any number of threads may evaluate them. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rules.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/clock.h>
#include <weir/pattern.h>
#include <weir/text.h>

#include "rates.h"
#include "statement.h"

/* A pattern that needs more steps counts as blind: a text cannot stall a thread. */
#define REGEX_STEPS 1000000

const char *const firewall_mode_names[FIREWALL_MODE_COUNT] = {
#define X(name) #name,
    FIREWALL_MODES(X)
#undef X
};

enum answer { NO, YES, BLIND };

/* One statement that is judged. */
struct asking {
    const struct rules *rules;
    struct statement *statement;
    pcre2_match_data *matched; /* made for the first regex; NULL: there was none */
    bool is_utf8;              /* the normalised text has been found to be UTF-8 */
    const char *blind;         /* why the condition that was asked last is blind */
};

/* X(name, words): what a condition can be blind to. */
#define BLINDNESSES(X)                                                                             \
    X(ACCOUNT, "its account is not known")                                                         \
    X(READING, "in which way it is read is not known")                                             \
    X(COMPUTED, "it runs a text that is computed")                                                 \
    X(PARTS, "its kind is not known")                                                              \
    X(ROUTINE, "it calls a routine, whose tables are not known")                                   \
    X(ROUTINES, "the routines that it calls are not known")                                        \
    X(TABLES, "its tables are not known")                                                          \
    X(DIGEST, "its digest does not tell all that it does")                                         \
    X(REGEX, "a regex takes too many steps, or the text is not UTF-8")
#define X(name, words) static const char BLIND_##name[] = words;
BLINDNESSES(X)
#undef X

static enum answer blind_to(struct asking *asking, const char *what)
{
    asking->blind = what;
    return BLIND;
}

/* What lies behind a fact of the text that is not known. */
static enum answer blind_text(struct asking *asking, const char *what)
{
    bool is_read = statement_is_read(asking->statement);
    bool is_computed = is_read && statement_is_computed(asking->statement);
    return blind_to(asking, !is_read ? BLIND_READING : is_computed ? BLIND_COMPUTED : what);
}

/* ---- Conditions ---- */

bool text_list_matches(const struct text_list *list, weir_string text, unsigned flags)
{
    for (size_t i = 0; i < list->count; i++)
        if (pattern_matches(list->items[i], text.data, text.size, PATTERN_SINGLE | flags))
            return true;
    return false;
}

static bool part_matches(const struct rule *rule, const weir_part *part)
{
    if (rule->missing_where &&
        ((part->flags & WEIR_PART_HAS_WHERE) ||
         !(text_is(part->specific_kind, "Update") || text_is(part->specific_kind, "Delete"))))
        return false;
    return rule->kinds.count == 0 || text_list_matches(&rule->kinds, part->kind, PATTERN_FOLDS) ||
           text_list_matches(&rule->kinds, part->specific_kind, PATTERN_FOLDS);
}

/* kinds and missing_where are of the same part. */
static enum answer ask_parts(const struct rule *rule, struct asking *asking)
{
    weir_part part;
    if (rule->kinds.count == 0 && !rule->missing_where)
        return YES;
    for (size_t i = 0; statement_part(asking->statement, i, &part); i++)
        if (part_matches(rule, &part))
            return YES;
    return statement_has_known_parts(asking->statement) ? NO : blind_text(asking, BLIND_PARTS);
}

static enum answer ask_tables(const struct rule *rule, struct asking *asking)
{
    weir_string name;
    uint32_t access;
    if (rule->tables.count == 0)
        return YES;
    for (size_t i = 0; statement_table(asking->statement, i, &name, &access); i++)
        if ((access & rule->access) && text_list_matches(&rule->tables, name, PATTERN_FOLDS))
            return YES;
    bool is_named = statement_has_known_names(asking->statement);
    return statement_is_understood(asking->statement)
               ? NO
               : blind_text(asking, is_named ? BLIND_ROUTINE : BLIND_TABLES);
}

static enum answer ask_routines(const struct rule *rule, struct asking *asking)
{
    weir_string name;
    if (rule->routines.count == 0)
        return YES;
    for (size_t i = 0; statement_routine(asking->statement, i, &name); i++)
        if (text_list_matches(&rule->routines, name, PATTERN_FOLDS))
            return YES;
    return statement_has_known_names(asking->statement) ? NO : blind_text(asking, BLIND_ROUTINES);
}

/* Texts that are no UTF-8, and those that take too many steps, are BLIND. */
static enum answer match(const struct rule *rule, struct asking *asking, weir_string text,
                         bool is_utf8)
{
    if (!asking->matched)
        asking->matched = pcre2_match_data_create(1, NULL);
    int found = PCRE2_ERROR_NOMEMORY;
    if (asking->matched)
        found =
            pcre2_match(rule->regex, (PCRE2_SPTR)text.data, text.size, 0,
                        is_utf8 ? PCRE2_NO_UTF_CHECK : 0, asking->matched, asking->rules->limits);
    return found >= 0 ? YES : found == PCRE2_ERROR_NOMATCH ? NO : blind_to(asking, BLIND_REGEX);
}

/* The parts are matched each on its own: what a wrapper or a text runs is judged as if it stood alone. */
static enum answer match_parts(const struct rule *rule, struct asking *asking)
{
    enum answer answer =
        statement_is_plain(asking->statement) ? NO : blind_text(asking, BLIND_DIGEST);
    weir_part part;
    for (size_t i = 1; answer != YES && statement_part(asking->statement, i, &part); i++) {
        weir_string text = weir_part_text(asking->statement->session, i, WEIR_TEXT_normalized);
        enum answer next =
            text.data ? match(rule, asking, text, false) : blind_to(asking, BLIND_DIGEST);
        answer = next == NO ? answer : next;
    }
    return answer;
}

static enum answer ask_regex(const struct rule *rule, struct asking *asking)
{
    if (!rule->regex)
        return YES;
    weir_string text = statement_normalized(asking->statement);
    weir_part part;
    if (!text.data)
        return statement_is_read(asking->statement) && !statement_sql(asking->statement).data
                   ? NO
                   : blind_text(asking, BLIND_DIGEST);
    enum answer answer = match(rule, asking, text, asking->is_utf8);
    asking->is_utf8 = asking->is_utf8 || answer != BLIND;
    if (answer == NO &&
        (statement_part(asking->statement, 1, &part) || statement_has_text(asking->statement) ||
         !statement_is_exact(asking->statement)))
        answer = match_parts(rule, asking);
    return answer;
}

static enum answer ask_digests(const struct rule *rule, struct asking *asking)
{
    struct statement *statement = asking->statement;
    weir_part part;
    if (rule->digests.count == 0)
        return YES;
    weir_string digest = statement_digest(statement);
    if (!digest.data)
        return statement_is_read(statement) && !statement_sql(statement).data
                   ? NO
                   : blind_text(asking, BLIND_DIGEST);
    if (text_list_matches(&rule->digests, digest, PATTERN_FOLDS))
        return YES;
    for (size_t i = 1; statement_part(statement, i, &part); i++)
        if (text_list_matches(&rule->digests,
                              weir_part_text(statement->session, i, WEIR_TEXT_digest),
                              PATTERN_FOLDS))
            return YES;
    return statement_is_plain(statement) ? NO : blind_text(asking, BLIND_DIGEST);
}

/* Whether the rule cannot fit because no kind or no table begins as it would have to: most rules say
 * nothing to most statements, and are done with here. */
static bool is_far(const struct rule_gist *gist, struct statement *statement)
{
    if (gist->kinds && !(gist->kinds & statement_kind_letters(statement)))
        return statement_has_known_parts(statement);
    if (!gist->table_count)
        return false;
    struct letters letters = statement_table_letters(statement);
    for (uint32_t i = 0; i < gist->table_count; i++)
        if ((gist->tables[i].schema & letters.schemas) && (gist->tables[i].name & letters.names))
            return false;
    return statement_is_understood(statement);
}

/* The account that is not known may be one of the rule's, and may be none. */
static enum answer ask_account(const struct rule *rule, struct asking *asking)
{
    weir_string account = asking->statement->account;
    if (!rule->accounts.count && !rule->except_accounts.count)
        return YES;
    if (!asking->statement->has_known_account)
        return blind_to(asking, BLIND_ACCOUNT);
    return (!rule->accounts.count || text_list_matches(&rule->accounts, account, 0)) &&
                   !text_list_matches(&rule->except_accounts, account, 0)
               ? YES
               : NO;
}

/* An empty list names any. */
static bool is_one_of(const struct text_list *list, weir_string text)
{
    return !list->count || text_list_matches(list, text, 0);
}

/* A certificate that was not shown is none of those that are let pass. */
static enum answer ask_certificate(const struct rule *rule, struct asking *asking)
{
    const weir_session *session = asking->statement->session;
    if (rule->without_tls && weir_tls_version(session).data)
        return NO;
    if (!rule->except_subjects.count && !rule->except_issuers.count)
        return YES;
    const weir_string subject = weir_client_cert_subject(session),
                      issuer = weir_client_cert_issuer(session);
    const bool is_shown = subject.data && issuer.data;
    return is_shown && is_one_of(&rule->except_subjects, subject) &&
                   is_one_of(&rule->except_issuers, issuer)
               ? NO
               : YES;
}

static enum answer ask_command(const struct rule *rule, struct asking *asking)
{
    return !rule->commands.count ||
                   text_list_matches(&rule->commands, statement_command(asking->statement),
                                     PATTERN_FOLDS)
               ? YES
               : NO;
}

/* A text that is read otherwise may hold more statements. */
static enum answer ask_count(const struct rule *rule, struct asking *asking)
{
    if (rule->statements_over == WEIR_ABSENT ||
        weir_statement_count(asking->statement->session) > rule->statements_over)
        return YES;
    return statement_is_read(asking->statement) ? NO : blind_to(asking, BLIND_READING);
}

/* Sessions of an account that is not known are counted for none. */
static enum answer ask_sessions(const struct rule *rule, struct asking *asking)
{
    const struct statement *statement = asking->statement;
    if (rule->sessions_over == WEIR_ABSENT || statement->session_position > rule->sessions_over)
        return YES;
    return statement->has_known_account ? NO : blind_to(asking, BLIND_ACCOUNT);
}

static uint64_t hash_more(uint64_t hash, weir_string text)
{
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ (uint8_t)text.data[i]) * UINT64_C(0x100000001b3);
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

/* Asked last, of a statement that the rule is about: it takes from the bucket. What is not about to run
 * takes nothing. */
static enum answer ask_rate(const struct rule *rule, struct asking *asking)
{
    struct statement *statement = asking->statement;
    uint64_t key = UINT64_C(0xcbf29ce484222325);
    if (!rule->rates)
        return YES;
    if (!statement->is_counted)
        return NO;
    if (rule->per & RULE_PER_ACCOUNT)
        key = hash_more(key, statement->account);
    if (rule->per & RULE_PER_DIGEST) {
        weir_string digest = statement_digest(statement);
        key = hash_more(key, digest.data ? digest : statement_command(statement));
    }
    return rates_take(rule->rates, key ^ key >> 31, clock_monotonic_ns()) ? NO : YES;
}

static enum answer ask_unknown(const struct rule *rule, struct asking *asking)
{
    return (!rule->tables_unknown || !statement_is_understood(asking->statement)) &&
                   (!rule->digest_inexact || !statement_is_plain(asking->statement))
               ? YES
               : NO;
}

/* Cheap conditions first: a regex runs when nothing else speaks for the statement. */
static enum answer ask(const struct rule *rule, struct asking *asking)
{
    static enum answer (*const conditions[])(const struct rule *, struct asking *) = {
        ask_account, ask_certificate, ask_command,  ask_sessions, ask_count, ask_unknown,
        ask_parts,   ask_tables,      ask_routines, ask_digests,  ask_regex, ask_rate};
    enum answer answer = YES;
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions && answer != NO; i++) {
        enum answer next = conditions[i](rule, asking);
        if (next != YES)
            answer = next;
    }
    return answer;
}

const struct rule *rules_deny(const struct rules *rules, struct statement *statement,
                              const char **blind,
                              void (*logged)(struct statement *statement, const struct rule *rule))
{
    struct asking asking = {.rules = rules, .statement = statement};
    if (rules)
        statement->trusted_routines = &rules->trusted_routines;
    const struct rule *denying = NULL;
    for (size_t i = 0; rules && i < rules->count && !denying; i++) {
        if (is_far(&rules->gists[i], statement))
            continue;
        const struct rule *rule = &rules->rules[i];
        enum answer answer = ask(rule, &asking);
        if (answer == NO || (answer == BLIND && rule->blind_passes))
            continue;
        if (rule_limits(rule)) {
            if (statement->limited)
                statement->limited(statement, rule);
            continue;
        }
        *blind = answer == BLIND ? asking.blind : NULL;
        if (!rule->log_only)
            denying = rule;
        else if (logged)
            logged(statement, rule);
    }
    pcre2_match_data_free(asking.matched);
    return denying;
}

enum firewall_mode rules_mode(const struct rules *rules, weir_string account,
                              enum firewall_mode global)
{
    for (size_t i = 0; rules && i < rules->mode_count; i++)
        if (text_list_matches(&rules->modes[i].accounts, account, 0))
            return rules->modes[i].mode;
    return global;
}

enum firewall_mode rules_strictest_mode(const struct rules *rules, enum firewall_mode global)
{
    enum firewall_mode strictest = global;
    for (size_t i = 0; rules && i < rules->mode_count; i++)
        if (rules->modes[i].mode > strictest)
            strictest = rules->modes[i].mode;
    return strictest;
}

/* ---- Life ---- */

/* What texts that fit the pattern can begin with. */
static uint32_t letters_of(const char *pattern)
{
    bool is_any = *pattern == '*' || *pattern == '?' || *pattern == '\0';
    return is_any ? UINT32_MAX : letter_bit(*pattern);
}

/* A pattern of tables has a dot: rules_file.c checks it. In ".t" the schema is empty. */
static void make_gist(const struct rule *rule, struct rule_gist *gist)
{
    for (size_t i = 0; i < rule->kinds.count; i++)
        gist->kinds |= letters_of(rule->kinds.items[i]);
    if (rule->missing_where && !rule->kinds.count)
        gist->kinds = letter_bit('U') | letter_bit('D');
    bool fits = rule->tables.count <= GIST_TABLES;
    gist->table_count = fits ? (uint32_t)rule->tables.count : 0;
    for (uint32_t i = 0; i < gist->table_count; i++) {
        const char *pattern = rule->tables.items[i], *dot = strchr(pattern, '.');
        gist->tables[i].schema = dot == pattern ? UINT32_MAX : letters_of(pattern);
        gist->tables[i].name = dot ? letters_of(dot + 1) : UINT32_MAX;
    }
}

bool rules_have_condition(const struct rule *rule)
{
    size_t listed = 0;
#define X(member, key) listed += rule->member.count;
    RULE_LISTS(X)
#undef X
    return listed || rule->rate || rule->sessions_over != WEIR_ABSENT || rule->regex ||
           rule->without_tls || rule->missing_where || rule->tables_unknown ||
           rule->digest_inexact || rule->statements_over != WEIR_ABSENT;
}

bool rules_ask_sessions(const struct rules *rules)
{
    return rules && rules->ask_sessions;
}

bool rules_deny_something(const struct rules *rules)
{
    bool found = false;
    for (size_t i = 0; rules && i < rules->count; i++)
        found = found || !rules->rules[i].log_only;
    return found;
}

bool rules_prepare(struct rules *rules)
{
    rules->gists = calloc(rules->count ? rules->count : 1, sizeof *rules->gists);
    bool ok = rules->gists != NULL;
    for (size_t i = 0; ok && i < rules->count; i++) {
        struct rule *rule = &rules->rules[i];
        make_gist(rule, &rules->gists[i]);
        rules->ask_sessions = rules->ask_sessions || rule->sessions_over != WEIR_ABSENT;
        if (rule->rate && !rule->rates)
            rule->rates = rates_new(rule->rate, rule->burst);
        ok = !rule->rate || rule->rates;
    }
    return ok;
}

bool rules_compile(struct rules *rules, struct rule *rule, const char *pattern, struct error *error)
{
    int code;
    PCRE2_SIZE offset;
    pcre2_code *regex = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                      PCRE2_UTF | PCRE2_DOTALL, &code, &offset, NULL);
    if (!regex) {
        PCRE2_UCHAR words[200] = "";
        pcre2_get_error_message(code, words, sizeof words);
        error_set(error, "%s, at byte %zu", (char *)words, (size_t)offset);
        return false;
    }
    pcre2_code_free(rule->regex);
    rule->regex = regex;
    rule->has_jit = pcre2_jit_compile(regex, PCRE2_JIT_COMPLETE) == 0;
    if (!rules->limits)
        rules->limits = pcre2_match_context_create(NULL);
    if (rules->limits)
        pcre2_set_match_limit(rules->limits, REGEX_STEPS);
    else
        error_set(error, "out of memory");
    return rules->limits != NULL;
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
        free(rule->message);
        rates_free(rule->rates);
#define X(member, key) free_list(&rule->member);
        RULE_LISTS(X)
#undef X
        pcre2_code_free(rule->regex);
    }
    for (size_t i = 0; rules && i < rules->mode_count; i++)
        free_list(&rules->modes[i].accounts);
    if (rules) {
        pcre2_match_context_free(rules->limits);
        free_list(&rules->trusted_routines);
        free_list(&rules->warnings);
        free(rules->gists);
        free(rules->rules);
        free(rules->modes);
    }
    free(rules);
}
