/* SPDX-License-Identifier: Apache-2.0
 *
 * From the bytes of one connection to the events of MySQL's protocol tracing.
 *
 * Bytes of both directions go in, in the order in which they were seen. Stages and events come out
 * through a sink, in the order in which a blocking client library would have reported them: a
 * pipelined command is reported when the reply to the one before it has ended, unless it is a
 * COM_QUIT. How bytes are cut never matters. docs/trace.md lists what bytes do not show, and what is
 * assumed instead.
 *
 * Pure: no thread, no socket, no file. Any thread, one at a time. A sink must not call back into its
 * conversation. */
#ifndef WEIR_TRACE_CONVERSATION_H
#define WEIR_TRACE_CONVERSATION_H

#include <mysql/plugin_trace.h>

#include "wire/wire.h"

/* Called for each event. Returns 0 to go on; anything else ends the conversation's events.
 * args->pkt is borrowed for the call. */
typedef int trace_sink(void *context, enum protocol_stage stage, enum trace_event event,
                       const struct st_trace_event_args *args);

/* What is known of the connection so far; the texts belong to the conversation. */
struct trace_facts {
    unsigned changes;          /* of what follows, counted */
    unsigned long thread_id;   /* 0 before the greeting */
    char *server_version;      /* NULL before the greeting */
    char *user, *database;     /* NULL before the client's answer */
    unsigned int error_number; /* of the last ERROR event or ERR packet */
    char error_text[512];
    char sqlstate[6];
};

struct trace_options {
    size_t
        keep_limit; /* bytes of one packet to show at most; the tracker keeps WIRE_KEEP_MIN always */
    bool tls_is_opaque; /* bytes after a request for TLS are ciphertext (a recording), not
                           plaintext, until trace_conversation_open_tls() */
    bool is_inflated;   /* bytes come uncompressed, whatever the two sides have agreed */
};

struct trace_conversation {
    struct trace_facts facts;
    bool over;           /* nothing more is reported */
    const char *problem; /* why bytes are no longer understood, as static text; NULL: they are */
    enum protocol_stage stage;
    const struct wire_packet *packet; /* that an event is reported for; NULL: none. What it amounts
                                         to is in tracker.result */

    /* The rest is private to the room. */
    struct wire_tracker tracker;
    struct trace_options options;
    trace_sink *sink;
    void *context;
    struct inflater *inflaters[2]; /* by direction; NULL: not compressed */
    struct trace_inflated {
        struct trace_conversation *conversation;
        enum wire_direction direction;
    } inflated[2];             /* for their sinks */
    struct strbuf scratch;     /* the greeting as it is shown, names */
    struct strbuf switched_to; /* the method of a switch that the client has not answered */
    unsigned switches;         /* in this exchange */
    bool switch_is_bare;       /* one byte FE */
    uint8_t fast_result;       /* of caching_sha2_password; 0: none yet */
    bool in_tls;               /* a request for TLS was seen */
    bool opaque;               /* bytes can't be read any more: ciphertext */
    struct strbuf deferred;    /* pipelined commands whose turn has not come */
};

/* Initializes and reports CONNECTING and CONNECTED. The conversation must not be moved afterwards.
 * options are copied; context is borrowed until the release. */
void trace_conversation_begin(struct trace_conversation *conversation,
                              const struct trace_options *options, trace_sink *sink, void *context);

/* Initializes after a login that was not seen. The next bytes must be the client's, a command. */
void trace_conversation_resume(struct trace_conversation *conversation,
                               const struct trace_options *options, trace_sink *sink, void *context,
                               uint64_t server_capabilities, uint64_t client_capabilities,
                               uint16_t status);

/* Reads bytes, which are borrowed for the call. Does nothing once the conversation is over or has a
 * problem. */
void trace_conversation_bytes(struct trace_conversation *conversation,
                              enum wire_direction direction, const uint8_t *bytes, size_t size);

/* The bytes that follow are the plaintext of the TLS connection, although tls_is_opaque was set: the
 * owner can decrypt it. To be called once the request for TLS has been read. */
void trace_conversation_open_tls(struct trace_conversation *conversation);

/* The connection is closed: reports what a client reports then. A second call does nothing. */
void trace_conversation_end(struct trace_conversation *conversation);

/* Frees what the conversation owns. Reports nothing. */
void trace_conversation_release(struct trace_conversation *conversation);

#endif
