/* SPDX-License-Identifier: Apache-2.0
 *
 * Histories at random of nodes that tell changes, merge keys, are killed in the middle of that, and lose answers: whoever reads
 * at any moment reads what all keys say that were ever told, in the order in which they were. */
#include "told.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/text.h>

#include "firewall_test.h"

#define KEYS    512
#define AUTHORS 3
#define WORDS   16384

/* ---- The store ---- */

struct entry {
    char name[TOLD_NAME_BYTES];
    char *text; /* owned; NULL: it is gone */
    int64_t revision;
};

static struct entry entries[KEYS];
static size_t entry_count;
static int64_t revision;
static struct changes *reference; /* all that was told, in order */
static struct changes *followed;
static struct told_authors follower;

static struct entry *find(const char *name)
{
    for (size_t i = 0; i < entry_count; i++)
        if (strcmp(entries[i].name, name) == 0)
            return &entries[i];
    return NULL;
}

/* What the list of the store has. Returns owned. */
static struct told_list *read_store(void)
{
    static weir_store_entry found[KEYS];
    static char keys[KEYS][TOLD_NAME_BYTES + 8];
    size_t count = 0;
    for (size_t i = 0; i < entry_count; i++) {
        if (!entries[i].text)
            continue;
        snprintf(keys[count], sizeof keys[count], TOLD_PREFIX "%.*s", TOLD_NAME_BYTES - 1,
                 entries[i].name);
        found[count] = (weir_store_entry){.key = text_of(keys[count]),
                                          .value = text_of(entries[i].text),
                                          .revision = entries[i].revision};
        count++;
    }
    struct told_list *list = told_copy(found, sizeof *found, count);
    assert_non_null(list);
    return list;
}

/* The follower is told at once. */
static void follow(const struct entry *entry)
{
    char key[TOLD_NAME_BYTES + 8];
    size_t wrong = 0;
    snprintf(key, sizeof key, TOLD_PREFIX "%.*s", TOLD_NAME_BYTES - 1, entry->name);
    const weir_store_entry one = {
        .key = text_of(key), .value = text_of(entry->text), .revision = entry->revision};
    struct told_list *list = told_copy(&one, sizeof one, 1);
    assert_non_null(list);
    assert_true(told_read(list, &follower, followed, &wrong));
    assert_int_equal(wrong, 0);
    told_free(list);
}

/* A put of a key that must not be there. False: it is. */
static bool put(const char *name, const char *text)
{
    struct entry *entry = find(name);
    if (entry && entry->text)
        return false;
    assert_true(entry_count < KEYS);
    entry = entry ? entry : &entries[entry_count++];
    snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->text = strdup(text);
    entry->revision = ++revision;
    follow(entry);
    return true;
}

static void take_away(const char *name)
{
    struct entry *entry = find(name);
    if (entry && entry->text) {
        free(entry->text);
        entry->text = NULL;
        revision++;
    }
}

/* ---- Comparing ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct lines {
    char *items[256]; /* owned */
    size_t count;
};

static bool add_lines(void *user, weir_string text)
{
    struct lines *lines = user;
    char account[128] = "", database[128] = "", whole[1024];
    char *copy = strndup(text.data, text.size), *rest = NULL;
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "account", 7) == 0) {
            snprintf(account, sizeof account, "%s", line);
            database[0] = '\0';
        } else if (strncmp(line, "database", 8) == 0) {
            snprintf(database, sizeof database, "%s", line);
        } else {
            char *digest = strstr(line, "digest ");
            if (digest) /* what follows the digits is for people */
                digest[strlen("digest ") + 2 * (size_t)KEY_BYTES] = '\0';
            snprintf(whole, sizeof whole, "%s|%s|%.200s", account, database, line);
            assert_true(lines->count < 256);
            lines->items[lines->count++] = strdup(whole);
        }
    }
    free(copy);
    return true;
}

/* What changes say, whatever the order in which they do. */
static void print_all(const struct changes *changes, char words[WORDS])
{
    struct lines lines = {.count = 0};
    size_t size = 0;
    assert_true(changes_print(changes, TOLD_TEXT_BYTES, add_lines, &lines));
    qsort(lines.items, lines.count, sizeof *lines.items, by_text);
    words[0] = '\0';
    for (size_t i = 0; i < lines.count; i++) {
        size += (size_t)snprintf(words + size, WORDS - size, "%s\n", lines.items[i]);
        assert_true(size < WORDS);
        free(lines.items[i]);
    }
}

static void compare(const struct changes *found, const char *who, unsigned seed)
{
    static char wanted[WORDS], words[WORDS];
    print_all(reference, wanted);
    print_all(found, words);
    if (strcmp(wanted, words) == 0)
        return;
    print_error("seed %u: %s has\n", seed, who);
    puts(words);
    puts("instead of");
    puts(wanted);
    fail();
}

