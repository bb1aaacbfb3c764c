/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads key logs into a table by label and client random. A last line without a newline may be cut:
 * it is read again the next time. */
#include "trace/tls/keylog.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct entry {
    struct {
        uint8_t random[KEYLOG_RANDOM_BYTES];
        uint8_t label;
    } key;
    struct keylog_secret secret;
    UT_hash_handle hh;
};

struct keylog {
    FILE *file;
    char *line;
    size_t line_room;
    struct entry *entries;
};

struct keylog *keylog_open(const char *path, struct error *error)
{
    assert(path);
    struct keylog *keylog = calloc(1, sizeof *keylog);
    FILE *file = fopen(path, "re");
    if (!keylog || !file) {
        error_set(error, "key log %s: %s", path, strerror(errno));
        if (file)
            fclose(file);
        free(keylog);
        return NULL;
    }
    keylog->file = file;
    return keylog;
}

/* Reads a word of hexadecimal. Returns its bytes; 0 if it is none, or longer than `most`. */
static size_t read_hex(const char *text, size_t size, uint8_t *bytes, size_t most)
{
    return size / 2 <= most && hex_decode(text, size, bytes) ? size / 2 : 0;
}

static int find_label(const char *text, size_t size)
{
    static const char *const labels[] = {
#define X(enumerator, label) label,
        KEYLOG_LABELS(X)
#undef X
    };
    for (int i = 0; i < KEYLOG_LABEL_COUNT; i++)
        if (strlen(labels[i]) == size && memcmp(labels[i], text, size) == 0)
            return i;
    return -1;
}

static void add(struct keylog *keylog, const struct entry *entry)
{
    struct entry *known = NULL;
    HASH_FIND(hh, keylog->entries, &entry->key, sizeof entry->key, known);
    if (known) {
        known->secret = entry->secret;
        return;
    }
    struct entry *copy = malloc(sizeof *copy);
    if (!copy)
        return; /* as if it were not in the file */
    *copy = *entry;
    HASH_ADD(hh, keylog->entries, key, sizeof copy->key, copy);
}

static void read_line(struct keylog *keylog, const char *line)
{
    struct entry entry = {0};
    size_t label_size = strcspn(line, " ");
    int label = find_label(line, label_size);
    if (label < 0 || line[label_size] != ' ')
        return;
    const char *random = line + label_size + 1;
    size_t random_size = strcspn(random, " ");
    if (read_hex(random, random_size, entry.key.random, KEYLOG_RANDOM_BYTES) !=
            KEYLOG_RANDOM_BYTES ||
        random[random_size] != ' ')
        return;
    const char *secret = random + random_size + 1;
    entry.key.label = (uint8_t)label;
    entry.secret.size =
        read_hex(secret, strcspn(secret, " \r\n"), entry.secret.bytes, KEYLOG_SECRET_MOST);
    if (entry.secret.size == 32 || entry.secret.size == 48)
        add(keylog, &entry);
    OPENSSL_cleanse(&entry, sizeof entry);
}

static void read_on(struct keylog *keylog)
{
    ssize_t size;
    clearerr(keylog->file);
    while ((size = getline(&keylog->line, &keylog->line_room, keylog->file)) > 0) {
        read_line(keylog, keylog->line);
        if (keylog->line[size - 1] != '\n') {
            if (fseek(keylog->file, -(long)size, SEEK_CUR) != 0)
                return; /* a pipe: it will not be completed */
            break;
        }
    }
}

static const struct entry *find(struct keylog *keylog, enum keylog_label label,
                                const uint8_t random[KEYLOG_RANDOM_BYTES])
{
    struct entry key = {0}, *found = NULL;
    memcpy(key.key.random, random, KEYLOG_RANDOM_BYTES);
    key.key.label = (uint8_t)label;
    HASH_FIND(hh, keylog->entries, &key.key, sizeof key.key, found);
    return found;
}

bool keylog_find(struct keylog *keylog, enum keylog_label label,
                 const uint8_t random[KEYLOG_RANDOM_BYTES], struct keylog_secret *secret)
{
    assert(keylog && (unsigned)label < KEYLOG_LABEL_COUNT && random);
    const struct entry *entry = find(keylog, label, random);
    if (!entry) {
        read_on(keylog);
        entry = find(keylog, label, random);
    }
    if (entry)
        *secret = entry->secret;
    return entry;
}

void keylog_close(struct keylog *keylog)
{
    struct entry *entry, *next;
    if (!keylog)
        return;
    HASH_ITER(hh, keylog->entries, entry, next)
    {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the next one was read before */
        HASH_DEL(keylog->entries, entry);
        OPENSSL_cleanse(entry, sizeof *entry);
        free(entry);
    }
    fclose(keylog->file);
    free(keylog->line);
    free(keylog);
}
