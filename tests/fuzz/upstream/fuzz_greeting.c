/* SPDX-License-Identifier: Apache-2.0
 *
 * What a server answers to a probe. Input: a byte that says how many bytes are fed at a time, and
 * whether TLS is wanted, then the bytes of the server. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/upstream/greeting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of its own for each piece, so that reading past its end is seen. */
static enum greeting_step feed(struct greeting *greeting, const uint8_t *bytes, size_t size,
                               struct strbuf *out, struct error *error)
{
    uint8_t *copy = malloc(size);
    assert(copy);
    memcpy(copy, bytes, size);
    enum greeting_step step = greeting_feed(greeting, copy, size, out, "tcp://fuzz", error);
    free(copy);
    return step;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct greeting greeting;
    struct strbuf out = STRBUF_INIT;
    struct error error = {""};
    enum greeting_step step = GREETING_MORE;
    size_t piece = size ? data[0] + 1U : 1;
    greeting_init(&greeting, size && data[0] & 1);
    for (size_t at = 1; at < size && step == GREETING_MORE; at += piece) {
        step = feed(&greeting, data + at, piece < size - at ? piece : size - at, &out, &error);
        if (step == GREETING_SECURE)
            step = greeting_secured(&greeting, &out);
    }
    assert((step == GREETING_FAILED) == (error.message[0] != 0));
    assert(step != GREETING_DONE || greeting.has_profile);
    assert(step != GREETING_FAILED || !greeting.has_profile);
    assert(greeting.has_profile || out.size == 0); /* nothing is said to whom is not understood */
    assert(memchr(greeting.profile.version, 0, sizeof greeting.profile.version));
    assert(!strchr(error.message, '\n')); /* it goes to the log */
    greeting_release(&greeting);
    strbuf_release(&out);
    return 0;
}
