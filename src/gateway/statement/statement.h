/* SPDX-License-Identifier: Apache-2.0
 *
 * statement: what plugins see of a session: who it is, what it runs, how that ended.
 *
 *   environment.h        what a session is given by the process that runs it
 *   metrics.h            what the gateway counts
 *   observed.h           a session as plugins observe it
 *   command.h            a command: its text, its statements, its prepared statement
 *   events.h             the events around a command, and those of the connection
 *   facts.h              the facts that a handle shows; the only place where they are set
 *   limits.h             what plugins allow a reply to be
 *   memo.h               facts that cost something: computed once, kept with the statement
 *   session_identity.h   user, account, roles, database, and the mode in which texts are lexed
 *   tracking.h           what the backend reports to have changed of these
 *   prepared.h           prepared statements by id; execute_parameters.h: their values
 *
 * Nothing here does I/O, and nothing calls up: events come back with a verdict, and the caller acts
 * on it. Everything of one session is touched by one thread at a time. */
#ifndef WEIR_GATEWAY_STATEMENT_STATEMENT_H
#define WEIR_GATEWAY_STATEMENT_STATEMENT_H

#include "gateway/statement/command.h"
#include "gateway/statement/environment.h"
#include "gateway/statement/events.h"
#include "gateway/statement/facts.h"
#include "gateway/statement/limits.h"
#include "gateway/statement/metrics.h"
#include "gateway/statement/observed.h"
#include "gateway/statement/prepared.h"
#include "gateway/statement/session_identity.h"
#include "gateway/statement/tracking.h"

#endif
