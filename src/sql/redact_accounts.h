/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: where a statement names accounts, and a literal that is none of them. */
#ifndef WEIR_SQL_REDACT_ACCOUNTS_H
#define WEIR_SQL_REDACT_ACCOUNTS_H

#include "sql/mode.h"

enum redact_place {
    REDACT_ELSEWHERE,
    REDACT_GRANTING,     /* after GRANT: accounts come after its TO */
    REDACT_CHANGES,      /* after CREATE, ALTER, REPLACE: a USER may follow */
    REDACT_ACCOUNT_DUE,  /* an account's name, or its host, comes now */
    REDACT_ACCOUNT_READ, /* it was the last thing: only the words of a clause may follow */
    REDACT_IN_CLAUSES    /* after one of those */
};

/* The place after a word, after a literal or quoted name, after any other byte. */
enum redact_place redact_place_after_word(enum redact_place place, struct sql_span word);
enum redact_place redact_place_after_name(enum redact_place place);
enum redact_place redact_place_after_mark(enum redact_place place, char mark);

/* Whether accounts follow this word, or may: CREATE USER, GRANT. before.at is NULL where there is no word before. */
bool redact_begins_accounts(struct sql_span before, struct sql_span word);

/* Whether a word here is none that could stand here: a password without quotes and without
 * IDENTIFIED BY before it. */
bool redact_word_is_out_of_place(enum redact_place place, struct sql_span word);

/* The same of a literal. */
static inline bool redact_literal_is_out_of_place(enum redact_place place)
{
    return place == REDACT_ACCOUNT_READ || place == REDACT_IN_CLAUSES;
}

#endif
