/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS as a filter: OpenSSL in the middle, and a BIO that reads and writes through the filter below,
 * whatever that is. */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/net/tls_context.h"

#define HEARD_BYTES 512 /* of a server's answer: more than an error's packet has */

struct tls_filter {
    struct filter filter; /* first: for leg_push() */
    SSL *ssl;
    struct leg *leg;
    bool
        is_drained; /* the last read below gave less than it might: the loop says when there is more */
    bool is_dry;    /* what is buffered is not a whole record */
    uint8_t *heard; /* the first bytes of a server, until the handshake is over */
    size_t heard_size;
};

static struct tls_filter *tls_of(struct filter *filter)
{
    return (struct tls_filter *)filter;
}

/* ---- The way down ---- */

static void note_heard(struct tls_filter *tls, const char *bytes, size_t size)
{
    const size_t room = HEARD_BYTES - tls->heard_size;
    if (size > room)
        size = room;
    memcpy(tls->heard + tls->heard_size, bytes, size);
    tls->heard_size += size;
}

static int bio_read(BIO *bio, char *bytes, size_t size, size_t *done)
{
    struct tls_filter *tls = BIO_get_data(bio);
    struct filter *below = tls->filter.below;
    BIO_clear_retry_flags(bio);
    *done = tls->is_drained ? 0 : below->type->receive(below, tls->leg, (uint8_t *)bytes, size);
    tls->is_drained = *done < size;
    if (*done && tls->heard)
        note_heard(tls, bytes, *done);
    if (*done == 0 && !tls->leg->ended && !tls->leg->failed)
        BIO_set_retry_read(bio);
    return *done > 0;
}

static int bio_write(BIO *bio, const char *bytes, size_t size, size_t *done)
{
    struct tls_filter *tls = BIO_get_data(bio);
    struct filter *below = tls->filter.below;
    BIO_clear_retry_flags(bio);
    *done = below->type->send(below, tls->leg, (const uint8_t *)bytes, size);
    if (*done == 0 && !tls->leg->failed)
        BIO_set_retry_write(bio);
    return *done > 0;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    const struct tls_filter *tls = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return tls->leg->ended;
    default:
        return 0;
    }
}

static BIO_METHOD *method; /* lives as long as the process */

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir leg");
    if (method) {
        BIO_meth_set_read_ex(method, bio_read);
        BIO_meth_set_write_ex(method, bio_write);
        BIO_meth_set_ctrl(method, bio_control);
    }
}

