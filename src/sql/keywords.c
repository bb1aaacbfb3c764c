/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking up words of any length. */
#include "sql/keyword_find.h"

struct sql_keyword sql_keyword_find(const char *lower, size_t size)
{
    if (size == 0 || lower[size - 1] == '\0')
        return (struct sql_keyword){SQL_NO_WORD, 0}; /* filling it up would make a keyword of it */
    if (size <= BLOCK_BYTES) {
        union sql_keyword_name name = {""};
        memcpy(name.bytes, lower, size);
        return sql_keyword_of_block(name.block);
    }
    unsigned end = size <= KEYWORD_LONGEST ? sql_long_keyword_starts[size + 1] : 0;
    for (unsigned i = end > 0 ? sql_long_keyword_starts[size] : 0; i < end; i++)
        if (memcmp(sql_long_keywords[i].name, lower, size) == 0)
            return sql_long_keywords[i].keyword;
    return (struct sql_keyword){SQL_NO_WORD, 0};
}
