/* SPDX-License-Identifier: Apache-2.0
 *
 * The statements that a gateway must act upon itself, recognised and taken apart. Each function
 * answers false for anything else after a look at the first word or two. Spans point into the
 * statement, which is borrowed; names are as written, without their quotes (doubled quotes inside
 * are not undone). Pure, no allocation. A statement may be hidden in an executable comment as
 * anywhere. */
#ifndef WEIR_SQL_RECOGNISE_H
#define WEIR_SQL_RECOGNISE_H

#include "base/base.h"
#include "sql/cursor.h"
#include "sql/mode.h"

/* SET ROLE name | NONE: the role's name; NONE is an empty span. */
WEIR_MUST_CHECK bool sql_set_role(struct sql_span statement, const struct sql_mode *mode,
                                  struct sql_span *role);

#endif