static BIO *bio_of(struct tls_filter *tls)
{
    static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
    BIO *bio = CRYPTO_THREAD_run_once(&once, make_method) && method ? BIO_new(method) : NULL;
    if (bio) {
        BIO_set_data(bio, tls);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* ---- The filter ---- */

static bool is_passing(int reason)
{
    return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE;
}

static void note_failure(struct leg *leg, int reason)
{
    if (reason == SSL_ERROR_ZERO_RETURN || leg->ended)
        leg->ended = true;
    else if (!leg->failed && !is_passing(reason))
        leg_fail(leg, errno ? errno : EPROTO);
}

/* A record holds at most 16 KiB: reads on until the buffer is full or nothing more has come. */
static size_t receive(struct filter *filter, struct leg *leg, uint8_t *bytes, size_t size)
{
    struct tls_filter *tls = tls_of(filter);
    size_t total = 0, got = 0;
    tls->is_drained = tls->is_dry = false;
    while (total < size) {
        ERR_clear_error();
        errno = 0;
        int status = SSL_read_ex(tls->ssl, bytes + total, size - total, &got);
        if (status != 1) {
            note_failure(leg, SSL_get_error(tls->ssl, status));
            tls->is_dry = true;
            break;
        }
        total += got;
    }
    return total;
}

/* An answer to the peer's new keys may have had to go first, and have kept a whole record from being read. */
static size_t send_bytes(struct filter *filter, struct leg *leg, const uint8_t *bytes, size_t size)
{
    struct tls_filter *tls = tls_of(filter);
    size_t total = 0, done = 0;
    while (total < size) {
        ERR_clear_error();
        errno = 0;
        int status = SSL_write_ex(tls->ssl, bytes + total, size - total, &done);
        if (status != 1) {
            int reason = SSL_get_error(tls->ssl, status);
            if (!leg->is_deaf && !is_passing(reason))
                leg_fail(leg, errno ? errno : EPROTO);
            break;
        }
        total += done;
    }
    if (total)
        tls->is_dry = false;
    return total;
}

static bool has_buffered(const struct filter *filter)
{
    const struct tls_filter *tls = (const struct tls_filter *)filter;
    return !tls->is_dry && SSL_has_pending(tls->ssl);
}

/* Towards a backend the end of the connection says it alone: a server looks, while a statement runs, whether
 * its client is still there, and takes one that has sent anything, a close_notify too, for a living one. */
static void finish(struct filter *filter, struct leg *leg)
{
    SSL *ssl = tls_of(filter)->ssl;
    ERR_clear_error();
    if (SSL_is_server(ssl) && SSL_is_init_finished(ssl))
        SSL_shutdown(ssl);
    filter->below->type->finish(filter->below, leg);
}

static void break_off(struct filter *filter)
{
    filter->below->type->break_off(filter->below);
}

/* A connection that ends without a farewell spoils its ticket, were it not said that there was one. */
static void close_tls(struct filter *filter)
{
    struct tls_filter *tls = tls_of(filter);
    if (!SSL_is_server(tls->ssl) && SSL_is_init_finished(tls->ssl))
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(tls->ssl);
    free(tls->heard);
    free(tls);
}

static const struct filter_type tls_type = {
    .name = "TLS",
    .receive = receive,
    .send = send_bytes,
    .has_buffered = has_buffered,
    .finish = finish,
    .break_off = break_off,
    .close = close_tls,
};

/* Pushes the filter. NULL: no memory. */
static struct tls_filter *begin(struct tls_context *context, struct leg *leg)
{
    assert(context && leg_is_open(leg));
    struct tls_filter *tls = calloc(1, sizeof *tls);
    if (!tls)
        return NULL;
    *tls = (struct tls_filter){
        .filter = {.type = &tls_type}, .ssl = tls_context_connection(context), .leg = leg};
    BIO *bio = tls->ssl ? bio_of(tls) : NULL;
    if (!bio) {
        SSL_free(tls->ssl);
        free(tls);
        return NULL;
    }
    SSL_set_bio(tls->ssl, bio, bio);
    leg_push(leg, &tls->filter);
    return tls;
}

bool tls_accept(struct tls_context *context, struct leg *leg)
{
    struct tls_filter *tls = begin(context, leg);
    if (tls)
        SSL_set_accept_state(tls->ssl);
    return tls != NULL;
}

/* Whom the certificate must be for. false: no memory. */
static bool demand_name(SSL *ssl, const struct tls_options *options)
{
    const char *name = options->name;
    struct in6_addr unused;
    const bool is_address = tls_is_given(name) && (inet_pton(AF_INET, name, &unused) == 1 ||
                                                   inet_pton(AF_INET6, name, &unused) == 1);
    if (tls_is_given(name) && !is_address && SSL_set_tlsext_host_name(ssl, name) != 1)
        return false;
    if (options->check != TLS_CHECKS_NAME)
        return true;
    assert(tls_is_given(name));
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1
                      : SSL_set1_host(ssl, name) == 1;
}

bool tls_connect(struct tls_context *context, struct leg *leg)
{
    assert(context->options.is_client);
    struct tls_filter *tls = begin(context, leg);
    if (!tls)
        return false;
    tls->heard = malloc(HEARD_BYTES);
    SSL_set_connect_state(tls->ssl);
    return tls->heard && demand_name(tls->ssl, &context->options);
}

static struct tls_filter *top_of(const struct leg *leg)
{
    assert(leg_is_open(leg) && leg->top->type == &tls_type);
    return tls_of(leg->top);
}

enum tls_progress tls_handshake(struct leg *leg)
{
    struct tls_filter *tls = top_of(leg);
    ERR_clear_error();
    tls->is_drained = false;
    int status = SSL_do_handshake(tls->ssl);
    if (status == 1) {
        free(tls->heard);
        tls->heard = NULL;
        return TLS_DONE;
    }
    switch (SSL_get_error(tls->ssl, status)) {
    case SSL_ERROR_WANT_READ:
        return leg->ended || leg->is_deaf ? TLS_FAILED : TLS_NEEDS_READ;
    case SSL_ERROR_WANT_WRITE:
        return leg->is_deaf ? TLS_FAILED : TLS_NEEDS_WRITE;
    default:
        return TLS_FAILED;
    }
}

void tls_describe_failure(const struct leg *leg, char *text, size_t size)
{
    const long verdict = SSL_get_verify_result(top_of(leg)->ssl);
    if (verdict == X509_V_OK)
        snprintf(text, size, "%s", tls_failure());
    else
        snprintf(text, size, "%s: %s", tls_failure(), X509_verify_cert_error_string(verdict));
}

/* A record of TLS begins with its type, 20 to 23, and 3. */
static bool is_record(const struct tls_filter *tls)
{
    return tls->heard_size > 1 && tls->heard[0] >= SSL3_RT_CHANGE_CIPHER_SPEC &&
           tls->heard[0] <= SSL3_RT_APPLICATION_DATA && tls->heard[1] == SSL3_VERSION_MAJOR;
}

/* OpenSSL reads the first bytes alone, or none where it could not send. */
size_t tls_plain_answer(struct leg *leg, const uint8_t **bytes)
{
    struct tls_filter *tls = top_of(leg);
    struct filter *below = tls->filter.below;
    size_t got = 1;
    if (!tls->heard || is_record(tls))
        return 0;
    while (got && tls->heard_size < HEARD_BYTES && !leg->failed && !leg->ended) {
        got = below->type->receive(below, leg, tls->heard + tls->heard_size,
                                   HEARD_BYTES - tls->heard_size);
        tls->heard_size += got;
    }
    *bytes = tls->heard;
    return is_record(tls) ? 0 : tls->heard_size;
}

/* ---- What was agreed ---- */

static void read_name(X509_NAME *name, char *text, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio &&
        X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned)ASN1_STRFLGS_ESC_MSB) >= 0)
        BIO_gets(bio, text, (int)size);
    BIO_free(bio);
}

