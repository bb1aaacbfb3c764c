/* SPDX-License-Identifier: Apache-2.0
 *
 * keyword_table: runs while weir is built, and writes the table of keywords.def in C: for words of
 * up to 16 bytes a hash table (keyword_hash.h), for the few longer ones a list. */
#include "sql/keyword_hash.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_BYTES 16

static const struct {
    const char *enumerator, *name, *flags;
} words[] = {
#define X(enumerator, name, flags) {#enumerator, name, #flags},
#include "sql/keywords.def"
#undef X
};
enum { WORDS = sizeof words / sizeof words[0] };

_Static_assert(WORDS <= KEYWORD_SLOTS / 2, "a search soon comes to a free slot");

static int slots[KEYWORD_SLOTS]; /* 1 + the index of its word; 0: free */

static void place_short_words(void)
{
    for (unsigned word = 0; word < WORDS; word++) {
        size_t size = strlen(words[word].name);
        uint64_t half[2] = {0, 0};
        if (size > SHORT_BYTES)
            continue;
        memcpy(half, words[word].name, size);
        unsigned slot = keyword_slot(half);
        while (slots[slot] > 0)
            slot = keyword_slot_after(slot);
        slots[slot] = (int)word + 1;
    }
}

/* The longer words by their length, and where each length begins. */
static void print_long_words(void)
{
    unsigned starts[KEYWORD_LONGEST + 2] = {0};
    unsigned count = 0;
    printf("const struct sql_long_keyword sql_long_keywords[] = {\n");
    for (size_t size = SHORT_BYTES + 1; size <= KEYWORD_LONGEST; size++) {
        starts[size] = count;
        for (unsigned word = 0; word < WORDS; word++) {
            if (strlen(words[word].name) == size) {
                printf("    {\"%s\", {SQL_WORD_%s, %s}},\n", words[word].name,
                       words[word].enumerator, words[word].flags);
                count++;
            }
        }
    }
    starts[KEYWORD_LONGEST + 1] = count;
    printf("};\n\nconst unsigned char sql_long_keyword_starts[KEYWORD_LONGEST + 2] = {\n");
    for (size_t size = SHORT_BYTES + 1; size <= KEYWORD_LONGEST + 1; size++)
        printf("    [%zu] = %u,\n", size, starts[size]);
    printf("};\n");
}

static void print_short_words(void)
{
    printf("const union sql_keyword_name sql_keyword_names[KEYWORD_SLOTS] = {\n");
    for (unsigned slot = 0; slot < KEYWORD_SLOTS; slot++)
        printf("    {\"%s\"},\n", slots[slot] > 0 ? words[slots[slot] - 1].name : "");
    printf("};\n\nconst struct sql_keyword sql_keyword_rows[KEYWORD_SLOTS] = {\n");
    for (unsigned slot = 0; slot < KEYWORD_SLOTS; slot++) {
        if (slots[slot] > 0) {
            printf("    [%u] = {SQL_WORD_%s, %s},\n", slot, words[slots[slot] - 1].enumerator,
                   words[slots[slot] - 1].flags);
        }
    }
    printf("};\n\n");
}

int main(void)
{
    place_short_words();
    printf("/* Made by keyword_table from keywords.def. */\n#include \"sql/keyword_find.h\"\n\n");
    print_short_words();
    print_long_words();
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
