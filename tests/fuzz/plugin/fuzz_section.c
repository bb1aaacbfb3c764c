/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a shared object: its manifest is read, or refused with one sentence. The input is a
 * copy of exactly its size, so that a read past the end is seen. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/host/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct error error = {""};
    struct plugin_identity identity;
    char *copy = malloc(size);
    if (size == 0 || !copy) {
        free(copy);
        return 0;
    }
    memcpy(copy, bytes, size);
    char *text = plugin_section_text_in(copy, size, "x.so", WEIR_MANIFEST_SECTION, &error);
    if (text && plugin_identity_read(&identity, text, "x.so", &error) == 0)
        json_decref(identity.json);
    else
        assert(strncmp(error.message, "x.so: ", 6) == 0);
    free(text);
    free(copy);
    return 0;
}