static void read_serial(const X509 *certificate, char *text, size_t size)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *digits = number ? BN_bn2hex(number) : NULL;
    snprintf(text, size, "%s", digits ? digits : "");
    OPENSSL_free(digits);
    BN_free(number);
}

static void read_fingerprint(const X509 *certificate, char text[TLS_FINGERPRINT_BYTES])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (X509_digest(certificate, EVP_sha1(), digest, &size) != 1)
        return;
    assert(size * 2 + 1 == TLS_FINGERPRINT_BYTES);
    for (unsigned i = 0; i < size; i++)
        snprintf(text + (size_t)i * 2, 3, "%02X", digest[i]);
}

void tls_read_facts(const struct leg *leg, struct tls_facts *facts)
{
    SSL *ssl = top_of(leg)->ssl;
    *facts = (struct tls_facts){.version = SSL_get_version(ssl),
                                .cipher = SSL_get_cipher_name(ssl),
                                .is_resumed = SSL_session_reused(ssl)};
    const X509 *peer = SSL_get0_peer_certificate(ssl);
    if (!peer)
        return;
    read_name(X509_get_subject_name(peer), facts->subject, sizeof facts->subject);
    read_name(X509_get_issuer_name(peer), facts->issuer, sizeof facts->issuer);
    read_serial(peer, facts->serial, sizeof facts->serial);
    read_fingerprint(peer, facts->fingerprint);
}
