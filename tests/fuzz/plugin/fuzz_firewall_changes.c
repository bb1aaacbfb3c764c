/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as what another node of a cluster tells of allow-lists: they are read as changes, and what these print reads
 * as the same changes, in texts that are no longer than they may be. */
#include <assert.h>
#include <stdint.h>

#include "changes.h"

#define MOST 8192

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool collect(void *user, weir_string text)
{
    assert(text.size && text.size <= MOST);
    strbuf_add(user, text.data, text.size);
    return true;
}

static void check(bool holds)
{
    if (!holds)
        __builtin_trap();
}

/* Reads, and prints what was read. */
static void pass_on(weir_string text, struct strbuf *out, size_t *wrong)
{
    struct changes *changes = changes_new();
    check(changes && changes_read(changes, text, wrong));
    check(changes_print(changes, MOST, collect, out));
    changes_free(changes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT;
    size_t wrong = 0, wrong_again = 0;
    pass_on((weir_string){(const char *)bytes, size}, &once, &wrong);
    pass_on((weir_string){once.data, once.size}, &twice, &wrong_again);
    check(wrong_again == 0 && once.size == twice.size);
    check(once.size == 0 || memcmp(once.data, twice.data, once.size) == 0);
    strbuf_release(&once);
    strbuf_release(&twice);
    return 0;
}
