/* SPDX-License-Identifier: Apache-2.0
 *
 * Only the last % can ever need another try: what stood before it has matched as early as it could.
 */
#include "base/like.h"

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

bool text_is_like(const char *text, const char *pattern, size_t size)
{
    const char *at = pattern, *end = pattern + size;
    const char *after_run = NULL, *run_end = NULL; /* after the last %, and where its run ends */
    while (*text || at < end) {
        if (at < end && *at == '%') {
            after_run = ++at;
            run_end = text;
            continue;
        }
        if (at < end && *text) {
            bool is_any = *at == '_';
            const char *byte = *at == '\\' && end - at > 1 ? at + 1 : at;
            if (is_any || lower(*byte) == lower(*text)) {
                at = byte + 1;
                text++;
                continue;
            }
        }
        if (!after_run || !*run_end)
            return false;
        at = after_run;
        text = ++run_end;
    }
    return true;
}
