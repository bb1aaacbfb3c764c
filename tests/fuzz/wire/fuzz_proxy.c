/* SPDX-License-Identifier: Apache-2.0
 *
 * Arbitrary bytes as a PROXY header: whole, and as each of their beginnings. What has been read does not
 * change with more bytes, and lies within the header. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const struct wire_proxy_header *header, const uint8_t *bytes,
                   struct wire_string value)
{
    const uint8_t *start = (const uint8_t *)value.data;
    assert(value.size == 0 || (start >= bytes && value.size <= header->size &&
                               start + value.size <= bytes + header->size));
}

static void look_into(const struct wire_proxy_header *header, const uint8_t *bytes)
{
    struct wire_string value;
    inside(header, bytes, header->tlvs);
    for (unsigned type = 0; type <= UINT8_MAX; type++)
        if (wire_proxy_tlv_find(header->tlvs, (uint8_t)type, &value))
            inside(header, bytes, value);
}

/* Returns the step of the first bytes, which end with their memory. */
static enum wire_proxy_step step_of(const uint8_t *data, size_t part)
{
    struct wire_proxy_header header;
    uint8_t *bytes = malloc(part);
    memcpy(bytes, data, part);
    enum wire_proxy_step step = wire_decode_proxy_header(bytes, part, &header);
    assert(step != WIRE_PROXY_MORE ||
           (header.least > part && header.least <= WIRE_PROXY_MAX_BYTES));
    assert(step != WIRE_PROXY_WHOLE || (header.size > 0 && header.size <= part));
    assert((step == WIRE_PROXY_BROKEN) == (header.broken != NULL));
    if (step == WIRE_PROXY_WHOLE)
        look_into(&header, bytes);
    free(bytes);
    return step;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum wire_proxy_step step = WIRE_PROXY_MORE;
    for (size_t part = 1; part <= size && step == WIRE_PROXY_MORE; part++)
        step = step_of(data, part);
    assert(size == 0 || step_of(data, size) == step);
    return 0;
}
