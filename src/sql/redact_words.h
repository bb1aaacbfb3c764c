/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: which words of a statement say that a secret is near, also with a slip of the
 * keyboard in them. */
#ifndef WEIR_SQL_REDACT_WORDS_H
#define WEIR_SQL_REDACT_WORDS_H

#include "sql/mode.h"

enum redact_word {
    REDACT_OTHER,
    REDACT_PASSWORD,   /* PASSWORD, MASTER_PASSWORD, ...: what comes after it may be one */
    REDACT_IDENTIFIED, /* IDENTIFIED: what comes after it is one, unless other words say no */
    REDACT_LEADING,    /* BY, AS, USING, ...: then it is one */
    REDACT_PLUGIN,     /* WITH, VIA, OR, AND: then it is the name of a plugin */
    REDACT_FUNCTION,   /* AES_ENCRYPT: its arguments are */
    REDACT_RELEASE,    /* REQUIRE, COMMENT, ...: another clause */
    REDACT_FOR,
};

/* Any case. */
enum redact_word redact_word(struct sql_span word);

/* Whether the word is a BY that follows none of the words which BY follows but for secrets: IDENTIFIED
 * has been forgotten. before.at is NULL where there is no word before. */
bool redact_is_lonely_by(struct sql_span before, struct sql_span word);

/* USER, also with a slip of the keyboard; for what follows CREATE or ALTER. */
bool redact_is_nearly_user(struct sql_span word);

/* Of a list that ends with NULL. */
bool redact_is_one_of(struct sql_span word, const char *const *names);

#endif
