/* SPDX-License-Identifier: Apache-2.0
 *
 * Values come from other nodes, or from whoever writes to the store: nothing is read beyond their end, and a value with a
 * mistake is refused as a whole, before anything of it is used. */
#include "count_values.h"

#include <string.h>

#define VERSION     1
#define NS_PER_MS   INT64_C(1000000)
#define MOST_DIGITS 4 /* of 7 bits: more than both limits need */

/* ---- Writing ---- */

static void add_number(struct strbuf *out, int64_t number, int64_t most)
{
    uint64_t left = (uint64_t)(number < 0 ? 0 : number > most ? most : number);
    for (; left > 127; left >>= 7)
        strbuf_add_byte(out, (unsigned char)(left | 128));
    strbuf_add_byte(out, (unsigned char)left);
}

/* Rounded up, so that a window is not over for others before it is here. */
static void add_left(struct strbuf *out, int64_t ns)
{
    add_number(out, (ns + NS_PER_MS - 1) / NS_PER_MS, COUNT_VALUE_LEFT_MS);
}

void count_value_begin(struct strbuf *out)
{
    strbuf_add_byte(out, VERSION);
}

void count_value_add(struct strbuf *out, const struct tally_key *key,
                     const struct tally_counts *counts)
{
    strbuf_add_byte(out, key->size);
    strbuf_add(out, key->bytes, key->size);
    add_number(out, counts->connections, COUNT_VALUE_MOST);
    add_number(out, counts->rate, COUNT_VALUE_MOST);
    add_left(out, counts->rate_left);
    add_number(out, counts->failed, COUNT_VALUE_MOST);
    add_left(out, counts->failed_left);
}

/* ---- Reading ---- */

struct reader {
    const unsigned char *at, *end;
};

static bool read_number(struct reader *reader, int64_t most, int64_t *number)
{
    *number = 0;
    for (unsigned i = 0; i < MOST_DIGITS && reader->at < reader->end; i++) {
        const unsigned char byte = *reader->at++;
        *number |= (int64_t)(byte & 127) << 7 * i;
        if (byte < 128)
            return *number <= most;
    }
    return false;
}

static bool read_left(struct reader *reader, int64_t *ns)
{
    int64_t ms;
    const bool ok = read_number(reader, COUNT_VALUE_LEFT_MS, &ms);
    *ns = ms * NS_PER_MS;
    return ok;
}

static bool read_key(struct reader *reader, struct tally_key *key)
{
    if (reader->at == reader->end)
        return false;
    const size_t size = *reader->at++;
    if (size == 0 || size > TALLY_KEY_BYTES || size > (size_t)(reader->end - reader->at))
        return false;
    key->size = (uint8_t)size;
    memcpy(key->bytes, reader->at, size);
    reader->at += size;
    return key->bytes[0] == 'u' || (key->bytes[0] == '4' && size == 5) ||
           (key->bytes[0] == '6' && size == 9);
}

static bool read_counts(struct reader *reader, struct tally_counts *counts)
{
    return read_number(reader, COUNT_VALUE_MOST, &counts->connections) &&
           read_number(reader, COUNT_VALUE_MOST, &counts->rate) &&
           read_left(reader, &counts->rate_left) &&
           read_number(reader, COUNT_VALUE_MOST, &counts->failed) &&
           read_left(reader, &counts->failed_left);
}

static bool read_all(struct reader reader, count_value_each *each, void *data)
{
    struct tally_key key;
    struct tally_counts counts;
    if (reader.at == reader.end || *reader.at++ != VERSION)
        return false;
    while (reader.at < reader.end) {
        if (!read_key(&reader, &key) || !read_counts(&reader, &counts))
            return false;
        if (each)
            each(data, &key, &counts);
    }
    return true;
}

bool count_value_read(weir_string value, count_value_each *each, void *data)
{
    const unsigned char *bytes = (const unsigned char *)(value.data ? value.data : "");
    const struct reader reader = {bytes, bytes + (value.data ? value.size : 0)};
    return read_all(reader, NULL, NULL) && (!each || read_all(reader, each, data));
}
