/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads etcd's answers. All of them have the same members where they mean the same, so one reader does
 * for answers and for lines of a watch, which are wrapped in "result". 64-bit numbers are texts, bytes
 * are base64, and what is zero, empty or false is left out. */
#include "cluster/etcd_answer.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/* ---- Members ---- */

/* A member that is missing is 0. Returns false if it is no number that fits. */
static bool read_number(const json_t *object, const char *name, int64_t *number)
{
    const json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);
    *number = 0;
    if (!value)
        return true;
    if (json_is_integer(value)) {
        *number = json_integer_value(value);
        return true;
    }
    if (!text || !*text || strspn(text, "-0123456789") != strlen(text))
        return false;
    char *end = NULL;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return errno == 0 && *end == 0;
}

static bool is_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

/* Decodes a member at `out`, which has room for three quarters of its text. Missing: empty. */
static bool read_bytes(const json_t *object, const char *name, char *out, struct store_bytes *bytes)
{
    const json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);
    const size_t size = json_string_length(value);
    *bytes = (struct store_bytes){.data = out};
    if (!value || (text && size == 0))
        return true;
    if (!text || size % 4)
        return false;
    const size_t digits = strspn(text, DIGITS), padding = size - digits;
    if (padding > 2 || strspn(text + digits, "=") != padding ||
        EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)text, (int)size) < 0)
        return false;
    bytes->size = size / 4 * 3 - padding;
    return true;
}

/* ---- Entries ---- */

static size_t room_of(const json_t *kv)
{
    return json_string_length(json_object_get(kv, "key")) +
           json_string_length(json_object_get(kv, "value"));
}

static bool read_entry(const json_t *kv, char **out, struct store_entry *entry)
{
    if (!json_is_object(kv) || !read_bytes(kv, "key", *out, &entry->key))
        return false;
    *out += json_string_length(json_object_get(kv, "key"));
    if (!read_bytes(kv, "value", *out, &entry->value))
        return false;
    *out += json_string_length(json_object_get(kv, "value"));
    return read_number(kv, "mod_revision", &entry->revision) &&
           read_number(kv, "lease", &entry->lease) && entry->key.size > 0 && entry->revision > 0;
}

static const json_t *entry_at(const json_t *list, size_t i, bool are_events)
{
    const json_t *item = json_array_get(list, i);
    return are_events ? json_object_get(item, "kv") : item;
}

/* "kvs" of a range, or "events" of a watch. */
static bool read_entries(struct etcd_answer *answer, const json_t *list, bool are_events)
{
    const size_t count = json_array_size(list);
    size_t room = 0;
    for (size_t i = 0; i < count; i++)
        room += room_of(entry_at(list, i, are_events));
    answer->entries = calloc(count + 1, sizeof *answer->entries);
    char *out = answer->bytes = malloc(room + 1);
    if (!answer->entries || !out)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct store_entry *entry = &answer->entries[i];
        const char *type = json_string_value(json_object_get(json_array_get(list, i), "type"));
        if (!read_entry(entry_at(list, i, are_events), &out, entry))
            return false;
        entry->is_deleted = are_events && type && strcmp(type, "DELETE") == 0;
        answer->count++;
    }
    return true;
}

/* ---- Answers ---- */

/* Of an answer: {"error":"text","message":"text","code":5}. In a stream:
 * {"error":{"grpc_code":5,"message":"text"}}, or with "code". */
static void read_error(struct etcd_answer *answer, const json_t *root)
{
    const json_t *error = json_object_get(root, "error");
    const json_t *holder = json_is_object(error) ? error : root;
    const char *message = json_string_value(json_object_get(holder, "message"));
    int64_t code = 0;
    if (!read_number(holder, "grpc_code", &code) || code == 0)
        (void)!read_number(holder, "code", &code);
    if (!message)
        message = json_string_value(error);
    answer->is_error = true;
    answer->code = code > 0 && code < 100 ? (long)code : 0;
    (void)log_quoted(message ? message : "no message", strlen(message ? message : "no message"),
                     answer->message, sizeof answer->message);
}

static bool read_result(struct etcd_answer *answer, const json_t *object)
{
    const json_t *header = json_object_get(object, "header");
    const json_t *events = json_object_get(object, "events");
    const char *token = json_string_value(json_object_get(object, "token"));
    int64_t ttl = 0;
    if (!json_is_object(object) || (header && !json_is_object(header)))
        return false;
    if (!read_number(header, "revision", &answer->revision) ||
        !read_number(object, "ID", &answer->lease) || !read_number(object, "TTL", &ttl) ||
        !read_number(object, "compact_revision", &answer->compacted) || answer->revision < 0)
        return false;
    answer->ttl_s = ttl > 0 && ttl < INT32_MAX ? (long)ttl : 0;
    answer->succeeded = is_true(object, "succeeded");
    answer->is_created = is_true(object, "created");
    answer->is_canceled = is_true(object, "canceled") || answer->compacted > 0;
    answer->token = token ? strdup(token) : NULL;
    return read_entries(answer, events ? events : json_object_get(object, "kvs"), events != NULL);
}

int etcd_answer_read(struct etcd_answer *answer, const char *text, size_t size, struct error *error)
{
    json_error_t where;
    int status = 0;
    *answer = (struct etcd_answer){.is_error = false};
    json_t *root = json_loadb(text, size, 0, &where);
    const json_t *result = json_object_get(root, "result");
    if (!json_is_object(root))
        status = error_set(error, "the answer is no JSON object; is this etcd's client port?");
    else if (json_object_get(root, "error"))
        read_error(answer, root);
    else if (!read_result(answer, result ? result : root))
        status = error_set(error, "the answer is none of etcd's (version 3.4 or newer)");
    if (status)
        etcd_answer_release(answer); /* nothing of it holds */
    json_decref(root);
    return status;
}

void etcd_answer_release(struct etcd_answer *answer)
{
    free(answer->entries);
    free(answer->bytes);
    free(answer->token);
    *answer = (struct etcd_answer){.is_error = false};
}
