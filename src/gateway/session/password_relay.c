/* SPDX-License-Identifier: Apache-2.0
 *
 * The methods, one row each, and the two translations. What a method that is not listed sends is not
 * known: it is taken for the password. */
#include "gateway/session/password_relay.h"

#include <stdio.h>
#include <string.h>

#include "gateway/session/exchange.h"

enum password_kind {
    KIND_PROOF,    /* the password cannot be read from it */
    KIND_EXCHANGE, /* the password as it is, or under RSA */
    KIND_CLEAR,    /* the password as it is */
    KIND_UNKNOWN
};

/* X(plugin, kind, whether a Unix socket is safe for it, the packet that asks for a key, whether the
 * password is due only once the server has asked for all of it) */
#define PASSWORD_METHODS(X)                                                                        \
    X("mysql_native_password", KIND_PROOF, true, 0, false)                                         \
    X("mysql_old_password", KIND_PROOF, true, 0, false)                                            \
    X("client_ed25519", KIND_PROOF, true, 0, false)                                                \
    X("parsec", KIND_PROOF, true, 0, false)                                                        \
    X("auth_gssapi_client", KIND_PROOF, true, 0, false)                                            \
    X("caching_sha2_password", KIND_EXCHANGE, true, 0x02, true)                                    \
    X("sha256_password", KIND_EXCHANGE, false, 0x01, false)                                        \
    X("mysql_clear_password", KIND_CLEAR, true, 0, false)                                          \
    X("dialog", KIND_CLEAR, true, 0, false)

struct password_method {
    const char *plugin;
    enum password_kind kind;
    bool trusts_unix;
    uint8_t key_request;
    bool is_due_later;
};

static const struct password_method methods[] = {
#define X(plugin, kind, trusts_unix, key_request, is_due_later)                                    \
    {plugin, kind, trusts_unix, key_request, is_due_later},
    PASSWORD_METHODS(X)
#undef X
};
static const struct password_method unknown = {"", KIND_UNKNOWN, true, 0, false};

/* caching_sha2_password: the server does not know the password's hash, and wants the password. */
static const uint8_t full_authentication[] = {0x01, 0x04};
#define KEY_FOLLOWS 0x01

static const struct password_method *find_method(struct wire_string plugin)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strlen(methods[i].plugin) == plugin.size &&
            memcmp(methods[i].plugin, plugin.data, plugin.size) == 0)
            return &methods[i];
    return &unknown;
}

bool password_is_proof(struct wire_string plugin)
{
    const struct password_method *method = find_method(plugin);
    return method->kind == KIND_PROOF || method->is_due_later;
}

bool password_is_only_proof(struct wire_string plugin)
{
    return find_method(plugin)->kind == KIND_PROOF;
}

/* ---- How safe the two sides are ---- */

static bool client_is_safe(const struct session *session, const struct password_method *method)
{
    const uint64_t type = session->observed.handle.number[WEIR_NUMBER_connection_type];
    return type == WEIR_TYPE_TLS || (type == WEIR_TYPE_SOCKET && method->trusts_unix);
}

static bool backend_is_safe(const struct session *session, const struct password_method *method)
{
    const bool has_tls = session->observed.handle.text[WEIR_TEXT_backend_tls_version].data != NULL;
    return has_tls || (session->observed.backend->is_local && method->trusts_unix);
}

static void refuse(struct session *session, const char *message)
{
    log_warn("session", "%s connection=%u", message, session->observed.id);
    session_fail(session, CLOSE_INSECURE, WIRE_ER_SECURE_TRANSPORT_REQUIRED, NULL, "%s", message);
}

#define MESSAGE_BYTES 512
#define REMEDY        "use -backend-tls required, or a Unix socket"

/* Whether the client would be asked for what must not go to the backend. */
static bool is_exposed(const struct session *session, const struct password_method *method,
                       struct wire_string plugin, char message[MESSAGE_BYTES])
{
    const bool sends_password = method->kind == KIND_CLEAR || method->kind == KIND_UNKNOWN;
    if (!sends_password || !client_is_safe(session, method) || backend_is_safe(session, method))
        return false;
    snprintf(
        message, MESSAGE_BYTES,
        "weir: the account's method %.*s %s the password itself, and the connection to the backend "
        "%s is not encrypted: " REMEDY,
        plugin.size < 64 ? (int)plugin.size : 64, (const char *)plugin.data,
        method->kind == KIND_UNKNOWN ? "may send" : "sends", session->observed.backend->label);
    return true;
}

/* ---- The exchange ---- */

static void wipe(struct strbuf *text)
{
    if (text->data)
        explicit_bzero(text->data, text->size);
    strbuf_release(text);
}

void password_relay_release(struct password_relay *relay)
{
    wipe(&relay->password);
}

bool password_relay_begin(struct session *session, struct wire_string plugin,
                          struct wire_string scramble)
{
    struct password_relay *relay = &session->exchange->password;
    char message[MESSAGE_BYTES];
    relay->method = find_method(plugin);
    relay->is_due = !relay->method->is_due_later;
    relay->step = PASSWORD_PASSES;
    wipe(&relay->password);
    memset(relay->scramble, 0, sizeof relay->scramble);
    if (scramble.size)
        memcpy(relay->scramble, scramble.data,
               scramble.size < sizeof relay->scramble ? scramble.size : sizeof relay->scramble);
    if (!is_exposed(session, relay->method, plugin, message))
        return true;
    refuse(session, message);
    return false;
}

