/* SPDX-License-Identifier: Apache-2.0
 *
 * Login, and the exchange of a COM_CHANGE_USER: from the greeting to AUTHENTICATED, and what a
 * client reports when the connection ends before that.
 *
 * What a client reports only when it answers (the method of a switch) is kept in switched_to until
 * the client has answered. */
#include "trace/protocol/report.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "trace/protocol/emit.h"

enum { CLIENT_VERSION = 10 }; /* of the protocol */

/* caching_sha2_password's replies to a scramble. */
enum { FAST_ENOUGH = 3, WANTS_PASSWORD = 4 };

void report_set_text(char **slot, struct wire_string text)
{
    free(*slot);
    *slot = text.data ? strndup(text.data, text.size) : NULL;
}

const char *report_method_name(struct trace_conversation *c, struct wire_string name)
{
    if (!name.data)
        return "caching_sha2_password";
    strbuf_reset(&c->scratch);
    strbuf_add(&c->scratch, name.data, name.size);
    return c->scratch.data;
}

/* Reports the greeting as the library leaves it: the first part of the scramble is copied before the
 * second, over the reserved bytes, where plugins find both in one piece. Returns false if there is
 * no room for the second part and its NUL: the library considers that greeting damaged. */
static bool show_greeting(struct trace_conversation *c, const struct wire_packet *packet)
{
    enum { FIRST_PART = 8, SERVER_FACTS = 18, SECOND_PART = 13 }; /* bytes */
    const uint8_t *nul = memchr(packet->payload, 0, packet->payload_size);
    size_t facts = nul ? (size_t)(nul - packet->payload) + 1 + 4 + FIRST_PART + 1 : SIZE_MAX;
    if (facts > packet->payload_size || packet->payload_size - facts < SERVER_FACTS + SECOND_PART)
        return false;
    strbuf_reset(&c->scratch);
    strbuf_add(&c->scratch, packet->payload, packet->payload_size);
    if (!c->scratch.failed) {
        char *start = c->scratch.data + facts;
        memcpy(start + SERVER_FACTS - FIRST_PART, start - 1 - FIRST_PART, FIRST_PART);
    }
    emit_packet(c, TRACE_EVENT_INIT_PACKET_RECEIVED, (const uint8_t *)c->scratch.data,
                c->scratch.size);
    return true;
}

void report_greeting(struct trace_conversation *c, const struct wire_packet *packet)
{
    struct wire_greeting greeting;
    emit_received(c, packet);
    if (wire_decode_greeting(packet->payload, packet->payload_size, &greeting)) {
        c->facts.changes++;
        c->facts.thread_id = greeting.connection_id;
        report_set_text(&c->facts.server_version, greeting.server_version);
        if (show_greeting(c, packet))
            return;
    }
    if (packet->payload_size > 0 && packet->payload[0] != CLIENT_VERSION)
        emit_error(c, CR_VERSION, "Protocol mismatch; server version = %d, client version = %d",
                   packet->payload[0], CLIENT_VERSION);
    else
        emit_error(c, CR_MALFORMED, "Malformed packet");
    emit(c, TRACE_EVENT_DISCONNECTED);
}

void report_ssl_request(struct trace_conversation *c, const struct wire_packet *packet)
{
    emit_packet(c, TRACE_EVENT_SEND_SSL_REQUEST, packet->payload, packet->payload_size);
    c->stage = PROTOCOL_STAGE_SSL_NEGOTIATION;
    emit(c, TRACE_EVENT_SSL_CONNECT);
    c->in_tls = true;
    c->opaque = c->options.tls_is_opaque;
}

