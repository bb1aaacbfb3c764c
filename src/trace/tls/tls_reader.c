/* SPDX-License-Identifier: Apache-2.0
 *
 * Follows the handshake to know from which record on which key is in use.
 *
 *   TLS 1.2: a direction is encrypted after its ChangeCipherSpec.
 *   TLS 1.3: both are after the ServerHello, with the keys of the handshake; each goes over to those
 *            of the data after its Finished. A ChangeCipherSpec means nothing.
 *
 * Bytes of the client that come before the ServerHello of their turn wait for it: captures may hold
 * the two directions in disorder. Where a secret is not in the key log yet, everything waits in its
 * order, because a client that is captured live writes its secrets a moment later. */
#include "trace/tls/tls_reader.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/tls/hello.h"
#include "trace/tls/record_key.h"

enum {
    RECORD_CHANGE_CIPHER = 20,
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    RECORD_DATA = 23,
    HANDSHAKE_CLIENT_HELLO = 1,
    HANDSHAKE_SERVER_HELLO = 2,
    HANDSHAKE_FINISHED = 20,
    HANDSHAKE_KEY_UPDATE = 24,
    RECORD_MOST = 16384 + 2048, /* bytes of a body (RFC 5246, 6.2.3) */
    MESSAGE_MOST = 1 << 18,     /* bytes of a handshake message: chains of certificates */
    WAITING_MOST = 1 << 20,     /* bytes that wait for the ServerHello */
    QUEUE_MOST = 1 << 18,       /* bytes that wait for a secret */
    PROBLEM_BYTES = 256,
};

struct side {
    struct strbuf bytes;     /* records that are not whole, or wait */
    struct strbuf handshake; /* messages that are not whole */
    struct record_key key;
    bool is_encrypted;
    bool is_in_data; /* TLS 1.3: its Finished is past */
    bool is_waiting; /* for the secret with this label */
    enum keylog_label waits_for;
};

struct tls_reader {
    struct keylog *keylog;
    tls_sink *sink;
    void *context;
    struct side sides[2]; /* by direction */
    struct strbuf plain;
    struct strbuf queue; /* while a side waits: direction, size and bytes of each piece */
    uint8_t randoms[2 * HELLO_RANDOM_BYTES]; /* the server's, the client's */
    bool has_client_hello;
    const struct tls_suite *suite; /* NULL before the ServerHello */
    uint16_t version;
    char problem[PROBLEM_BYTES];
};

struct tls_reader *tls_reader_new(struct keylog *keylog, tls_sink *sink, void *context)
{
    assert(sink);
    struct tls_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return NULL;
    reader->keylog = keylog;
    reader->sink = sink;
    reader->context = context;
    strbuf_init(&reader->plain);
    strbuf_init(&reader->queue);
    for (unsigned i = 0; i < 2; i++) {
        strbuf_init(&reader->sides[i].bytes);
        strbuf_init(&reader->sides[i].handshake);
    }
    return reader;
}

__attribute__((format(printf, 2, 3))) static void fail(struct tls_reader *reader,
                                                       const char *format, ...)
{
    va_list arguments;
    if (reader->problem[0])
        return;
    va_start(arguments, format);
    vsnprintf(reader->problem, sizeof reader->problem, format, arguments);
    va_end(arguments);
}

/* ---- keys ---- */

