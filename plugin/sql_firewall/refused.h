/* SPDX-License-Identifier: Apache-2.0
 *
 * What allow-lists have refused lately, or would have, so that an administrator who finds its digest in
 * the log can allow it: the keys that were not on the list, with their databases. */
#ifndef SQL_FIREWALL_REFUSED_H
#define SQL_FIREWALL_REFUSED_H

#include <stdbool.h>
#include <weir/plugin.h>

#include "allow_list.h"

#define REFUSED_KEPT 1024 /* keys; the oldest go */

/* Remembers a key of the statement that has the digest; without memory for it nothing. Any thread. */
void refused_note(weir_string account, const uint8_t digest[KEY_BYTES], const struct key *key);

enum refused_answer {
    REFUSED_FOUND,
    REFUSED_UNKNOWN, /* no such one was refused, as far as is remembered */
    REFUSED_SEVERAL, /* several texts have the digest: which of them is meant? */
    REFUSED_FAILED   /* `each` has said no */
};

/* Calls for each key of the account's statements that have the digest, in the database, or if that is
 * absent in whichever. No lock is held meanwhile, and keys are copies. */
enum refused_answer refused_each(weir_string account, const uint8_t digest[KEY_BYTES],
                                 weir_string database,
                                 bool (*each)(void *data, const struct key *key), void *data);

void refused_clear(void); /* nobody else may be in this file */

#endif
