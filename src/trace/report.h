/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: what is reported of a conversation's packets, of its beginning and its end.
 *
 * conversation.c cuts bytes into packets, each in its turn; report.c turns them into events. Both
 * work on the one struct trace_conversation; nothing here is called once it is over, except
 * trace_report_end(), which then does nothing. */
#ifndef WEIR_TRACE_REPORT_H
#define WEIR_TRACE_REPORT_H

#include "trace/conversation.h"

/* CONNECTING and CONNECTED; the stage is then that of waiting for the greeting. */
void trace_report_begin(struct trace_conversation *conversation);

/* A packet that the tracker has just shown, and the stage that it leads to. was_auth: the tracker
 * expected authentication data before it. */
void trace_report_packet(struct trace_conversation *conversation, const struct wire_packet *packet,
                         bool was_auth);

/* The connection is lost to a client that reads: the server's bytes are not the protocol. */
void trace_report_lost(struct trace_conversation *conversation);

/* The connection is closed. */
void trace_report_end(struct trace_conversation *conversation);

#endif
