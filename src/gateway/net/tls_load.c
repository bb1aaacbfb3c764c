/* SPDX-License-Identifier: Apache-2.0
 *
 * From options to OpenSSL's context: files, versions, ciphers, and whom to trust. What is wrong is said
 * with the option's name and a remedy. */
#include <assert.h>
#include <openssl/err.h>
#include <string.h>

#include "gateway/net/tls_context.h"

const char *tls_failure(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    return reason ? reason : "the connection was closed";
}

/* ---- Certificate and key ---- */

static int use_files(SSL_CTX *context, const struct tls_options *options, struct error *error)
{
    const char *prefix = options->prefix;
    if (SSL_CTX_use_certificate_chain_file(context, options->certificate) != 1)
        return error_set(error, "%sssl-cert %s: %s", prefix, options->certificate, tls_failure());
    if (!tls_is_given(options->key))
        return error_set(error, "%sssl-cert %s: its key is missing; give it with %sssl-key", prefix,
                         options->certificate, prefix);
    if (SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return error_set(error, "%sssl-key %s: %s", prefix, options->key, tls_failure());
    return 0;
}

static int use_certificate(SSL_CTX *context, const struct tls_options *options, struct error *error)
{
    if (tls_is_given(options->certificate))
        return use_files(context, options, error);
    if (tls_is_given(options->key))
        return error_set(error, "%sssl-key %s: its certificate is missing; give it with %sssl-cert",
                         options->prefix, options->key, options->prefix);
    return options->is_client ? 0 : tls_use_automatic(context, error);
}

/* ---- Whom to trust ---- */

static int use_ca(SSL_CTX *context, const struct tls_options *options, struct error *error)
{
    if (!tls_is_given(options->ca))
        return 0;
    if (SSL_CTX_load_verify_locations(context, options->ca, NULL) != 1)
        return error_set(error, "%sssl-ca %s: %s", options->prefix, options->ca, tls_failure());
    if (!options->is_client) {
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(options->ca));
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    return 0;
}

/* A server that nobody may be sure of is verified all the same where that is demanded. */
static int use_check(SSL_CTX *context, const struct tls_options *options, struct error *error)
{
    if (!options->is_client || options->check == TLS_CHECKS_NOTHING)
        return 0;
    if (!tls_is_given(options->ca))
        return error_set(error,
                         "%stls: whom to trust is not said; give the file of the certificate "
                         "authority with %sssl-ca",
                         options->prefix, options->prefix);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return 0;
}

/* ---- Versions and ciphers ---- */

/* The length of the list's first part; what separates it from the next is skipped by `after`. */
static size_t part_of(const char *list, const char *separators, const char **after)
{
    size_t size = strcspn(list, separators);
    *after = list + size + (list[size] != 0);
    return size;
}

static const struct {
    const char *name;
    int number;
} versions[] = {{"TLSv1.2", TLS1_2_VERSION}, {"TLSv1.3", TLS1_3_VERSION}};

static int version_number(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (strlen(versions[i].name) == size && memcmp(versions[i].name, name, size) == 0)
            return versions[i].number;
    return 0;
}

static int use_versions(SSL_CTX *context, const struct tls_options *options, struct error *error)
{
    int least = 0, most = 0;
    const char *rest = tls_is_given(options->version) ? options->version : "TLSv1.2,TLSv1.3";
    while (*rest) {
        const char *name = rest;
        size_t size = part_of(name, ", ", &rest);
        int number = version_number(name, size);
        if (size && !number)
            return error_set(error, "%stls-version %s: give TLSv1.2, TLSv1.3 or both with a comma",
                             options->prefix, options->version);
        least = number && (!least || number < least) ? number : least;
        most = number > most ? number : most;
    }
    SSL_CTX_set_min_proto_version(context, least);
    SSL_CTX_set_max_proto_version(context, most);
    return 0;
}

/* OpenSSL wants the names of TLS 1.3's ciphers, which begin with TLS_, and the others in two lists. */
static int use_ciphers(SSL_CTX *context, const struct tls_options *options, struct error *error)
{
    struct strbuf suites = STRBUF_INIT, ciphers = STRBUF_INIT;
    int status = 0;
    const char *rest = tls_is_given(options->cipher) ? options->cipher : "";
    while (*rest) {
        const char *name = rest;
        size_t size = part_of(name, ":, ", &rest);
        struct strbuf *list = strncmp(name, "TLS_", 4) == 0 ? &suites : &ciphers;
        if (list->size && size)
            strbuf_add(list, ":", 1);
        strbuf_add(list, name, size);
    }
    if (suites.failed || ciphers.failed)
        status = error_set(error, "out of memory");
    else if ((suites.size && SSL_CTX_set_ciphersuites(context, suites.data) != 1) ||
             (ciphers.size && SSL_CTX_set_cipher_list(context, ciphers.data) != 1))
        status = error_set(error, "%sssl-cipher %s: %s; `openssl ciphers -v ALL` lists the names",
                           options->prefix, options->cipher, tls_failure());
    strbuf_release(&suites);
    strbuf_release(&ciphers);
    return status;
}

SSL_CTX *tls_load(const struct tls_options *options, struct error *error)
{
    assert(options->prefix);
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(options->is_client ? TLS_client_method() : TLS_server_method());
    if (!context) {
        error_set(error, "TLS: %s", tls_failure());
        return NULL;
    }
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1); /* a record in one read, not its length first */
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"weir", 4);
    if (use_versions(context, options, error) || use_ciphers(context, options, error) ||
        use_certificate(context, options, error) || use_ca(context, options, error) ||
        use_check(context, options, error)) {
        SSL_CTX_free(context);
        context = NULL;
    }
    return context;
}
