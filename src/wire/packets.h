/* SPDX-License-Identifier: Apache-2.0
 *
 * Codecs of the packets that begin a session and of those that answer commands.
 *
 * A decoder takes the payload of one logical packet (no header) and fills a struct whose strings
 * point into that payload: they live as long as it does. It returns false when the payload does not
 * hold what the packet must hold; the struct is then not to be used. Trailing bytes that a newer
 * peer may have added are ignored. An encoder appends one whole packet, header included; failure
 * (no memory) shows in writer->out->failed.
 *
 * `capabilities` are those that both sides use, because they decide the layout; where the packet
 * itself carries them, the decoder takes them from there. All functions are pure: any thread. */
#ifndef WEIR_WIRE_PACKETS_H
#define WEIR_WIRE_PACKETS_H

#include "wire/bytes.h"
#include "wire/protocol.h"

/* ---- the server's greeting (HandshakeV10) ---- */

struct wire_greeting {
    struct wire_string server_version;
    uint32_t connection_id;
    uint64_t capabilities; /* bits 32.. only when bit 0 (CLIENT_MYSQL) is clear */
    uint8_t charset;       /* low byte of the collation's number */
    uint16_t status;
    struct wire_string scramble1; /* 8 bytes */
    struct wire_string scramble2; /* 12 bytes, without its NUL; empty from ancient servers */
    struct wire_string plugin;    /* authentication plugin; data NULL without CLIENT_PLUGIN_AUTH */
};

WEIR_MUST_CHECK bool wire_decode_greeting(const uint8_t *payload, size_t size,
                                          struct wire_greeting *greeting);

/* scramble1 and scramble2 must hold 8 and 12 bytes. */
void wire_encode_greeting(struct wire_writer *writer, const struct wire_greeting *greeting);

/* ---- the client's answer ---- */

struct wire_handshake_response {
    uint64_t capabilities; /* as the client sent them; bits 32.. only when bit 0 is clear */
    uint32_t max_packet;   /* bytes */
    uint8_t charset;
    bool is_ssl_request; /* CLIENT_SSL is set and the packet ends after the charset: all below is
                            empty */
    struct wire_string user;
    struct wire_string auth_response;
    struct wire_string database;   /* data NULL: none */
    struct wire_string plugin;     /* data NULL: none */
    struct wire_string attributes; /* block for wire_attribute_next(); data NULL: none */
    uint8_t zstd_level;            /* 0: none */
};

/* Understands the old form (no CLIENT_PROTOCOL_41) too. After a failure the fields up to the damage are
 * valid, the others empty. */
bool wire_decode_handshake_response(const uint8_t *payload, size_t size,
                                    struct wire_handshake_response *response);
void wire_encode_handshake_response(struct wire_writer *writer,
                                    const struct wire_handshake_response *response);

/* Uses only capabilities, max_packet and charset. */
void wire_encode_ssl_request(struct wire_writer *writer,
                             const struct wire_handshake_response *response);

struct wire_change_user {
    struct wire_string user;
    struct wire_string auth_response;
    struct wire_string database; /* empty: none */
    uint16_t charset;
    struct wire_string plugin;     /* data NULL: none */
    struct wire_string attributes; /* data NULL: none */
};

/* payload begins with the command byte. */
WEIR_MUST_CHECK bool wire_decode_change_user(const uint8_t *payload, size_t size,
                                             uint64_t capabilities,
                                             struct wire_change_user *change);
void wire_encode_change_user(struct wire_writer *writer, uint64_t capabilities,
                             const struct wire_change_user *change);

/* Walks a block of connection attributes. reader is made with wire_reader_of(block.data,
 * block.size). false: at the end, or reader->failed. */
WEIR_MUST_CHECK bool wire_attribute_next(struct wire_reader *reader, struct wire_string *name,
                                         struct wire_string *value);

struct wire_auth_switch {
    struct wire_string plugin; /* "mysql_old_password" for the bare FE of old servers */
    struct wire_string data;   /* as sent, a trailing NUL included */
};

WEIR_MUST_CHECK bool wire_decode_auth_switch(const uint8_t *payload, size_t size,
                                             struct wire_auth_switch *request);
void wire_encode_auth_switch(struct wire_writer *writer, const struct wire_auth_switch *request);

/* ---- OK, ERR, EOF ---- */

struct wire_ok {
    uint8_t header; /* 00, or FE for the OK that ends rows */
    uint64_t affected_rows;
    uint64_t last_insert_id;
    uint16_t status;
    uint16_t warnings;
    struct wire_string info;
    struct wire_string session_state; /* block for wire_session_state_next(); data NULL: none */
};

WEIR_MUST_CHECK bool wire_decode_ok(const uint8_t *payload, size_t size, uint64_t capabilities,
                                    struct wire_ok *ok);
