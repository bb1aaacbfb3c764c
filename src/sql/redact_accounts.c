/* SPDX-License-Identifier: Apache-2.0
 *
 * CREATE USER a 'pw' is an error to the server, and a password all the same. After the name of an
 * account no literal can come but in the clauses that release it (REQUIRE SUBJECT 'x', COMMENT 'x');
 * the others are taken for passwords. A state machine over words, names and marks. */
#include "sql/redact_accounts.h"

#include "sql/charset.h"
#include "sql/redact_words.h"

/* The words that may stand right after an account. */
static bool begins_clause(struct sql_span word)
{
    static const char *const clauses[] = {"default", "add",  "drop", "modify", "discard",
                                          "set",     "none", "all",  "except", NULL};
    return redact_word(word) != REDACT_OTHER || redact_is_one_of(word, clauses);
}

static bool is_word_of_create(struct sql_span word)
{
    static const char *const words[] = {"or", "replace", "if", "not", "exists", NULL};
    return redact_is_one_of(word, words);
}

enum redact_place redact_place_after_word(enum redact_place place, struct sql_span word)
{
    static const char *const changing[] = {"create", "alter", "replace", NULL};
    switch (place) {
    case REDACT_ELSEWHERE:
        return sql_span_is(word, "grant")         ? REDACT_GRANTING
               : redact_is_one_of(word, changing) ? REDACT_CHANGES
                                                  : REDACT_ELSEWHERE;
    case REDACT_GRANTING:
        return sql_span_is(word, "to") ? REDACT_ACCOUNT_DUE : REDACT_GRANTING;
    case REDACT_CHANGES:
        return redact_is_nearly_user(word) ? REDACT_ACCOUNT_DUE
               : is_word_of_create(word)   ? REDACT_CHANGES
                                           : REDACT_ELSEWHERE;
    case REDACT_ACCOUNT_DUE:
        return is_word_of_create(word) ? REDACT_ACCOUNT_DUE : REDACT_ACCOUNT_READ;
    case REDACT_ACCOUNT_READ:
    case REDACT_IN_CLAUSES:
        if (sql_span_is(word, "role")) /* DEFAULT ROLE r */
            return REDACT_ACCOUNT_DUE;
        return redact_word(word) == REDACT_RELEASE ? REDACT_ELSEWHERE : REDACT_IN_CLAUSES;
    }
    return place;
}

bool redact_begins_accounts(struct sql_span before, struct sql_span word)
{
    const enum redact_place place =
        before.at ? redact_place_after_word(REDACT_ELSEWHERE, before) : REDACT_ELSEWHERE;
    const enum redact_place after = redact_place_after_word(place, word);
    return after == REDACT_GRANTING || after == REDACT_ACCOUNT_DUE;
}

enum redact_place redact_place_after_name(enum redact_place place)
{
    return place == REDACT_ACCOUNT_DUE ? REDACT_ACCOUNT_READ : place;
}

enum redact_place redact_place_after_mark(enum redact_place place, char mark)
{
    if (mark == ';')
        return REDACT_ELSEWHERE;
    const bool goes_on = mark == ',' || mark == '@';
    return goes_on && (place == REDACT_ACCOUNT_READ || place == REDACT_IN_CLAUSES)
               ? REDACT_ACCOUNT_DUE
               : place;
}

bool redact_word_is_out_of_place(enum redact_place place, struct sql_span word)
{
    return place == REDACT_ACCOUNT_READ && !begins_clause(word);
}