/* A node that begins now. */
static void check(unsigned seed)
{
    struct changes *changes = changes_new();
    struct told_authors authors = {NULL, 0, 0};
    size_t wrong = 0;
    struct told_list *list = read_store();
    list->is_everything = true;
    assert_true(told_read(list, &authors, changes, &wrong));
    assert_int_equal(wrong, 0);
    compare(changes, "who reads everything", seed);
    compare(followed, "who has followed", seed);
    told_authors_release(&authors);
    told_free(list);
    changes_free(changes);
}

/* ---- Nodes ---- */

struct work {
    char *name, *text; /* owned; text NULL: delete */
};

static struct node {
    uint64_t author;
    uint32_t number, serial;
    char *last; /* text of its last key, owned; may be put again */
    struct work work[KEYS];
    size_t begun, count; /* of the work */
} nodes[AUTHORS];

static unsigned seed_of_now;

static unsigned random_below(unsigned limit)
{
    seed_of_now = seed_of_now * 1664525 + 1013904223;
    return (seed_of_now >> 12) % limit;
}

static void make_text(char text[4096])
{
    static const char *const databases[] = {"", "shop", "stock"};
    size_t size = 0;
    for (unsigned i = 0, count = 1 + random_below(4); i < count; i++) {
        char line[KEY_LINE_BYTES + 1];
        const struct key key = test_key(random_below(6));
        line[key_print(&key, line)] = '\0';
        size += (size_t)snprintf(text + size, 4096 - size, "account %s\n",
                                 random_below(2) ? "a@%" : "b@%");
        const unsigned what = random_below(16);
        if (what == 0)
            size += (size_t)snprintf(text + size, 4096 - size, "gone\n");
        else if (what < 3)
            size += (size_t)snprintf(text + size, 4096 - size, "mode %s\n",
                                     what == 1 ? "DEFAULT" : "RECORDING");
        else
            size += (size_t)snprintf(text + size, 4096 - size, "database %s\n%s%s",
                                     databases[random_below(3)], what < 8 ? "forget " : "", line);
    }
}

static void tell(struct node *node)
{
    char text[4096], name[TOLD_NAME_BYTES];
    size_t wrong = 0;
    make_text(text);
    told_name(node->author, node->number++, name);
    assert_true(put(name, text));
    assert_true(changes_read(reference, text_of(text), &wrong));
    assert_int_equal(wrong, 0);
    free(node->last);
    node->last = strdup(text);
}

/* The answer was lost, and it is put again, whatever has become of it. */
static void tell_again(const struct node *node)
{
    char name[TOLD_NAME_BYTES];
    if (!node->last)
        return;
    told_name(node->author, node->number - 1, name);
    (void)put(name, node->last);
}

static void forget_work(struct node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        free(node->work[i].name);
        free(node->work[i].text);
    }
    node->begun = node->count = 0;
}

static bool add_part(void *user, const char *name, weir_string text)
{
    struct node *node = user;
    assert_true(node->count < KEYS);
    node->work[node->count++] = (struct work){strdup(name), strndup(text.data, text.size)};
    return true;
}

static void begin_work(struct node *node)
{
    struct told_list *list = read_store();
    assert_true(told_merge(list, node->author, node->serial++, 300, add_part, node));
    for (size_t i = 0; i < list->count; i++)
        node->work[node->count++] = (struct work){strdup(list->told[i].name), NULL};
    told_free(list);
}

/* One step of its tidying up, as slow as chance will have it. */
static void go_on(struct node *node)
{
    if (node->begun == node->count) {
        forget_work(node);
        begin_work(node);
    }
    if (node->begun == node->count)
        return;
    const struct work *next = &node->work[node->begun++];
    if (next->text)
        assert_true(put(next->name, next->text));
    else
        take_away(next->name);
}

/* It is killed, and begins anew as another author. */
static void kill_node(struct node *node)
{
    static uint64_t authors;
    forget_work(node);
    free(node->last);
    *node = (struct node){.author = 0x1000 + authors++};
}

static void reset(void)
{
    while (entry_count > 0)
        free(entries[--entry_count].text);
    changes_free(reference);
    changes_free(followed);
    told_authors_release(&follower);
    reference = changes_new();
    followed = changes_new();
    revision = 0;
    for (int i = 0; i < AUTHORS; i++)
        kill_node(&nodes[i]);
}

static void play(unsigned seed)
{
    seed_of_now = seed;
    reset();
    for (int i = 0; i < 200; i++) {
        struct node *node = &nodes[random_below(AUTHORS)];
        const unsigned what = random_below(20);
        if (what < 4)
            tell(node);
        else if (what < 5)
            tell_again(node);
        else if (what == 5 && random_below(4) == 0)
            kill_node(node);
        else
            go_on(node);
        check(seed);
    }
}

