/* SPDX-License-Identifier: Apache-2.0
 *
 * Written conversations: what goes over a connection, and what the tracker must say about it.
 *
 *     "C0 03 'select 1'   => command Query"
 *     "S1 01              => column_count Query"
 *
 * A line is one frame: who sends it, its sequence number, its payload (hex bytes, 'text', N*xx for
 * N times a byte), and behind "=>" what the tracker shows for it. A frame without "=>" shows
 * nothing. What is shown ends with
 * "+" when the packet ends a result, and with "." when it ends the reply. "BROKEN text" ends a
 * conversation.
 *
 * Every conversation is fed whole, byte by byte, and cut at random places; each input ends at a
 * page that cannot be read. */
#ifndef WEIR_TESTS_WIRE_CONVERSATION_H
#define WEIR_TESTS_WIRE_CONVERSATION_H

#include "wire/wire.h"

struct conversation {
    const char *lines; /* separated by newlines */
    bool login;        /* starts with the greeting; else behind a login with `capabilities` */
    uint64_t capabilities;
    uint32_t wanted;     /* 0: everything */
    const char *results; /* one line a result: "rows=2 affected=1 ..."; NULL: not looked at */
    size_t keep_limit;   /* 0: 1 MiB */
    bool client_may_give_up;
};

/* Fails the test when the tracker says anything else. */
void converse(const struct conversation *conversation);

/* Turns a line's payload into bytes, without a header; appends to out. */
void parse_payload(const char *text, struct strbuf *out);

/* What most tests negotiate. */
#define CLASSIC                                                                                    \
    (WIRE_CAP(CLIENT_PROTOCOL_41) | WIRE_CAP(CLIENT_PLUGIN_AUTH) |                                 \
     WIRE_CAP(CLIENT_SECURE_CONNECTION) | WIRE_CAP(CLIENT_MULTI_RESULTS))
#define MODERN (CLASSIC | WIRE_CAP(CLIENT_DEPRECATE_EOF) | WIRE_CAP(CLIENT_SESSION_TRACK))

#endif
