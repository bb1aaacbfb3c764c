/* SPDX-License-Identifier: Apache-2.0
 *
 * sql: statements as text. Splits a text into statements, tells their kind, takes apart those that
 * a gateway acts upon. Pure functions on bytes that the caller owns: no allocation, no locks, any
 * thread, any bytes; time in proportion to the text's length, a small constant stack.
 *
 * Every function takes the session's struct sql_mode (mode.h), because what a text says depends on
 * it. */
#ifndef WEIR_SQL_SQL_H
#define WEIR_SQL_SQL_H

#include "sql/digest.h"
#include "sql/kind.h"
#include "sql/mode.h"
#include "sql/recognise.h"
#include "sql/settings.h"
#include "sql/split.h"
#include "sql/tables.h"

#endif
