/* SPDX-License-Identifier: Apache-2.0
 *
 * A text of any size in a plugin's store (weir/store.h), whose values are small, so that nobody ever reads half of it:
 *
 *     PREFIX head            = "1 EDITION SIZE PARTS"
 *     PREFIX EDITION/NUMBER  = bytes; numbers count from 0000
 *
 * Each put is an edition with a random name. Its parts are written first, under keys that are not there, and then the
 * head, by compare-and-put. Whoever has seen a head has seen its parts, and they never change.
 *
 * What no head will ever name can be deleted: parts of other editions than the head's whose revision is smaller than
 * the head's. Whoever is still writing them began with an older head, and its compare-and-put fails. */
#ifndef WEIR_SHARED_TEXT_H
#define WEIR_SHARED_TEXT_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <weir/check.h>
#include <weir/store.h>
#include <weir/text.h>

#define SHARED_TEXT_BYTES    (1U << 20) /* a longer text is not shared */
#define SHARED_EDITION_BYTES 17         /* hexadecimal digits, and a NUL */
#define SHARED_HEAD_BYTES    64
#define SHARED_PART_DIGITS   4
#define SHARED_PART_BYTES    WEIR_STORE_VALUE_BYTES

struct shared_head {
    char edition[SHARED_EDITION_BYTES];
    uint32_t size, parts;
};

/* How many parts so many bytes have; of an empty text there is none. */
static inline uint32_t shared_parts_of(size_t size)
{
    return (uint32_t)((size + SHARED_PART_BYTES - 1) / SHARED_PART_BYTES);
}

static inline void shared_head_print(const struct shared_head *head, char text[SHARED_HEAD_BYTES])
{
    snprintf(text, SHARED_HEAD_BYTES, "1 %s %" PRIu32 " %" PRIu32, head->edition, head->size,
             head->parts);
}

/* Whether these are the digits of an edition. */
static inline bool shared_edition_is(const char *text)
{
    for (size_t i = 0; i < SHARED_EDITION_BYTES - 1; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    return true;
}

/* Reads what shared_head_print() writes, and nothing else. False: it is none. */
WEIR_MUST_CHECK static inline bool shared_head_read(weir_string value, struct shared_head *head)
{
    char text[SHARED_HEAD_BYTES], again[SHARED_HEAD_BYTES];
    if (!value.data || value.size >= sizeof text || memchr(value.data, '\0', value.size))
        return false;
    memcpy(text, value.data, value.size);
    text[value.size] = '\0';
    if (sscanf(text, "1 %16[0-9a-f] %9" SCNu32 " %9" SCNu32, head->edition, &head->size,
               &head->parts) != 3)
        return false;
    shared_head_print(head, again);
    return strcmp(text, again) == 0 && strlen(head->edition) == SHARED_EDITION_BYTES - 1 &&
           head->size <= SHARED_TEXT_BYTES && head->parts == shared_parts_of(head->size);
}

/* ---- The parts that the store has ---- */

struct shared_part {
    struct shared_part *next;
    char edition[SHARED_EDITION_BYTES];
    uint32_t number;
    int64_t revision;
    size_t size;
    char bytes[];
};

/* Writes a part's key, without the prefix: "EDITION/NUMBER". */
#define SHARED_PART_KEY_BYTES (SHARED_EDITION_BYTES + 1 + 10)
static inline void shared_part_print(const char *edition, uint32_t number,
                                     char key[SHARED_PART_KEY_BYTES])
{
    snprintf(key, SHARED_PART_KEY_BYTES, "%s/%04" PRIu32, edition, number);
}

/* Reads such a key. False: it is none. */
WEIR_MUST_CHECK static inline bool
shared_part_read(weir_string key, char edition[SHARED_EDITION_BYTES], uint32_t *number)
{
    const size_t name = SHARED_EDITION_BYTES - 1;
    if (!key.data || key.size != name + 1 + SHARED_PART_DIGITS || key.data[name] != '/' ||
        !shared_edition_is(key.data))
        return false;
    memcpy(edition, key.data, name);
    edition[name] = '\0';
    *number = 0;
    for (size_t i = name + 1; i < key.size; i++) {
        if (key.data[i] < '0' || key.data[i] > '9')
            return false;
        *number = *number * 10 + (uint32_t)(key.data[i] - '0');
    }
    return true;
}

/* Where the pointer to the part is; to the NULL at the end, if there is none. */
static inline struct shared_part **shared_part_find(struct shared_part **parts, const char *edition,
                                                    uint32_t number)
{
    while (*parts && ((*parts)->number != number || strcmp((*parts)->edition, edition) != 0))
        parts = &(*parts)->next;
    return parts;
}

static inline void shared_part_drop(struct shared_part **at)
{
    struct shared_part *part = *at;
    *at = part->next;
    free(part);
}

/* Takes over what the store says of a key that shared_part_read() has read. False: no memory. */
WEIR_MUST_CHECK static inline bool shared_parts_note(struct shared_part **parts,
                                                     const char *edition, uint32_t number,
                                                     const weir_store_entry *entry)
{
    struct shared_part **at = shared_part_find(parts, edition, number);
    if (*at)
        shared_part_drop(at);
    if (entry->is_deleted)
        return true;
    struct shared_part *part = (struct shared_part *)malloc(sizeof *part + entry->value.size);
    if (!part)
        return false;
    memcpy(part->edition, edition, SHARED_EDITION_BYTES);
    part->number = number;
    part->revision = entry->revision;
    part->size = entry->value.size;
    if (part->size)
        memcpy(part->bytes, entry->value.data, part->size);
    part->next = *parts;
    *parts = part;
    return true;
}

/* The text that a head names. Returns owned, NUL-terminated; NULL: parts are missing, or there is no memory. */
static inline char *shared_parts_join(struct shared_part **parts, const struct shared_head *head)
{
    char *text = (char *)malloc((size_t)head->size + 1);
    size_t size = 0;
    for (uint32_t i = 0; text && i < head->parts; i++) {
        const struct shared_part *part = *shared_part_find(parts, head->edition, i);
        if (!part || part->size > head->size - size) {
            free(text);
            return NULL;
        }
        memcpy(text + size, part->bytes, part->size);
        size += part->size;
    }
    if (text && size == head->size) {
        text[size] = '\0';
        return text;
    }
    free(text);
    return NULL;
}

static inline void shared_parts_free(struct shared_part **parts)
{
    while (*parts)
        shared_part_drop(parts);
}

#endif