static void fail_for_secret(struct tls_reader *reader)
{
    const uint8_t *random = reader->randoms + HELLO_RANDOM_BYTES;
    char hex[2 * 8 + 1];
    for (unsigned i = 0; i < 8; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", random[i]);
    if (reader->keylog)
        fail(reader, "the key log has no secret for its client random (%s...)", hex);
    else
        fail(reader, "there is no key log: let the client write one (SSLKEYLOGFILE), and give it "
                     "with --keylog");
}

static void set_key(struct tls_reader *reader, enum wire_direction direction,
                    enum keylog_label label)
{
    assert(reader->suite);
    struct keylog_secret secret;
    struct side *side = &reader->sides[direction];
    bool ok = false;
    side->is_encrypted = true;
    side->waits_for = label;
    side->is_waiting =
        !reader->keylog ||
        !keylog_find(reader->keylog, label, reader->randoms + HELLO_RANDOM_BYTES, &secret);
    if (side->is_waiting) {
        if (!reader->keylog)
            fail_for_secret(reader);
        return;
    }
    if (label == KEYLOG_MASTER)
        ok = record_key_set_from_master(&side->key, reader->suite, &secret, reader->randoms,
                                        direction == WIRE_FROM_SERVER);
    else
        ok = record_key_set(&side->key, reader->suite, &secret);
    if (!ok)
        fail(reader, "OpenSSL can't do %s", reader->suite->name);
}

static void start_data(struct tls_reader *reader, enum wire_direction direction)
{
    if (reader->version != TLS_1_3 || reader->sides[direction].is_in_data)
        return;
    reader->sides[direction].is_in_data = true;
    set_key(reader, direction,
            direction == WIRE_FROM_CLIENT ? KEYLOG_CLIENT_DATA : KEYLOG_SERVER_DATA);
}

/* ---- handshake ---- */

static void read_client_hello(struct tls_reader *reader, const uint8_t *body, size_t size)
{
    if (reader->suite)
        fail(reader, "the connection negotiates anew, which can't be followed");
    else if (!hello_of_client(body, size, reader->randoms + HELLO_RANDOM_BYTES))
        fail(reader, "the ClientHello is damaged");
    reader->has_client_hello = true;
}

static void read_server_hello(struct tls_reader *reader, const uint8_t *body, size_t size)
{
    struct server_hello hello;
    if (!reader->has_client_hello || reader->suite || !hello_of_server(body, size, &hello)) {
        fail(reader, "the ServerHello is damaged");
        return;
    }
    if (hello.is_retry && hello.version != TLS_1_3) {
        fail(reader, "the ServerHello is damaged");
        return;
    }
    reader->version = hello.version;
    if (hello.is_retry)
        return;
    memcpy(reader->randoms, hello.random, sizeof hello.random);
    reader->suite = tls_suite_find(hello.suite);
    bool is_1_3 = hello.version == TLS_1_3;
    if (hello.version != TLS_1_2 && !is_1_3)
        fail(reader, "version %04x of TLS can't be read, only 1.2 and 1.3", hello.version);
    else if (!reader->suite || is_1_3 != (hello.suite >> 8 == 0x13) || hello.compression)
        fail(reader, "the cipher suite %04x can't be read, only AES-GCM and ChaCha20-Poly1305",
             hello.suite);
    if (!reader->problem[0] && is_1_3) {
        set_key(reader, WIRE_FROM_SERVER, KEYLOG_SERVER_HANDSHAKE);
        set_key(reader, WIRE_FROM_CLIENT, KEYLOG_CLIENT_HANDSHAKE);
    }
}

static void read_message(struct tls_reader *reader, enum wire_direction direction,
                         const uint8_t *body, size_t size, uint8_t type)
{
    struct side *side = &reader->sides[direction];
    switch (type) {
    case HANDSHAKE_CLIENT_HELLO:
        if (direction == WIRE_FROM_CLIENT)
            read_client_hello(reader, body, size);
        break;
    case HANDSHAKE_SERVER_HELLO:
        if (direction == WIRE_FROM_SERVER)
            read_server_hello(reader, body, size);
        break;
    case HANDSHAKE_FINISHED:
        start_data(reader, direction);
        break;
    case HANDSHAKE_KEY_UPDATE:
        if (!side->is_in_data || !record_key_update(&side->key))
            fail(reader, "the keys change where they can't");
        break;
    default:
        break;
    }
}

/* Reads the messages that are whole; the rest waits for the next record. */
static void read_handshake(struct tls_reader *reader, enum wire_direction direction,
                           const uint8_t *bytes, size_t size)
{
    struct strbuf *kept = &reader->sides[direction].handshake;
    size_t used = 0;
    strbuf_add(kept, bytes, size);
    while (!reader->problem[0] && kept->size - used >= 4) {
        const uint8_t *message = (const uint8_t *)kept->data + used;
        size_t length = (size_t)message[1] << 16 | (size_t)message[2] << 8 | message[3];
        if (length > MESSAGE_MOST)
            fail(reader, "a message of the handshake is too long");
        if (length > kept->size - used - 4)
            break;
        read_message(reader, direction, message + 4, length, message[0]);
        used += 4 + length;
    }
    strbuf_consume(kept, used);
    if (kept->failed)
        fail(reader, "out of memory");
}

/* ---- records ---- */

static void read_content(struct tls_reader *reader, enum wire_direction direction, uint8_t type,
                         const uint8_t *bytes, size_t size)
{
    if (type == RECORD_HANDSHAKE)
        read_handshake(reader, direction, bytes, size);
    else if (type == RECORD_DATA && reader->sides[direction].is_encrypted)
        reader->sink(reader->context, direction, bytes, size);
    else if (type == RECORD_DATA)
        fail(reader, "data comes before the keys");
    else if (type == RECORD_CHANGE_CIPHER && reader->version == TLS_1_2)
        set_key(reader, direction, KEYLOG_MASTER);
    /* Alerts: the end of the connection follows. */
}

static void read_encrypted(struct tls_reader *reader, enum wire_direction direction,
                           const uint8_t *record, size_t size)
{
    struct strbuf *plain = &reader->plain;
    uint8_t type = record[0];
    if (!record_key_open(&reader->sides[direction].key, record, size, plain)) {
        fail(reader, "a record does not fit its key: the key log is another connection's");
        return;
    }
    if (reader->version == TLS_1_3) { /* text, its type, zeros */
        while (plain->size > 0 && plain->data[plain->size - 1] == 0)
            plain->size--;
        type = plain->size > 0 ? (uint8_t)plain->data[--plain->size] : RECORD_ALERT;
    }
    read_content(reader, direction, type, (const uint8_t *)plain->data, plain->size);
}

/* A ChangeCipherSpec that means nothing. */
static bool is_bare(const struct tls_reader *reader, uint8_t type)
{
    return reader->version == TLS_1_3 && type == RECORD_CHANGE_CIPHER;
}

/* The record can't be read before the ServerHello has been. */
static bool has_to_wait(const struct tls_reader *reader, enum wire_direction direction,
                        uint8_t type)
{
    return direction == WIRE_FROM_CLIENT && !reader->suite && reader->has_client_hello &&
           type != RECORD_HANDSHAKE && type != RECORD_ALERT && !is_bare(reader, type);
}

static void read_record(struct tls_reader *reader, enum wire_direction direction,
                        const uint8_t *record, size_t size)
{
    if (reader->sides[direction].is_encrypted && !is_bare(reader, record[0]))
        read_encrypted(reader, direction, record, size);
    else
        read_content(reader, direction, record[0], record + TLS_HEADER_BYTES,
                     size - TLS_HEADER_BYTES);
}

/* The size of the record that is whole at the start of these bytes; 0: none is. */
static size_t whole_record(struct tls_reader *reader, const uint8_t *bytes, size_t size)
{
    if (size < TLS_HEADER_BYTES)
        return 0;
    size_t length = (size_t)bytes[3] << 8 | bytes[4];
    if (bytes[0] < RECORD_CHANGE_CIPHER || bytes[0] > RECORD_DATA || bytes[1] != 3 ||
        length > RECORD_MOST) {
        fail(reader, "its bytes are not TLS");
        return 0;
    }
    return length <= size - TLS_HEADER_BYTES ? length + TLS_HEADER_BYTES : 0;
}

static bool is_waiting(const struct tls_reader *reader)
{
    return reader->sides[0].is_waiting || reader->sides[1].is_waiting;
}

static void read_records(struct tls_reader *reader, enum wire_direction direction)
{
    struct strbuf *bytes = &reader->sides[direction].bytes;
    size_t used = 0, size;
    while (!reader->problem[0] && !is_waiting(reader)) {
        const uint8_t *record = (const uint8_t *)bytes->data + used;
        size = whole_record(reader, record, bytes->size - used);
        if (size == 0 || has_to_wait(reader, direction, record[0]))
            break;
        used += size;
        read_record(reader, direction, record, size);
    }
    strbuf_consume(bytes, used);
}

static void read_piece(struct tls_reader *reader, enum wire_direction direction,
                       const uint8_t *bytes, size_t size)
{
    struct strbuf *kept = &reader->sides[direction].bytes;
    bool had_suite = reader->suite;
    strbuf_add(kept, bytes, size);
    if (kept->failed || kept->size > WAITING_MOST + size) {
        fail(reader, kept->failed ? "out of memory" : "the ServerHello is missing");
        return;
    }
    read_records(reader, direction);
    if (reader->suite && !had_suite)
        read_records(reader, WIRE_FROM_CLIENT);
}

/* ---- waiting for secrets ---- */

static void add_to_queue(struct tls_reader *reader, enum wire_direction direction,
                         const uint8_t *bytes, size_t size)
{
    struct wire_writer writer = wire_writer_to(&reader->queue, 0);
    wire_write_u8(&writer, (uint8_t)direction);
    wire_write_u64(&writer, size);
    wire_write_bytes(&writer, bytes, size);
    if (reader->queue.failed)
        fail(reader, "out of memory");
    else if (reader->queue.size > QUEUE_MOST)
        fail_for_secret(reader);
}

/* Looks for the missing secrets again, and reads what has waited as far as they are there. */
static void read_queue(struct tls_reader *reader)
{
    for (int side = 0; side < 2; side++)
        if (reader->sides[side].is_waiting)
            set_key(reader, (enum wire_direction)side, reader->sides[side].waits_for);
    if (is_waiting(reader))
        return;
    struct strbuf queue = reader->queue;
    strbuf_init(&reader->queue);
    read_records(reader, WIRE_FROM_SERVER);
    read_records(reader, WIRE_FROM_CLIENT);
    struct wire_reader r = wire_reader_of(queue.data, queue.size);
    while (wire_left(&r) > 0 && !reader->problem[0]) {
        enum wire_direction direction = (enum wire_direction)wire_read_u8(&r);
        struct wire_string piece = wire_read_bytes(&r, wire_read_u64(&r));
        if (is_waiting(reader))
            add_to_queue(reader, direction, (const uint8_t *)piece.data, piece.size);
        else
            read_piece(reader, direction, (const uint8_t *)piece.data, piece.size);
    }
    strbuf_release(&queue);
}

void tls_reader_bytes(struct tls_reader *reader, enum wire_direction direction,
                      const uint8_t *bytes, size_t size)
{
    assert(reader && (unsigned)direction <= WIRE_FROM_SERVER && (bytes || size == 0));
    if (!reader->problem[0] && is_waiting(reader))
        read_queue(reader);
    if (reader->problem[0])
        return;
    if (is_waiting(reader))
        add_to_queue(reader, direction, bytes, size);
    else
        read_piece(reader, direction, bytes, size);
}

void tls_reader_end(struct tls_reader *reader)
{
    if (!reader->problem[0] && is_waiting(reader))
        read_queue(reader);
    if (is_waiting(reader))
        fail_for_secret(reader);
}

const char *tls_reader_problem(const struct tls_reader *reader)
{
    return reader->problem[0] ? reader->problem : NULL;
}

void tls_reader_free(struct tls_reader *reader)
{
    if (!reader)
        return;
    for (unsigned i = 0; i < 2; i++) {
        strbuf_release(&reader->sides[i].bytes);
        strbuf_release(&reader->sides[i].handshake);
        record_key_release(&reader->sides[i].key);
    }
    strbuf_release(&reader->plain);
    strbuf_release(&reader->queue);
    free(reader);
}
