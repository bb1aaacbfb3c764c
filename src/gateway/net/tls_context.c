/* SPDX-License-Identifier: Apache-2.0
 *
 * A context's life: what it holds is replaced while sessions use the old, because an SSL holds a
 * reference of its own to the SSL_CTX that it was made with. */
#include "gateway/net/tls_context.h"

#include <stdlib.h>

/* What a server without a certificate and without -auto-tls has to say of TLS: nothing. */
static bool is_unused(const struct tls_options *options)
{
    return !options->is_client && !options->automatic && !tls_is_given(options->certificate) &&
           !tls_is_given(options->key);
}

int tls_context_open(struct tls_context **context, const struct tls_options *options,
                     struct error *error)
{
    *context = NULL;
    if (is_unused(options))
        return 0;
    struct tls_context *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, "out of memory");
    made->options = *options;
    made->current = tls_load(options, error);
    if (!made->current) {
        free(made);
        return -1;
    }
    pthread_mutex_init(&made->lock, NULL);
    if (options->is_client)
        tls_tickets_collect(made, made->current);
    *context = made;
    return 0;
}

const struct tls_options *tls_context_options(const struct tls_context *context)
{
    return &context->options;
}

/* A ticket is worth what the check was worth when it was given: none of them outlives its SSL_CTX. Connections
 * read the options, which therefore stay: those of a client are the same, and a server's texts are not read again. */
void tls_context_adopt(struct tls_context *context, struct tls_context *fresh)
{
    if (fresh->options.is_client)
        tls_tickets_collect(context, fresh->current);
    pthread_mutex_lock(&context->lock);
    SSL_CTX *old = context->current;
    context->current = fresh->current;
    fresh->current = NULL;
    tls_tickets_drop(context);
    pthread_mutex_unlock(&context->lock);
    SSL_CTX_free(old); /* its sessions hold references of their own */
    tls_context_free(fresh);
}

/* ---- What it holds ---- */

/* Returns a reference (SSL_CTX_free). */
static SSL_CTX *current_of(struct tls_context *context)
{
    pthread_mutex_lock(&context->lock);
    SSL_CTX *current = context->current;
    SSL_CTX_up_ref(current);
    pthread_mutex_unlock(&context->lock);
    return current;
}

static void add_bio(struct strbuf *out, BIO *bio)
{
    char *bytes = NULL;
    const long size = BIO_get_mem_data(bio, &bytes);
    if (size > 0)
        strbuf_add(out, bytes, (size_t)size);
}

static bool write_chain(SSL_CTX *current, BIO *bio)
{
    STACK_OF(X509) *others = NULL;
    bool is_written = PEM_write_bio_X509(bio, SSL_CTX_get0_certificate(current)) == 1;
    SSL_CTX_get0_chain_certs(current, &others);
    for (int i = 0; is_written && i < sk_X509_num(others); i++)
        is_written = PEM_write_bio_X509(bio, sk_X509_value(others, i)) == 1;
    return is_written;
}

int tls_context_export(struct tls_context *context, struct strbuf *chain, struct strbuf *key,
                       struct error *error)
{
    SSL_CTX *current = current_of(context);
    BIO *certificates = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_secmem());
    bool is_written = certificates && secret && write_chain(current, certificates) &&
                      PEM_write_bio_PrivateKey(secret, SSL_CTX_get0_privatekey(current), NULL, NULL,
                                               0, NULL, NULL) == 1;
    if (is_written) {
        add_bio(chain, certificates);
        add_bio(key, secret);
    }
    is_written = is_written && !chain->failed && !key->failed;
    BIO_free(certificates);
    BIO_free(secret);
    SSL_CTX_free(current);
    return is_written ? 0 : error_set(error, "TLS: the certificate cannot be handed on");
}

int64_t tls_context_expiry(struct tls_context *context)
{
    SSL_CTX *current = current_of(context);
    struct tm utc;
    int64_t at = INT64_MAX;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(current)), &utc) == 1)
        at = timegm(&utc);
    SSL_CTX_free(current);
    return at;
}

void tls_context_free(struct tls_context *context)
{
    if (!context)
        return;
    tls_tickets_drop(context);
    SSL_CTX_free(context->current);
    pthread_mutex_destroy(&context->lock);
    free(context);
}

SSL *tls_context_connection(struct tls_context *context)
{
    pthread_mutex_lock(&context->lock);
    SSL *connection = SSL_new(context->current);
    if (connection && context->options.is_client)
        tls_tickets_offer(context, connection);
    pthread_mutex_unlock(&context->lock);
    return connection;
}
