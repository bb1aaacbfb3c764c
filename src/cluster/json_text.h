/* SPDX-License-Identifier: Apache-2.0
 *
 * What nodes write as JSON, by jansson. */
#ifndef WEIR_CLUSTER_JSON_TEXT_H
#define WEIR_CLUSTER_JSON_TEXT_H

#include <jansson.h>
#include <stdlib.h>

#include "base/base.h"

/* text may be foreign: one that is not UTF-8 is left out. NULL: empty. Returns owned, or NULL without memory. */
static inline json_t *json_text_of(const char *text)
{
    json_t *value = json_string(text ? text : "");
    return value ? value : json_string("");
}

/* Takes root. NULL, for want of memory, makes out failed. */
static inline void json_text_write(struct strbuf *out, json_t *root)
{
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    if (text)
        strbuf_add_text(out, text);
    else
        out->failed = true;
    free(text);
    json_decref(root);
}

#endif
