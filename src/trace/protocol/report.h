/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the room: which events a client library reports for a conversation's packets, for its
 * beginning and for its end.
 *
 * conversation.c cuts bytes into packets, each in its turn; report.c turns them into events, with
 * report_login.c for login and COM_CHANGE_USER. All work on the one struct trace_conversation.
 * Once the conversation is over only report_end() may be called, and it does nothing. */
#ifndef WEIR_TRACE_REPORT_H
#define WEIR_TRACE_REPORT_H

#include "trace/protocol/conversation.h"

/* CONNECTING and CONNECTED. Leaves the stage in which the greeting is due. */
void report_begin(struct trace_conversation *c);

/* A packet that the tracker has just shown; sets the stage that it leads to. was_auth: the tracker
 * expected authentication data before it. */
void report_packet(struct trace_conversation *c, const struct wire_packet *packet, bool was_auth);

/* The server's bytes are not the protocol: a client that reads loses its connection. */
void report_lost(struct trace_conversation *c);

/* The connection is closed: reports what a client would, and DISCONNECTED. */
void report_end(struct trace_conversation *c);

/* ---- report_login.c ---- */

void report_greeting(struct trace_conversation *c, const struct wire_packet *packet);
void report_ssl_request(struct trace_conversation *c, const struct wire_packet *packet);
void report_handshake_response(struct trace_conversation *c, const struct wire_packet *packet);
void report_auth_packet(struct trace_conversation *c, const struct wire_packet *packet);
void report_auth_data(struct trace_conversation *c, const struct wire_packet *packet);

/* The server accepts or refuses. */
void report_auth_end(struct trace_conversation *c, const struct wire_packet *packet);

/* The connection ended during login or COM_CHANGE_USER. */
void report_end_in_authentication(struct trace_conversation *c);

/* Replaces a text of the conversation's facts; NULL when there is none, or no memory. */
void report_set_text(char **slot, struct wire_string text);

/* The method that a client names, or the one it uses when it names none. NUL-terminated, valid until
 * scratch is used again. */
const char *report_method_name(struct trace_conversation *c, struct wire_string name);

#endif
