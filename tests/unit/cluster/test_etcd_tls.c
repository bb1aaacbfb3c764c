/* SPDX-License-Identifier: Apache-2.0
 *
 * The etcd client over TLS, both sides with certificates: a server that is trusted and wants to know its client, one that
 * is not trusted, and a client that shows nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "asking.h"
#include "scripted_etcd.h"

struct identity {
    char folder[64], certificate[96], key[96];
    SSL_CTX *server; /* shows it, and accepts only clients that show it */
};

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* A certificate that signs itself, for 127.0.0.1. */
static void make_identity(struct identity *identity)
{
    snprintf(identity->folder, sizeof identity->folder, "/tmp/weir-etcd-XXXXXX");
    assert_non_null(mkdtemp(identity->folder));
    snprintf(identity->certificate, sizeof identity->certificate, "%s/it.pem", identity->folder);
    snprintf(identity->key, sizeof identity->key, "%s/it.key", identity->folder);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)identity->folder,
                               -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, NID_subject_alt_name, "IP:127.0.0.1");
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    FILE *file = fopen(identity->certificate, "w");
    assert_true(file && PEM_write_X509(file, certificate));
    fclose(file);
    file = fopen(identity->key, "w");
    assert_true(file && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    fclose(file);
    identity->server = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(identity->server, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(identity->server, key), 1);
    assert_int_equal(SSL_CTX_load_verify_locations(identity->server, identity->certificate, NULL),
                     1);
    SSL_CTX_set_verify(identity->server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void drop_identity(struct identity *identity)
{
    SSL_CTX_free(identity->server);
    unlink(identity->certificate);
    unlink(identity->key);
    rmdir(identity->folder);
}

static void answers_all(struct scripted_request *request)
{
    scripted_say(request, 200, "{\"header\":{\"revision\":\"6\"},\"succeeded\":true}");
}

static enum store_status write_with(const struct etcd_options *options, struct asked *asked)
{
    struct error error = {""};
    struct store *store = etcd_new(options, &error);
    assert_non_null(store);
    enum store_status status = ask(
        store, asked,
        (struct store_request){.action = STORE_WRITE,
                               .writes = {{.key = STORE_TEXT("foo"), .value = STORE_TEXT("bar")}},
                               .write_count = 1});
    store_free(store);
    return status;
}

static void both_sides_show_certificates(void **state)
{
    struct identity mine, other;
    struct scripted_etcd etcd;
    struct asked asked = ASKED_INIT;
    (void)state;
    make_identity(&mine);
    make_identity(&other);
    scripted_start(&etcd, answers_all, NULL, mine.server);
    struct etcd_options options = {.endpoints = etcd.url,
                                   .ca = mine.certificate,
                                   .certificate = mine.certificate,
                                   .key = mine.key,
                                   .timeout_ms = 5000};
    assert_int_equal(write_with(&options, &asked), STORE_DONE);
    assert_int_equal(etcd.requests, 1);
    options.endpoints = etcd.url + strlen("https://"); /* https where there is a certificate */
    assert_int_equal(write_with(&options, &asked), STORE_DONE);
    options.ca = other.certificate; /* a stranger's server is told nothing */
    assert_int_equal(write_with(&options, &asked), STORE_FAILED);
    assert_non_null(strstr(asked.message, "certificate"));
    options.ca = mine.certificate;
    options.certificate = options.key = NULL; /* what is refused is not done */
    assert_int_not_equal(write_with(&options, &asked), STORE_DONE);
    assert_int_equal(etcd.requests, 2);
    scripted_stop(&etcd);
    drop_identity(&mine);
    drop_identity(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_sides_show_certificates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
