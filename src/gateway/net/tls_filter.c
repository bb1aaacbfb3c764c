/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS as a filter: OpenSSL in the middle, and a BIO that reads and writes through the filter below,
 * whatever that is. */
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "gateway/net/tls.h"

struct tls_filter {
    struct filter filter; /* first: for leg_push() */
    SSL *ssl;
    struct leg *leg;
};

static struct tls_filter *tls_of(struct filter *filter)
{
    return (struct tls_filter *)filter;
}

/* ---- The way down ---- */

static int bio_read(BIO *bio, char *bytes, size_t size, size_t *done)
{
    struct tls_filter *tls = BIO_get_data(bio);
    struct filter *below = tls->filter.below;
    BIO_clear_retry_flags(bio);
    *done = below->type->receive(below, tls->leg, (uint8_t *)bytes, size);
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
    SSL *ssl = tls_of(filter)->ssl;
    size_t total = 0, got = 0;
    while (total < size) {
        ERR_clear_error();
        errno = 0;
        int status = SSL_read_ex(ssl, bytes + total, size - total, &got);
        if (status != 1) {
            note_failure(leg, SSL_get_error(ssl, status));
            break;
        }
        total += got;
    }
    return total;
}

static size_t send_bytes(struct filter *filter, struct leg *leg, const uint8_t *bytes, size_t size)
{
    SSL *ssl = tls_of(filter)->ssl;
    size_t total = 0, done = 0;
    while (total < size) {
        ERR_clear_error();
        errno = 0;
        int status = SSL_write_ex(ssl, bytes + total, size - total, &done);
        if (status != 1) {
            int reason = SSL_get_error(ssl, status);
            if (!leg->is_deaf && !is_passing(reason))
                leg_fail(leg, errno ? errno : EPROTO);
            break;
        }
        total += done;
    }
    return total;
}

static bool has_buffered(const struct filter *filter)
{
    return SSL_has_pending(((const struct tls_filter *)filter)->ssl);
}

static void finish(struct filter *filter, struct leg *leg)
{
    ERR_clear_error();
    if (SSL_is_init_finished(tls_of(filter)->ssl))
        SSL_shutdown(tls_of(filter)->ssl);
    filter->below->type->finish(filter->below, leg);
}

static void break_off(struct filter *filter)
{
    filter->below->type->break_off(filter->below);
}

static void close_tls(struct filter *filter)
{
    SSL_free(tls_of(filter)->ssl);
    free(filter);
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

bool tls_accept(struct tls_context *context, struct leg *leg)
{
    assert(context && leg_is_open(leg));
    struct tls_filter *tls = calloc(1, sizeof *tls);
    if (!tls)
        return false;
    *tls = (struct tls_filter){
        .filter = {.type = &tls_type}, .ssl = tls_context_connection(context), .leg = leg};
    BIO *bio = tls->ssl ? bio_of(tls) : NULL;
    if (!bio) {
        SSL_free(tls->ssl);
        free(tls);
        return false;
    }
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_accept_state(tls->ssl);
    leg_push(leg, &tls->filter);
    return true;
}

static SSL *top_of(const struct leg *leg)
{
    assert(leg_is_open(leg) && leg->top->type == &tls_type);
    return tls_of(leg->top)->ssl;
}

enum tls_progress tls_handshake(struct leg *leg)
{
    SSL *ssl = top_of(leg);
    ERR_clear_error();
    int status = SSL_do_handshake(ssl);
    if (status == 1)
        return TLS_DONE;
    switch (SSL_get_error(ssl, status)) {
    case SSL_ERROR_WANT_READ:
        return leg->ended || leg->is_deaf ? TLS_FAILED : TLS_NEEDS_READ;
    case SSL_ERROR_WANT_WRITE:
        return leg->is_deaf ? TLS_FAILED : TLS_NEEDS_WRITE;
    default:
        return TLS_FAILED;
    }
}

const char *tls_version(const struct leg *leg)
{
    return SSL_get_version(top_of(leg));
}

const char *tls_cipher(const struct leg *leg)
{
    return SSL_get_cipher_name(top_of(leg));
}
