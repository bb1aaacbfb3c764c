/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: what SET statements change of the session's mode and roles. */
#ifndef WEIR_SQL_EFFECTS_H
#define WEIR_SQL_EFFECTS_H

#include "sql/session.h"
#include "sql/settings.h"

/* Sets one of the effects, and with it whether the mode is sure. */
void sql_effects_set_flags(struct sql_effects *effects, enum sql_change change);
void sql_effects_set_charset(struct sql_effects *effects, enum sql_change change);
void sql_effects_set_database(struct sql_effects *effects, struct sql_database database);
/* Whatever the text does not tell. */
void sql_effects_lose_mode(struct sql_effects *effects);
void sql_effects_lose_all(struct sql_effects *effects);

/* Reads all assignments of a SET or SET STATEMENT, up to the end or FOR. in_block: names and words
 * may be variables of a routine. Returns how many there were. */
size_t sql_effects_of_settings(struct sql_effects *effects, struct sql_settings *settings,
                               bool in_block);

/* The same of SET ROLE, SET PASSWORD and their like, which other assignments may follow. */
void sql_effects_of_other_set(struct sql_effects *effects, enum sql_kind kind,
                              struct sql_span statement, const struct sql_mode *mode);

#endif
