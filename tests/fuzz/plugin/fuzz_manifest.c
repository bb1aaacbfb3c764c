/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as manifest.toml: refused with one sentence that begins with the file's name, or right
 * enough that C and JSON can be made of it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/package/generate.h"
#include "plugin/package/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct plugin_manifest manifest;
    struct error error = {""};
    if (plugin_manifest_parse(&manifest, (const char *)bytes, size, "m.toml", NULL, &error) < 0) {
        assert(strncmp(error.message, "m.toml:", 7) == 0);
        assert(!manifest.document);
        return 0;
    }
    struct strbuf code = STRBUF_INIT;
    json_t *json = plugin_manifest_json(&manifest);
    char *text = json_dumps(json, JSON_SORT_KEYS);
    assert(text);
    plugin_generate_source(&manifest, text, &code);
    plugin_generate_prototypes(&manifest, &code);
    assert(!code.failed);
    strbuf_release(&code);
    free(text);
    json_decref(json);
    plugin_manifest_release(&manifest);
    return 0;
}