/* What is encrypted is not the password, but its bytes under the scramble's. */
static void mask(struct strbuf *text, const uint8_t scramble[WIRE_SCRAMBLE_BYTES])
{
    for (size_t i = 0; i < text->size; i++)
        text->data[i] = (char)((uint8_t)text->data[i] ^ scramble[i % WIRE_SCRAMBLE_BYTES]);
}

static void give_key(struct session *session)
{
    const struct session_environment *environment = environment_of(session);
    struct strbuf answer = STRBUF_INIT;
    strbuf_add_byte(&answer, KEY_FOLLOWS);
    session->exchange->password.step = PASSWORD_KEY_GIVEN;
    if (!environment->operations->password_key ||
        !environment->operations->password_key(environment->owner, &answer) ||
        !exchange_write_client(session, (const uint8_t *)answer.data, answer.size))
        session_close(session, CLOSE_NO_MEMORY);
    strbuf_release(&answer);
}

/* The client's password, under the gateway's key, goes on as it is. */
static void take_encrypted(struct session *session, const uint8_t *payload, size_t size)
{
    const struct session_environment *environment = environment_of(session);
    struct password_relay *relay = &session->exchange->password;
    struct strbuf password = STRBUF_INIT;
    relay->step = PASSWORD_PASSES;
    bool ok =
        environment->operations->password_decrypt(environment->owner, payload, size, &password);
    mask(&password, relay->scramble);
    ok = ok && password.size && password.data[password.size - 1] == 0;
    if (ok)
        exchange_write_backend(session, (const uint8_t *)password.data, password.size);
    else
        refuse(session, "weir: the password was not encrypted with the key that weir has given");
    wipe(&password);
}

/* The password waits until the backend has given its key. */
static void ask_for_key(struct session *session, const uint8_t *payload, size_t size)
{
    struct password_relay *relay = &session->exchange->password;
    strbuf_add(&relay->password, payload, size);
    relay->step = PASSWORD_KEY_ASKED;
    if (relay->password.failed)
        session_close(session, CLOSE_NO_MEMORY);
    else
        exchange_write_backend(session, &relay->method->key_request, 1);
}

static void send_encrypted(struct session *session, const uint8_t *key, size_t size)
{
    const struct session_environment *environment = environment_of(session);
    struct password_relay *relay = &session->exchange->password;
    struct strbuf encrypted = STRBUF_INIT;
    relay->step = PASSWORD_PASSES;
    mask(&relay->password, relay->scramble);
    if (environment->operations->password_encrypt &&
        environment->operations->password_encrypt(environment->owner, key, size,
                                                  (const uint8_t *)relay->password.data,
                                                  relay->password.size, &encrypted))
        exchange_write_backend(session, (const uint8_t *)encrypted.data, encrypted.size);
    else
        refuse(session, "weir: the password cannot be encrypted with the key that the backend has "
                        "given: " REMEDY);
    wipe(&relay->password);
    strbuf_release(&encrypted);
}

bool password_relay_from_client(struct session *session, const uint8_t *payload, size_t size)
{
    struct password_relay *relay = &session->exchange->password;
    const struct password_method *method = relay->method;
    if (!method || method->kind != KIND_EXCHANGE || !relay->is_due)
        return false;
    if (relay->step == PASSWORD_KEY_GIVEN) {
        take_encrypted(session, payload, size);
        return true;
    }
    const bool is_request = size == 1 && payload[0] == method->key_request;
    const bool has_password = size > 1 && relay->step == PASSWORD_PASSES;
    const bool is_clear = client_is_safe(session, method),
               is_safe = backend_is_safe(session, method);
    if (is_request && is_safe) {
        give_key(session);
        return true;
    }
    if (is_request)
        relay->step = PASSWORD_ENCRYPTED;
    if (has_password && is_clear && !is_safe) {
        ask_for_key(session, payload, size);
        return true;
    }
    if (has_password && !is_clear && is_safe) {
        refuse(session,
               "weir: the client has encrypted its password with a key of its own file, and "
               "the backend's connection has another: use TLS to weir, or let the client ask "
               "for the key");
        return true;
    }
    return false;
}

static bool demands_password(const uint8_t *payload, size_t size)
{
    return size == sizeof full_authentication && memcmp(payload, full_authentication, size) == 0;
}

bool password_relay_from_backend(struct session *session, const uint8_t *payload, size_t size)
{
    struct password_relay *relay = &session->exchange->password;
    if (relay->step == PASSWORD_KEY_ASKED) {
        const bool is_key = size > 1 && payload[0] == KEY_FOLLOWS;
        send_encrypted(session, payload + is_key, is_key ? size - 1 : 0);
        return true;
    }
    if (relay->method && relay->method->is_due_later && demands_password(payload, size))
        relay->is_due = true;
    return false;
}
