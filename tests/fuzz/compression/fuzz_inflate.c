/* SPDX-License-Identifier: Apache-2.0
 *
 * Arbitrary bytes as compressed frames. Input: a byte that chooses the algorithm and how the rest is cut, the frames.
 * A frame never gives more than it claims, nor more than is allowed; how it is cut changes nothing. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "compression/compression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST_BYTES 100000

struct seen {
    size_t bytes, in_frame;
    uint32_t sum;
    bool understood;
};

static void keep(void *context, const uint8_t *bytes, size_t size)
{
    struct seen *seen = context;
    seen->bytes += size;
    seen->in_frame += size;
    assert(seen->in_frame <= MOST_BYTES);
    for (size_t i = 0; i < size; i++)
        seen->sum = seen->sum * 31 + bytes[i];
}

static const char *begin(void *context, uint8_t number)
{
    struct seen *seen = context;
    seen->in_frame = 0;
    return number == 77 ? "not this one" : NULL;
}

static struct seen run(const uint8_t *data, size_t size, enum compression_algorithm algorithm,
                       size_t piece)
{
    struct seen seen = {0};
    const char *problem = NULL;
    struct inflater *inflater = inflater_new(algorithm, MOST_BYTES, keep, begin, &seen);
    assert(inflater);
    for (size_t at = 0; at < size && !problem;) {
        const size_t there = size - at < piece ? size - at : piece;
        uint8_t *copy = malloc(there);
        memcpy(copy, data + at, there);
        const uint8_t *pos = copy;
        while (pos < copy + there && !problem)
            problem = inflater_bytes(inflater, &pos, copy + there);
        free(copy);
        at += there;
    }
    inflater_free(inflater);
    seen.understood = problem == NULL;
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const enum compression_algorithm algorithm = data[0] & 1 ? COMPRESSION_ZSTD : COMPRESSION_ZLIB;
    struct seen whole = run(data + 1, size - 1, algorithm, size);
    struct seen cut = run(data + 1, size - 1, algorithm, 1 + (data[0] >> 1));
    if (whole.understood && cut.understood) /* damage is noticed earlier in longer pieces */
        assert(whole.bytes == cut.bytes && whole.sum == cut.sum);
    return 0;
}
