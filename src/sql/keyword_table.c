/* SPDX-License-Identifier: Apache-2.0
 *
 * keyword_table: runs while weir is built, and writes the table of keywords.def in C: for words of
 * up to 16 bytes a perfect hash (keyword_hash.h), for the few longer ones a list.
 *
 * The displacements are found group by group, the largest first, each the first one that puts all
 * words of its group into free slots; when there is none, another multiplier is tried. */
#include "sql/keyword_hash.h"

#include <stdbool.h>
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

static uint64_t hashes[WORDS];
static unsigned displacements[KEYWORD_GROUPS];
static int slots[KEYWORD_SLOTS]; /* 1 + the index of its word; 0: free */

static bool is_short(unsigned word)
{
    return strlen(words[word].name) <= SHORT_BYTES;
}

static unsigned group_size(unsigned group)
{
    unsigned size = 0;
    for (unsigned word = 0; word < WORDS; word++) {
        size += is_short(word) && keyword_group(hashes[word]) == group;
    }
    return size;
}

static void clear_group(unsigned group)
{
    for (unsigned slot = 0; slot < KEYWORD_SLOTS; slot++) {
        if (slots[slot] > 0 && keyword_group(hashes[slots[slot] - 1]) == group) {
            slots[slot] = 0;
        }
    }
}

static bool place_group(unsigned group, unsigned displacement)
{
    for (unsigned word = 0; word < WORDS; word++) {
        if (!is_short(word) || keyword_group(hashes[word]) != group) {
            continue;
        }
        unsigned slot = keyword_slot(hashes[word], displacement);
        if (slots[slot] > 0) {
            clear_group(group);
            return false;
        }
        slots[slot] = (int)word + 1;
    }
    displacements[group] = displacement;
    return true;
}

static bool find_displacement(unsigned group)
{
    unsigned displacement = 0;
    while (displacement < KEYWORD_SLOTS && !place_group(group, displacement)) {
        displacement++;
    }
    return displacement < KEYWORD_SLOTS;
}

static bool place_all(uint64_t multiplier)
{
    memset(slots, 0, sizeof slots);
    for (unsigned word = 0; word < WORDS; word++) {
        uint64_t half[2] = {0, 0};
        memcpy(half, words[word].name, is_short(word) ? strlen(words[word].name) : 0);
        hashes[word] = keyword_hash(half, multiplier);
    }
    static unsigned sizes[KEYWORD_GROUPS];
    unsigned largest = 0;
    for (unsigned group = 0; group < KEYWORD_GROUPS; group++) {
        sizes[group] = group_size(group);
        largest = sizes[group] > largest ? sizes[group] : largest;
    }
    for (unsigned size = largest; size > 0; size--) {
        for (unsigned group = 0; group < KEYWORD_GROUPS; group++) {
            if (sizes[group] == size && !find_displacement(group)) {
                return false;
            }
        }
    }
    return true;
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
    for (size_t size = SHORT_BYTES + 1; size <= KEYWORD_LONGEST + 1; size++) {
        printf("    [%zu] = %u,\n", size, starts[size]);
    }
    printf("};\n");
}

static void print_table(uint64_t multiplier)
{
    printf("/* Made by keyword_table from keywords.def. */\n#include \"sql/keyword_find.h\"\n\n");
    printf("const uint64_t sql_keyword_multiplier = UINT64_C(%#llx);\n\n",
           (unsigned long long)multiplier);
    printf("const uint16_t sql_keyword_displacements[KEYWORD_GROUPS] = {\n");
    for (unsigned group = 0; group < KEYWORD_GROUPS; group++) {
        printf("    %u,\n", displacements[group]);
    }
    printf("};\n\nconst union sql_keyword_name sql_keyword_names[KEYWORD_SLOTS] = {\n");
    for (unsigned slot = 0; slot < KEYWORD_SLOTS; slot++) {
        printf("    {\"%s\"},\n", slots[slot] > 0 ? words[slots[slot] - 1].name : "");
    }
    printf("};\n\nconst struct sql_keyword sql_keyword_rows[KEYWORD_SLOTS] = {\n");
    for (unsigned slot = 0; slot < KEYWORD_SLOTS; slot++) {
        if (slots[slot] > 0) {
            printf("    [%u] = {SQL_WORD_%s, %s},\n", slot, words[slots[slot] - 1].enumerator,
                   words[slots[slot] - 1].flags);
        }
    }
    printf("};\n\n");
    print_long_words();
}

int main(void)
{
    uint64_t multiplier = UINT64_C(0xd6e8feb86659fd93);
    for (unsigned tries = 0; tries < 1000; tries++) {
        if (place_all(multiplier)) {
            print_table(multiplier);
            return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
        multiplier = multiplier * UINT64_C(0x5851f42d4c957f2d) + 2;
    }
    fprintf(stderr, "keyword_table: no perfect hash was found; give it more slots\n");
    return EXIT_FAILURE;
}
