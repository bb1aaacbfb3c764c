/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions that clients call by SELECT, with MySQL's names and answers: "OK", or "ERROR: " and
 * a sentence. */
#ifndef AUDIT_LOG_FUNCTIONS_H
#define AUDIT_LOG_FUNCTIONS_H

#include "journal.h"

weir_verdict functions_call(struct journal *journal, weir_session *session, weir_call *call);

#endif
