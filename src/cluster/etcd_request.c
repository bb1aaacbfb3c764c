/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes requests. Keys and values are base64, so that nothing in them needs escaping; 64-bit numbers
 * are texts. */
#include "cluster/etcd_request.h"

#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>

const char *etcd_request_path(enum store_action action)
{
    static const char *const paths[] = {
        [STORE_READ] = "/v3/kv/range",         [STORE_WRITE] = "/v3/kv/txn",
        [STORE_DELETE] = "/v3/kv/deleterange", [STORE_GRANT] = "/v3/lease/grant",
        [STORE_KEEP] = "/v3/lease/keepalive",  [STORE_REVOKE] = "/v3/lease/revoke",
    };
    return paths[action];
}

static void add_bytes(struct strbuf *out, const char *name, struct store_bytes bytes)
{
    strbuf_printf(out, "\"%s\":\"", name);
    char *room = strbuf_room(out, (bytes.size + 2) / 3 * 4 + 1);
    if (!room)
        return;
    if (bytes.size)
        strbuf_end(out, room + EVP_EncodeBlock((unsigned char *)room,
                                               (const unsigned char *)bytes.data, (int)bytes.size));
    strbuf_add_byte(out, '"');
}

/* The first key after all those with the prefix: its last byte that can be counted up is; a NUL
 * byte if there is none, which means: to the end. */
static void add_range_end(struct strbuf *out, struct store_bytes prefix)
{
    char end[STORE_KEY_BYTES] = {0};
    size_t size = prefix.size;
    memcpy(end, prefix.data, size);
    while (size && (unsigned char)end[size - 1] == 0xff)
        size--;
    if (size)
        end[size - 1]++;
    else
        end[size++] = 0;
    strbuf_add_byte(out, ',');
    add_bytes(out, "range_end", (struct store_bytes){.data = end, .size = size});
}

static void write_transaction(struct strbuf *out, const struct store_request *request)
{
    strbuf_add_text(out, "{\"compare\":[");
    for (size_t i = 0; i < request->compare_count; i++) {
        strbuf_add_text(out, i ? ",{" : "{");
        add_bytes(out, "key", request->compares[i].key);
        strbuf_printf(out,
                      ",\"target\":\"MOD\",\"result\":\"EQUAL\",\"mod_revision\":\"%" PRId64 "\"}",
                      request->compares[i].revision);
    }
    strbuf_add_text(out, "],\"success\":[");
    for (size_t i = 0; i < request->write_count; i++) {
        strbuf_add_text(out, i ? ",{\"request_put\":{" : "{\"request_put\":{");
        add_bytes(out, "key", request->writes[i].key);
        strbuf_add_byte(out, ',');
        add_bytes(out, "value", request->writes[i].value);
        strbuf_printf(out, ",\"lease\":\"%" PRId64 "\"}}", request->writes[i].lease);
    }
    strbuf_add_text(out, "]}");
}

void etcd_request_write(struct strbuf *out, const struct store_request *request)
{
    switch (request->action) {
    case STORE_READ:
    case STORE_DELETE:
        strbuf_add_byte(out, '{');
        add_bytes(out, "key", request->key);
        if (request->is_prefix)
            add_range_end(out, request->key);
        strbuf_add_byte(out, '}');
        break;
    case STORE_WRITE:
        write_transaction(out, request);
        break;
    case STORE_GRANT:
        strbuf_printf(out, "{\"TTL\":\"%ld\"}", request->ttl_s);
        break;
    case STORE_KEEP:
    case STORE_REVOKE:
        strbuf_printf(out, "{\"ID\":\"%" PRId64 "\"}", request->lease);
        break;
    }
}

void etcd_request_watch(struct strbuf *out, struct store_bytes prefix, int64_t from_revision)
{
    strbuf_add_text(out, "{\"create_request\":{");
    add_bytes(out, "key", prefix);
    add_range_end(out, prefix);
    strbuf_printf(out, ",\"start_revision\":\"%" PRId64 "\",\"progress_notify\":true}}",
                  from_revision);
}

void etcd_request_authenticate(struct strbuf *out, const char *user, const char *password)
{
    json_t *object = json_pack("{s:s,s:s}", "name", user, "password", password);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text)
        strbuf_add_text(out, text);
    else
        out->failed = true; /* no memory, or no UTF-8 */
    free(text);
    json_decref(object);
}
