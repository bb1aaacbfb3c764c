/* SPDX-License-Identifier: Apache-2.0
 *
 * What a session asks of the gateway, as the harness answers it. */
#include <assert.h>
#include <string.h>

#include "harness_backends.h"

static bool id_add(void *owner, uint32_t id, const struct session_backend *backend,
                   uint32_t backend_id, const char *user)
{
    struct harness *harness = owner;
    assert(backend && user && (harness->ids[0].id == 0 || harness->ids[0].id == id));
    harness->ids[0].id = id;
    harness->ids[0].backend_id = backend_id;
    return true;
}

static void id_remove(void *owner, uint32_t id)
{
    struct harness *harness = owner;
    assert(harness->ids[0].id == id);
    harness->ids[0].id = 0;
}

static bool id_find(void *owner, uint32_t id, const char *user, struct session_place *place)
{
    const struct harness *harness = owner;
    (void)user;
    for (size_t i = 0; i < HARNESS_IDS; i++)
        if (harness->ids[i].id && harness->ids[i].id == id) {
            *place = (struct session_place){.backend_id = harness->ids[i].backend_id};
            return true;
        }
    return false;
}

static void hold_is_back(void *owner, struct session_hold *hold)
{
    struct harness *harness = owner;
    pthread_mutex_lock(&harness->lock);
    *session_hold_next(hold) = harness->holds;
    harness->holds = hold;
    pthread_mutex_unlock(&harness->lock);
}

static int trace_load(void *owner, const char *name, struct error *error)
{
    (void)owner, (void)name;
    return error_set(error, "there is no trace here");
}

static void trace_changed(void *owner)
{
    (void)owner;
}

/* In place of RSA: 'key' is the gateway's, and any other server's but an empty one; bytes after "rsa:"
 * are encrypted. */
static bool password_key(void *owner, struct strbuf *pem)
{
    (void)owner;
    strbuf_add_text(pem, "key");
    return !pem->failed;
}

static bool password_decrypt(void *owner, const uint8_t *bytes, size_t size, struct strbuf *out)
{
    (void)owner;
    if (size < 4 || memcmp(bytes, "rsa:", 4) != 0)
        return false;
    strbuf_add(out, bytes + 4, size - 4);
    return !out->failed;
}

static bool password_encrypt(void *owner, const uint8_t *pem, size_t pem_size, const uint8_t *bytes,
                             size_t size, struct strbuf *out)
{
    (void)owner, (void)pem;
    if (pem_size == 0)
        return false;
    strbuf_add_text(out, "rsa:");
    strbuf_add(out, bytes, size);
    return !out->failed;
}

const struct session_operations harness_operations = {.password_key = password_key,
                                                      .password_decrypt = password_decrypt,
                                                      .password_encrypt = password_encrypt,
                                                      .id_add = id_add,
                                                      .id_remove = id_remove,
                                                      .id_find = id_find,
                                                      .backend_choose = harness_backend_choose,
                                                      .backend_leave = harness_backend_leave,
                                                      .backend_failed = harness_backend_failed,
                                                      .hold_is_back = hold_is_back,
                                                      .trace_load = trace_load,
                                                      .trace_changed = trace_changed};