void wire_encode_ok(struct wire_writer *writer, uint64_t capabilities, const struct wire_ok *ok);

struct wire_err {
    uint16_t code;
    char sqlstate[6]; /* NUL-terminated; "HY000" when the packet has none */
    struct wire_string message;
};

/* After a failure (too short) code is 0 and message empty. */
bool wire_decode_err(const uint8_t *payload, size_t size, struct wire_err *err);

/* The SQLSTATE is left out without CLIENT_PROTOCOL_41. An empty sqlstate gives
 * wire_error_sqlstate(code). */
void wire_encode_err(struct wire_writer *writer, uint64_t capabilities, const struct wire_err *err);

struct wire_eof {
    uint16_t warnings;
    uint16_t status;
};

WEIR_MUST_CHECK bool wire_decode_eof(const uint8_t *payload, size_t size, struct wire_eof *eof);
void wire_encode_eof(struct wire_writer *writer, uint64_t capabilities, const struct wire_eof *eof);

/* What ends definitions or rows, in the form that the capabilities ask for: an EOF, or the OK with
 * header FE. */
void wire_encode_rows_end(struct wire_writer *writer, uint64_t capabilities,
                          const struct wire_eof *eof);

/* Walks the session-state block of an OK packet. One system variable is one step. false: at the
 * end, or failed. */
struct wire_session_states {
    struct wire_reader block;     /* the changes to come */
    struct wire_reader variables; /* inside a system-variables change */
};

struct wire_session_state {
    uint64_t type;           /* enum wire_session_state_type, or one unknown to us */
    struct wire_string name; /* of the system variable; else empty */
    struct wire_string
        value; /* variable's value, schema, GTIDs, ...; the raw data of an unknown type */
};

void wire_session_states_begin(struct wire_session_states *states, const uint8_t *block,
                               size_t size);
WEIR_MUST_CHECK bool wire_session_state_next(struct wire_session_states *states,
                                             struct wire_session_state *state);

/* Whether a change is reported to the client. Of types other than variables the value is raw: the
 * entry's data. */
typedef bool wire_session_state_filter(const struct wire_session_state *state, const void *data);

/* Encodes an OK as a server would that reports less: without the changes that is_reported() does not
 * want, and without any when the capabilities have no session tracking. The rest stays byte for byte
 * as it was; when nothing is left, the status says so. */
void wire_encode_ok_reporting(struct wire_writer *writer, uint64_t capabilities,
                              const struct wire_ok *ok, wire_session_state_filter *is_reported,
                              const void *filter_data);

/* ---- result sets ---- */

struct wire_column_count {
    uint64_t columns;
    bool definitions_follow; /* false: the client has them from before (metadata caching) */
};

WEIR_MUST_CHECK bool wire_decode_column_count(const uint8_t *payload, size_t size,
                                              uint64_t capabilities,
                                              struct wire_column_count *count);
void wire_encode_column_count(struct wire_writer *writer, uint64_t capabilities, uint64_t columns);

struct wire_column_definition {
    struct wire_string schema, table, org_table, name, org_name;
    struct wire_string extended; /* MariaDB's extended metadata; data NULL: none */
    uint16_t charset;
    uint32_t length; /* most bytes of a value */
    uint8_t type;    /* enum wire_field_type */
    uint16_t flags;
    uint8_t decimals;
};

WEIR_MUST_CHECK bool wire_decode_column_definition(const uint8_t *payload, size_t size,
                                                   uint64_t capabilities,
                                                   struct wire_column_definition *column);
void wire_encode_column_definition(struct wire_writer *writer, uint64_t capabilities,
                                   const struct wire_column_definition *column);

/* A row of the text protocol. Fields are read one by one from a reader over the payload; NULL has
 * data NULL. false: at the end, or reader->failed. */
bool wire_text_field_next(struct wire_reader *reader, struct wire_string *field);
void wire_encode_text_row(struct wire_writer *writer, const struct wire_string *fields,
                          size_t count);

struct wire_prepare_ok {
    uint32_t statement_id;
    uint16_t columns;
    uint16_t parameters;
    uint16_t warnings;
    bool definitions_follow;
};

WEIR_MUST_CHECK bool wire_decode_prepare_ok(const uint8_t *payload, size_t size,
                                            uint64_t capabilities, struct wire_prepare_ok *prepare);

/* MariaDB's progress report inside a reply. */
struct wire_progress {
    uint8_t stage, max_stage;
    uint32_t progress; /* thousandths of a percent */
    struct wire_string info;
};

WEIR_MUST_CHECK bool wire_decode_progress(const uint8_t *payload, size_t size,
                                          struct wire_progress *progress);

#endif
