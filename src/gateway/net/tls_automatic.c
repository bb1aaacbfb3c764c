/* SPDX-License-Identifier: Apache-2.0
 *
 * A certificate for a server that was given none: it encrypts, and proves nothing. */
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "gateway/net/tls_context.h"

#define AUTOMATIC_DAYS 3650

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

int tls_use_automatic(SSL_CTX *context, struct error *error)
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
