/* SPDX-License-Identifier: Apache-2.0
 *
 * In which database a session's statements are to be looked for on a list, where that is another
 * than the session's at the moment: names in a prepared statement were resolved when it was
 * prepared, and a statement that is learned when it has ended may have changed the database.
 *
 * They are kept as the session's data, made when there is something to remember. A callback's
 * thread only. */
#ifndef SQL_FIREWALL_PLACES_H
#define SQL_FIREWALL_PLACES_H

#include <stdbool.h>
#include <stdint.h>
#include <weir/check.h>
#include <weir/plugin.h>

#include "crowd.h"

/* A prepared statement, or one that has begun: the database of each. */
enum place_sort { PLACE_PREPARED, PLACE_BEGUN };

/* Remembers the database under the prepared statement's id, or the statement's number, in the place of
 * an older one. An absent database is remembered as not known. False: no memory, and nothing is. */
bool places_put(weir_session *session, enum place_sort sort, uint64_t number, weir_string database);

/* The database, borrowed until the next call; absent: it is not known, or nothing was remembered. */
weir_string places_find(const weir_session *session, enum place_sort sort, uint64_t number);

/* Where the session stands among those of its account; made when it is not there. NULL: no memory. The
 * other one makes nothing: NULL: there is none. */
struct crowd_place *places_make_crowd(weir_session *session);
const struct crowd_place *places_crowd(const weir_session *session);

void places_drop(const weir_session *session, enum place_sort sort, uint64_t number);

/* All prepared statements are gone. */
void places_drop_prepared(const weir_session *session);

/* The session has ended. */
void places_free(weir_session *session);

#endif
