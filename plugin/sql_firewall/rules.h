/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of sql_firewall: what a file says, and whether it denies a statement. The same code
 * runs in the plugin and in weir-firewall, which is a host of its own for it: rules ask for facts
 * with nothing but <weir/plugin.h>.
 *
 * A rule has conditions, all of which must hold. A condition can be blind: the text of an EXECUTE
 * IMMEDIATE @x is not known before it runs, the digest of a text can mean something else in the
 * session's sql_mode, and the session's account, database, sql_mode or character set may not be
 * known. A rule that is blind to a statement denies it, unless it says blind = "pass".
 */
#ifndef SQL_FIREWALL_RULES_H
#define SQL_FIREWALL_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/check.h>
#include <weir/error.h>
#include <weir/plugin.h>

/* As the values of the variable sql_firewall_mode, in their order. */
#define FIREWALL_MODES(X) X(OFF) X(RECORDING) X(DETECTING) X(PROTECTING)
enum firewall_mode {
#define X(name) FIREWALL_##name,
    FIREWALL_MODES(X) FIREWALL_MODE_COUNT
#undef X
};
extern const char *const firewall_mode_names[FIREWALL_MODE_COUNT];

#define RULE_MESSAGE_BYTES 480 /* of an error of a rule's own, with its end */
#define RULE_RATE_MOST     1000000

struct statement;

struct text_list {
    char **items;
    size_t count;
};

/* Whether the text matches one of the patterns; flags: PATTERN_*, of weir/pattern.h. */
bool text_list_matches(const struct text_list *list, weir_string text, unsigned flags);

/* X(member, key): a rule's conditions that are lists of patterns, in which * and ? are wild. Letter
 * case matters in accounts and certificates alone. */
#define RULE_LISTS(X)                                                                              \
    X(accounts, "accounts")               /* of current_user(): "app@%" */                         \
    X(except_accounts, "except_accounts") /* never these */                                        \
    X(except_subjects, "except_subjects") /* never who shows a certificate of these */             \
    X(except_issuers, "except_issuers")   /* ... issued by these */                                \
    X(kinds, "kinds")                     /* of the statement or a part of it; both names count */ \
    X(commands, "commands")               /* of the protocol: "Query", "Binlog Dump" */            \
    X(tables, "tables")                   /* "schema.table" */                                     \
    X(routines, "routines")               /* "schema.routine": what the statement calls */         \
    X(digests, "digests")

/* X(word, enumerator, bit): what a rate is counted for. */
#define RULE_RATE_KEYS(X)  X("account", RULE_PER_ACCOUNT, 1U) X("digest", RULE_PER_DIGEST, 2U)
#define X(word, name, bit) name = (bit),
enum { RULE_RATE_KEYS(X) };
#undef X

struct rule {
    char *name;
#define X(member, key) struct text_list member;
    RULE_LISTS(X)
#undef X
    uint32_t access;          /* WEIR_TABLE_*, of tables; any of them */
    void *regex;              /* a compiled pattern; NULL: none */
    bool has_jit;             /* it is machine code; otherwise it is interpreted */
    bool without_tls;         /* of a session that has none */
    bool missing_where;       /* an UPDATE or DELETE without */
    bool tables_unknown;      /* tables_known = false */
    bool digest_inexact;      /* digest_exact = false */
    uint64_t statements_over; /* more in one command; WEIR_ABSENT: no matter */
    uint64_t sessions_over;   /* of the account; WEIR_ABSENT: no matter */
    uint64_t rate, burst;     /* statements a second, and at once; 0: not given */
    uint64_t rows_over, bytes_over, seconds_over; /* of its reply, which ends there; 0: any */
    unsigned per;        /* RULE_PER_*: what the rate is of; 0: not given */
    struct rates *rates; /* owned; NULL: no rate */
    char *message;       /* what the client reads; NULL: the usual */
    bool log_only, blind_passes;
    unsigned line; /* of the file */
};

/* What of a rule speaks against most statements, in one place: a server's caches are cold, and rules
 * are far apart. Letters are bits (statement.h). */
#define GIST_TABLES 4
struct rule_gist {
    uint32_t kinds;       /* a kind must begin with one of them; 0: any kind will do */
    uint32_t table_count; /* 0: any table will do, or there are more than GIST_TABLES patterns */
    struct {
        uint32_t schema, name; /* what a table must begin with to fit one of the patterns */
    } tables[GIST_TABLES];
};

/* Accounts with a mode of their own; the first that fits counts. */
struct account_mode {
    struct text_list accounts;
    enum firewall_mode mode;
};

struct rules {
    struct rule *rules;
    struct rule_gist *gists; /* of each rule */
    size_t count;
    struct account_mode *modes;
    size_t mode_count;
    struct text_list trusted_routines; /* whose tables need not be known */
    bool refuse_unknown_accounts;
    bool ask_sessions;         /* of rules_prepare() */
    struct text_list warnings; /* "FILE:LINE: what may be wrong" */
    void *limits;              /* of matching; NULL: no rule has a regex */
};

/* Reads a file. Returns owned (rules_free), or NULL and "FILE:LINE: what is wrong". */
WEIR_MUST_CHECK struct rules *rules_read(const char *path, struct error *error);
/* The same from memory; name stands for the file. */
WEIR_MUST_CHECK struct rules *rules_parse(weir_string text, const char *name, struct error *error);
void rules_free(struct rules *rules);

/* Whether the rule asks for anything; one that does not denies every statement. */
bool rules_have_condition(const struct rule *rule);

/* Whether the rule denies nothing at once, but limits the reply. */
static inline bool rule_limits(const struct rule *rule)
{
    return rule->rows_over || rule->bytes_over || rule->seconds_over;
}

/* Whether some rule denies or limits, rather than logs. rules may be NULL. */
bool rules_deny_something(const struct rules *rules);

/* Compiles the pattern of a rule. False and what is wrong. It is freed with the rules. */
WEIR_MUST_CHECK bool rules_compile(struct rules *rules, struct rule *rule, const char *pattern,
                                   struct error *error);

/* Whether some rule asks for the number of sessions. rules may be NULL. */
bool rules_ask_sessions(const struct rules *rules);

/* Makes rules ready to be asked, when all are there. False: no memory. */
WEIR_MUST_CHECK bool rules_prepare(struct rules *rules);

/* The mode that the rules give the account; otherwise `global`. rules may be NULL in these three. */
enum firewall_mode rules_mode(const struct rules *rules, weir_string account,
                              enum firewall_mode global);

/* The mode of an account that is not known: the strictest that an account can have. */
enum firewall_mode rules_strictest_mode(const struct rules *rules, enum firewall_mode global);

/* The first rule that denies the statement; before it, statement->limited is called with those that limit its
 * reply. Those that only log are passed to `logged`, which may be
 * NULL. *blind: why the rule is blind to it, in words; NULL: it is not. NULL: none denies it. */
const struct rule *rules_deny(const struct rules *rules, struct statement *statement,
                              const char **blind,
                              void (*logged)(struct statement *statement, const struct rule *rule));

#endif
