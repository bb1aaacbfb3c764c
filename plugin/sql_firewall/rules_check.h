/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds what of a rule can never hold, and what holds for everything: whoever writes a rule means
 * it to deny something. What is surely wrong is an error, what might be is a warning. */
#ifndef SQL_FIREWALL_RULES_CHECK_H
#define SQL_FIREWALL_RULES_CHECK_H

#include "rules.h"

/* Each returns 0, or -1 and what is wrong. */

/* Patterns of names that there must be; nothing is wrong where the host cannot tell them. */
WEIR_MUST_CHECK int rules_check_names(const struct text_list *patterns, weir_name_list names,
                                      const char *what, struct error *error);
WEIR_MUST_CHECK int rules_check_digests(const struct text_list *patterns, struct error *error);
/* what: "table", "routine". */
WEIR_MUST_CHECK int rules_check_in_schema(const struct text_list *patterns, const char *what,
                                          struct error *error);

/* A rule that has been read. */
WEIR_MUST_CHECK int rules_check_whole(const struct rule *rule, struct error *error);

/* A regex that has been compiled. *warning: what in it matches nothing, in words; empty: nothing. */
WEIR_MUST_CHECK int rules_check_regex(const char *pattern, const void *regex, struct error *error,
                                      struct error *warning);

#endif
