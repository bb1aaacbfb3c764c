/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes as text, in the lines of the lists' file where that has them. */
#include <stdlib.h>
#include <string.h>
#include <weir/account.h>
#include <weir/text.h>

#include "changes.h"

static const char untold[] = "(a text that another node has recorded)";

/* ---- Reading ---- */

struct reading {
    struct changes *changes;
    struct account_name account; /* size 0: none yet */
    weir_string database;        /* in the text, or absent */
    bool ok;
};

static bool read_key(struct reading *reading, const char *line, bool allows)
{
    struct key key;
    if (key_read(line, &key))
        return false;
    key.database = key.sort == KEY_COMMAND ? (weir_string){NULL, 0} : reading->database;
    if (key.sort == KEY_TEXT)
        key.shown = text_of(untold);
    reading->ok = changes_say_key(reading->changes, account_text(&reading->account), &key, allows);
    return true;
}

static bool read_mode(struct reading *reading, const char *name)
{
    const int mode = mode_read(name);
    if (mode == NO_MODE && strcmp(name, "DEFAULT") != 0)
        return false;
    reading->ok = changes_say_mode(reading->changes, account_text(&reading->account), mode);
    return true;
}

/* Returns whether the line makes sense. */
static bool read_line(struct reading *reading, const char *line)
{
    weir_string rest;
    if (line_is(line, "account", &rest)) {
        reading->database = (weir_string){NULL, 0};
        if (!account_parse(rest, &reading->account))
            return true;
        reading->account.size = 0; /* nor do the lines that follow */
        return false;
    }
    if (line[0] == '\0' || line[0] == '#')
        return true;
    if (reading->account.size == 0)
        return false;
    if (line_is(line, "database", &rest)) {
        reading->database = rest;
        if (rest.size < DATABASE_BYTES)
            return true;
        reading->account.size = 0; /* as above: what follows is of another database than any */
        return false;
    }
    if (line_is(line, "mode", &rest))
        return read_mode(reading, rest.data);
    if (line_is(line, "forget", &rest))
        return read_key(reading, rest.data, false);
    if (strcmp(line, "gone") != 0)
        return read_key(reading, line, true);
    reading->ok = changes_say_gone(reading->changes, account_text(&reading->account));
    return true;
}

bool changes_read(struct changes *changes, weir_string text, size_t *wrong)
{
    struct reading reading = {.changes = changes, .ok = true};
    if (text.size && memchr(text.data, '\0', text.size)) {
        ++*wrong;
        return true;
    }
    char *copy = text.size ? strndup(text.data, text.size) : strdup(""), *rest = NULL;
    if (!copy)
        return false;
    for (char *line = strtok_r(copy, "\n", &rest); line && reading.ok;
         line = strtok_r(NULL, "\n", &rest))
        *wrong += !read_line(&reading, line);
    free(copy);
    return reading.ok;
}

/* ---- Printing ---- */

struct printing {
    size_t most;
    bool (*each)(void *user, weir_string text);
    void *user;
    struct strbuf text, heading, piece;
    bool ok;
};

static void hand_over(struct printing *printing)
{
    const weir_string text = {printing->text.data, printing->text.size};
    if (text.size)
        printing->ok =
            printing->ok && !printing->text.failed && printing->each(printing->user, text);
    strbuf_reset(&printing->text);
    strbuf_reset(&printing->heading);
}

/* Adds the piece, below the heading of its account and database. */
static void add_piece(struct printing *printing, weir_string account, weir_string database)
{
    struct strbuf heading = STRBUF_INIT;
    heading_print(account, database, &heading);
    if (printing->text.size + heading.size + printing->piece.size > printing->most)
        hand_over(printing);
    const bool is_same = printing->heading.size == heading.size &&
                         memcmp(printing->heading.data, heading.data, heading.size) == 0;
    if (!is_same)
        strbuf_add(&printing->text, heading.data, heading.size);
    strbuf_add(&printing->text, printing->piece.data, printing->piece.size);
    printing->ok = printing->ok && !heading.failed && !printing->piece.failed;
    strbuf_release(&printing->heading);
    printing->heading = heading;
    strbuf_reset(&printing->piece);
}

static void print_key(struct printing *printing, weir_string account,
                      const struct changed_key *changed)
{
    char line[KEY_LINE_BYTES];
    struct key key = changed->key;
    if (!changed->allows)
        strbuf_add_text(&printing->piece, "forget ");
    if (!changed->allows || key.sort == KEY_TEXT)
        key.shown = (weir_string){NULL, 0};
    const size_t size = key_print(&key, line);
    strbuf_add(&printing->piece, line, size);
    add_piece(printing, account, key.database);
}

static void print_account(struct printing *printing, const struct changed_account *account)
{
    const weir_string name = {account->name, account->name_size}, none = {NULL, 0};
    if (account->is_gone)
        strbuf_add_text(&printing->piece, "gone\n");
    if (account->mode != MODE_UNSAID)
        strbuf_printf(&printing->piece, "mode %s\n",
                      account->mode == NO_MODE ? "DEFAULT" : firewall_mode_names[account->mode]);
    if (printing->piece.size)
        add_piece(printing, name, none);
    for (const struct changed_key *changed = account->first; changed; changed = changed->next)
        if (changed->is_said)
            print_key(printing, name, changed);
}

bool changes_print(const struct changes *changes, size_t most,
                   bool (*each)(void *user, weir_string text), void *user)
{
    struct printing printing = {.most = most,
                                .each = each,
                                .user = user,
                                .text = STRBUF_INIT,
                                .heading = STRBUF_INIT,
                                .piece = STRBUF_INIT,
                                .ok = true};
    for (const struct changed_account *account = changes->first; account && printing.ok;
         account = account->next)
        print_account(&printing, account);
    hand_over(&printing);
    strbuf_release(&printing.text);
    strbuf_release(&printing.heading);
    strbuf_release(&printing.piece);
    return printing.ok;
}
