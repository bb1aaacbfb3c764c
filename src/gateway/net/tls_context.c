/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading certificates, and replacing them while sessions use the old ones: an SSL holds a reference
 * of its own to the SSL_CTX that it was made with. */
#include "gateway/net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define AUTOMATIC_DAYS 3650

struct tls_context {
    pthread_mutex_t lock; /* of current */
    SSL_CTX *current;
    struct tls_options options;
};

const char *tls_failure(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    return reason ? reason : "the connection was closed";
}

static X509 *self_signed(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    if (!certificate)
        return NULL;
    uint64_t serial = 0;
    RAND_bytes((unsigned char *)&serial, sizeof serial);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 60L * 60 * 24 * AUTOMATIC_DAYS);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"weir automatic",
                               -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    if (!X509_sign(certificate, key, EVP_sha256())) {
        X509_free(certificate);
        certificate = NULL;
    }
    return certificate;
}

static int use_automatic(SSL_CTX *context, struct error *error)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key ? self_signed(key) : NULL;
    int status = 0;
    if (!certificate || SSL_CTX_use_certificate(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey(context, key) != 1)
        status = error_set(error, "-auto-tls: cannot make a certificate: %s", tls_failure());
    X509_free(certificate);
    EVP_PKEY_free(key);
    return status;
}

static int use_files(SSL_CTX *context, const struct tls_options *options, struct error *error)
{
    if (SSL_CTX_use_certificate_chain_file(context, options->certificate) != 1)
        return error_set(error, "-ssl-cert %s: %s", options->certificate, tls_failure());
    if (!options->key || !*options->key)
        return error_set(error, "-ssl-cert %s: its key is missing; give it with -ssl-key",
                         options->certificate);
    if (SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return error_set(error, "-ssl-key %s: %s", options->key, tls_failure());
    return 0;
}

static int use_ca(SSL_CTX *context, const char *ca, struct error *error)
{
    if (!ca || !*ca)
        return 0;
    if (SSL_CTX_load_verify_locations(context, ca, NULL) != 1)
        return error_set(error, "-ssl-ca %s: %s", ca, tls_failure());
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(ca));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return 0;
}

static SSL_CTX *load(const struct tls_options *options, struct error *error)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context) {
        error_set(error, "TLS: %s", tls_failure());
        return NULL;
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"weir", 4);
    bool has_files = options->certificate && *options->certificate;
    int status = has_files ? use_files(context, options, error) : use_automatic(context, error);
    if (status || use_ca(context, options->ca, error)) {
        SSL_CTX_free(context);
        context = NULL;
    }
    return context;
}

int tls_context_open(struct tls_context **context, const struct tls_options *options,
                     struct error *error)
{
    *context = NULL;
    bool has_files = options->certificate && *options->certificate;
    if (!has_files && options->key && *options->key)
        return error_set(error, "-ssl-key %s: its certificate is missing; give it with -ssl-cert",
                         options->key);
    if (!has_files && !options->automatic)
        return 0;
    struct tls_context *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, "out of memory");
    made->options = *options;
    made->current = load(options, error);
    if (!made->current) {
        free(made);
        return -1;
    }
    pthread_mutex_init(&made->lock, NULL);
    *context = made;
    return 0;
}

int tls_context_reload(struct tls_context *context, struct error *error)
{
    bool has_files = context->options.certificate && *context->options.certificate;
    if (!has_files)
        return 0;
    SSL_CTX *fresh = load(&context->options, error);
    if (!fresh)
        return -1;
    pthread_mutex_lock(&context->lock);
    SSL_CTX *old = context->current;
    context->current = fresh;
    pthread_mutex_unlock(&context->lock);
    SSL_CTX_free(old); /* its sessions hold references of their own */
    return 0;
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
    SSL_CTX_free(context->current);
    pthread_mutex_destroy(&context->lock);
    free(context);
}

SSL *tls_context_connection(struct tls_context *context)
{
    pthread_mutex_lock(&context->lock);
    SSL *connection = SSL_new(context->current);
    pthread_mutex_unlock(&context->lock);
    return connection;
}
