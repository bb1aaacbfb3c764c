/* SPDX-License-Identifier: Apache-2.0
 *
 * sql: statements as text. Splits a text into statements; tells their kind, digest and tables;
 * takes apart those that a gateway acts upon; writes prepared ones out with their parameters. Pure
 * functions on bytes that the caller owns: any bytes, any thread, no locks, time in proportion to
 * the text's length, a bounded stack, and memory only in the objects whose headers say so
 * (digest.h, tables.h).
 *
 * Every function takes the session's struct sql_mode (mode.h), because what a text says depends on
 * it; only the digest, which is TiDB's, does not. */
#ifndef WEIR_SQL_SQL_H
#define WEIR_SQL_SQL_H

#include "sql/calls.h"
#include "sql/cursor.h"
#include "sql/diagnostics.h"
#include "sql/digest.h"
#include "sql/expand.h"
#include "sql/kill.h"
#include "sql/kind.h"
#include "sql/literal.h"
#include "sql/mode.h"
#include "sql/named.h"
#include "sql/parts.h"
#include "sql/quote.h"
#include "sql/reading.h"
#include "sql/recognise.h"
#include "sql/redact.h"
#include "sql/runs.h"
#include "sql/session.h"
#include "sql/settings.h"
#include "sql/split.h"
#include "sql/tables.h"
#include "sql/variables.h"

#endif