void report_handshake_response(struct trace_conversation *c, const struct wire_packet *packet)
{
    struct wire_handshake_response response = {0};
    wire_decode_handshake_response(packet->payload, packet->payload_size, &response);
    c->facts.changes++;
    report_set_text(&c->facts.user, response.user);
    report_set_text(&c->facts.database, response.database);
    if (c->in_tls) {
        c->stage = PROTOCOL_STAGE_SSL_NEGOTIATION;
        emit(c, TRACE_EVENT_SSL_CONNECTED);
    }
    c->stage = PROTOCOL_STAGE_AUTHENTICATE;
    emit_method(c, report_method_name(c, response.plugin));
    emit_sent(c, TRACE_EVENT_SEND_AUTH_RESPONSE, packet);
}

/* The client follows a switch of the method that the server asked for. */
static void accept_switch(struct trace_conversation *c)
{
    if (c->switched_to.size > 0)
        emit_method(c, c->switched_to.data);
    strbuf_reset(&c->switched_to);
}

void report_auth_packet(struct trace_conversation *c, const struct wire_packet *packet)
{
    struct wire_auth_switch request;
    accept_switch(c);
    if (packet->payload_size == 0) {
        report_lost(c);
        return;
    }
    emit_received(c, packet);
    c->fast_result = packet->payload_size == 2 && packet->payload[0] == 1 ? packet->payload[1] : 0;
    if (packet->kind == WIRE_AUTH_SWITCH &&
        wire_decode_auth_switch(packet->payload, packet->payload_size, &request)) {
        strbuf_add(&c->switched_to, request.plugin.data, request.plugin.size);
        c->switch_is_bare = packet->payload_size == 1;
        c->switches++;
    }
}

void report_auth_data(struct trace_conversation *c, const struct wire_packet *packet)
{
    accept_switch(c);
    c->fast_result = 0;
    emit_sent(c, TRACE_EVENT_SEND_AUTH_DATA, packet);
}

void report_auth_end(struct trace_conversation *c, const struct wire_packet *packet)
{
    bool in_login = packet->command == WIRE_NO_COMMAND;
    accept_switch(c);
    emit_reply(c, packet);
    c->switches = 0;
    c->fast_result = 0;
    if (packet->kind == WIRE_OK) {
        emit(c, TRACE_EVENT_AUTHENTICATED);
    } else if (in_login) {
        c->stage = PROTOCOL_STAGE_READY_FOR_COMMAND;
        emit(c, TRACE_EVENT_DISCONNECTED);
    }
}

/* Why a client leaves a greeting, or a switch, unanswered. */
static void emit_missing_method(struct trace_conversation *c)
{
    const char *method = c->switched_to.data;
    if (c->tracker.response_seen && c->switch_is_bare)
        emit_error(c, CR_MALFORMED, "Malformed packet");
    else if (c->tracker.response_seen)
        emit_error(c, CR_CANNOT_LOAD, "Authentication plugin '%s' cannot be loaded%s", method,
                   strcmp(method, "mysql_clear_password") == 0 ? ": plugin not enabled" : "");
    else if (c->tracker.server_capabilities & WIRE_CAP(CLIENT_SSL))
        emit_error(c, CR_CANNOT_LOAD, "Authentication plugin cannot be loaded");
    else
        emit_error(c, CR_SSL,
                   "SSL connection error: SSL is required but the server doesn't support it");
}

/* What a client reports when the exchange of its login (or change of user) is cut off. */
void report_end_in_authentication(struct trace_conversation *c)
{
    if (c->switched_to.size > 0 && c->switches > 1)
        emit(c, TRACE_EVENT_AUTHENTICATED); /* the library reports it before it parses the packet */
    else if (!c->tracker.response_seen || c->switched_to.size > 0)
        emit_missing_method(c);
    else if (c->fast_result == WANTS_PASSWORD)
        emit_error(c, CR_AUTH_PLUGIN,
                   "Authentication plugin 'caching_sha2_password' reported error: "
                   "Authentication requires secure connection.");
    else if (wire_tracker_expects_client_data(&c->tracker) && c->fast_result != FAST_ENOUGH)
        emit_error(c, CR_AUTH_PLUGIN, "Authentication plugin reported an error");
    else
        emit(c, TRACE_EVENT_READ_PACKET);
}