static void whoever_reads_at_any_moment_reads_the_same(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 200; seed++)
        play(seed);
    reset();
    for (int i = 0; i < AUTHORS; i++)
        free(nodes[i].last);
    changes_free(reference);
    changes_free(followed);
}

/* ---- Single cases ---- */

static struct told_list *list_of(const struct entry *from, size_t count)
{
    struct told_list *list = calloc(1, sizeof *list);
    list->told = calloc(count + 1, sizeof *list->told);
    for (size_t i = 0; i < count; i++) {
        struct told *told = &list->told[list->count++];
        snprintf(told->name, sizeof told->name, "%s", from[i].name);
        told->text = strdup(from[i].text);
        told->size = strlen(told->text);
        told->revision = from[i].revision;
    }
    list->is_everything = true;
    return list;
}

static int mode_in(const struct entry *from, size_t count)
{
    struct told_list *list = list_of(from, count);
    struct changes *changes = changes_new();
    struct told_authors authors = {NULL, 0, 0};
    size_t wrong = 0;
    assert_true(told_read(list, &authors, changes, &wrong));
    const int mode = changes->first ? changes->first->mode : MODE_UNSAID;
    told_authors_release(&authors);
    changes_free(changes);
    told_free(list);
    return mode;
}

#define FIRST  "merged-0000000000000005-00000000000000aa-00000001-0000-0002"
#define SECOND "merged-0000000000000005-00000000000000aa-00000001-0001-0002"

static void a_merged_text_is_as_old_as_what_it_is_made_of(void **state)
{
    struct entry found[] = {
        {FIRST, (char *)"account a@%\nmode OFF\n", 8},
        {SECOND, (char *)"done 00000000000000bb 00000003\n", 9},
        {"00000000000000cc-00000000", (char *)"account a@%\nmode DETECTING\n", 6}};
    (void)state;
    assert_int_equal(mode_in(found, 3), FIREWALL_DETECTING);
    found[2].revision = 4;
    assert_int_equal(mode_in(found, 3), FIREWALL_OFF);
    found[2].revision = 10; /* but it is one of those that are merged */
    snprintf(found[2].name, sizeof found[2].name, "00000000000000bb-00000003");
    assert_int_equal(mode_in(found, 3), FIREWALL_OFF);
    snprintf(found[2].name, sizeof found[2].name, "00000000000000bb-00000004");
    assert_int_equal(mode_in(found, 3), FIREWALL_DETECTING);
}

static void a_part_of_a_merged_text_says_nothing(void **state)
{
    const struct entry found[] = {
        {FIRST, (char *)"account a@%\nmode OFF\n", 8},
        {"00000000000000bb-00000000", (char *)"account a@%\nmode DETECTING\n", 4}};
    (void)state;
    assert_int_equal(mode_in(found, 2), FIREWALL_DETECTING);
    assert_int_equal(mode_in(found, 1), MODE_UNSAID);
}

static void names_are_read_strictly(void **state)
{
    static const char *const wrong[] = {
        "merged",
        "merged-5-aa-1-0-1",
        "MERGED-0000000000000005-00000000000000aa-00000001-0000-0002",
        "merged-0000000000000005-00000000000000aa-00000001-0002-0002",
        "merged-0000000000000005-00000000000000aa-00000001-0000-0000",
        "merged-0000000000000005-00000000000000AA-00000001-0000-0002",
        "merged-8000000000000005-00000000000000aa-00000001-0000-0002",
        "merged-0000000000000005-00000000000000aa-00000001-0000-0002 "};
    (void)state;
    assert_true(told_is_merged(FIRST));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(told_is_merged(wrong[i]));
}

static bool refuse_part(void *user, const char *name, weir_string text)
{
    (void)user, (void)name, (void)text;
    fail();
    return false;
}

/* What this version cannot read would be lost. */
static void lines_that_make_no_sense_are_not_merged(void **state)
{
    const struct entry found[] = {
        {"00000000000000bb-00000000", (char *)"account a@%\nfrobnicate\n", 4}};
    struct told_list *list = list_of(found, 1);
    (void)state;
    assert_false(told_merge(list, 1, 1, TOLD_TEXT_BYTES, refuse_part, NULL));
    told_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_merged_text_is_as_old_as_what_it_is_made_of),
        cmocka_unit_test(a_part_of_a_merged_text_says_nothing),
        cmocka_unit_test(names_are_read_strictly),
        cmocka_unit_test(lines_that_make_no_sense_are_not_merged),
        cmocka_unit_test(whoever_reads_at_any_moment_reads_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
