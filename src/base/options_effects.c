/* SPDX-License-Identifier: Apache-2.0
 *
 * Options that are read again: when each takes effect, and which of them differ. */
#include <stdlib.h>
#include <string.h>

#include "base/options.h"

const char *option_effect_text(enum option_effect effect)
{
    static const char *const texts[] = {
#define X(enumerator, text) text,
        OPTION_EFFECTS(X)
#undef X
    };
    return texts[effect];
}

/* An unset text is an empty one: no option tells them apart. */
static bool is_same_text(const char *text, const char *other)
{
    return strcmp(text ? text : "", other ? other : "") == 0;
}

static bool is_same(const struct option_row *row, const void *at, const void *other)
{
    switch (row->type) {
    case OPTION_TEXT:
        return is_same_text(*(char *const *)at, *(char *const *)other);
    case OPTION_NUMBER:
        return *(const long *)at == *(const long *)other;
    case OPTION_FLAG:
        return *(const bool *)at == *(const bool *)other;
    case OPTION_CHOICE:
        return *(const int *)at == *(const int *)other;
    case OPTION_HEADING:
        break;
    }
    return true;
}

void options_compare(const struct option_table *table, const void *values, const void *others,
                     option_differs *differs, void *user)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        if (!is_same(row, (const char *)values + row->offset, (const char *)others + row->offset))
            differs(user, row);
    }
}

static int copy_text(char **text, const char *from, struct error *error)
{
    char *copy = from ? strdup(from) : NULL;
    if (from && !copy)
        return error_set(error, "out of memory");
    free(*text);
    *text = copy;
    return 0;
}

int options_copy(const struct option_row *row, void *values, const void *from, struct error *error)
{
    void *at = (char *)values + row->offset;
    const void *source = (const char *)from + row->offset;
    int status = 0;
    switch (row->type) {
    case OPTION_TEXT:
        status = copy_text(at, *(char *const *)source, error);
        break;
    case OPTION_NUMBER:
        *(long *)at = *(const long *)source;
        break;
    case OPTION_FLAG:
        *(bool *)at = *(const bool *)source;
        break;
    case OPTION_CHOICE:
        *(int *)at = *(const int *)source;
        break;
    case OPTION_HEADING:
        break;
    }
    return status;
}
