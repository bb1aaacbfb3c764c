/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts changes after Damerau and Levenshtein: a letter too many, one missing, another one, or two
 * that changed places. A name is near when a third of its letters would have to change at most. */
#include "nearest.h"

#include <ctype.h>
#include <string.h>

#define LETTERS 64 /* longer words are not looked at */

enum { BEGINNING = 1 }; /* what a name costs of which only the beginning is near */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int letter(const char *word, size_t index)
{
    return tolower((unsigned char)word[index]);
}

/* From a word to the first `columns` letters of another. */
static size_t changes(const char *from, const char *to, size_t columns)
{
    size_t rows = strlen(from);
    size_t table[3]
                [LETTERS + 1]; /* the row of the last letter but one, of the last one, and this */
    size_t *older = table[0], *old = table[1], *now = table[2];
    if (rows > LETTERS || columns > LETTERS)
        return rows + columns;
    for (size_t i = 0; i <= columns; i++)
        old[i] = older[i] = i;
    for (size_t i = 1; i <= rows; i++) {
        now[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t other = letter(from, i - 1) != letter(to, j - 1);
            now[j] = least(least(old[j] + 1, now[j - 1] + 1), old[j - 1] + other);
            if (i > 1 && j > 1 && letter(from, i - 1) == letter(to, j - 2) &&
                letter(from, i - 2) == letter(to, j - 1))
                now[j] = least(now[j], older[j - 2] + 1);
        }
        size_t *free_row = older;
        older = old;
        old = now;
        now = free_row;
    }
    return old[columns];
}

const char *nearest_name(const char *word, const char *(*name)(size_t index), size_t count)
{
    const char *best = NULL;
    size_t best_changes = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(name(i)), needed = changes(word, name(i), size);
        if (size > strlen(word)) /* "Dorp" is near DropTable */
            needed = least(needed, changes(word, name(i), strlen(word)) + BEGINNING);
        if (3 * needed <= least(size, strlen(word)) + 3 && (!best || needed < best_changes)) {
            best = name(i);
            best_changes = needed;
        }
    }
    return best;
}
