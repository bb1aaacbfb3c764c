/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of a program, as one table.
 *
 * A table of struct option_row drives the command line, the TOML file, the environment, --help and
 * the man page, so that none of them can disagree. Flags are spelled with one dash or two, "-name
 * value" or "-name=value". What the command line says wins over the environment, which wins over
 * the file, which wins over the default. */
#ifndef WEIR_BASE_OPTIONS_H
#define WEIR_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/check.h"
#include "base/error.h"
#include "base/strbuf.h"

enum option_type {
    OPTION_HEADING, /* not an option: `name` is the title of those that follow */
    OPTION_TEXT,    /* char *, owned, NUL-terminated; NULL when unset and without default */
    OPTION_NUMBER,  /* long, between minimum and maximum */
    OPTION_FLAG,    /* bool; "-name" or "-name=false" */
    OPTION_CHOICE,  /* int: the index into choices */
};

/* When a value that differs takes effect in a program that reads its options again while it runs. */
#define OPTION_EFFECTS(X)                                                                          \
    X(OPTION_EFFECT_UNSAID, NULL) /* of programs that read their options once */                   \
    X(OPTION_AT_ONCE, "at once")                                                                   \
    X(OPTION_FOR_NEW_CONNECTIONS, "for new connections")                                           \
    X(OPTION_AT_NEXT_START, "at the next start")

enum option_effect {
#define X(enumerator, text) enumerator,
    OPTION_EFFECTS(X)
#undef X
};

struct option_row {
    const char *name;
    enum option_type type;
    enum option_effect effect;
    size_t offset;              /* of the value in the program's struct */
    const char *letter;         /* another spelling, "P"; NULL: none */
    const char *argument;       /* what --help calls the value, "DIR" */
    const char *fallback;       /* default as text; NULL: unset */
    long minimum, maximum;      /* OPTION_NUMBER */
    const char *const *choices; /* OPTION_CHOICE: NULL-terminated */
    const char *environment;    /* variable that sets it; NULL: none */
    bool is_secret;             /* never shown: whoever asks reads that there is one */
    bool is_argument;           /* of the command line only: a file cannot set it */
    const char *help;           /* one or two sentences, with the unit of a number */
};

struct option_table {
    const char *program;     /* "weir-server" */
    const char *synopsis;    /* one line: what the program is */
    const char *operands;    /* "-- PROGRAM ARGS..." or NULL: no operands are taken */
    const char *description; /* paragraphs for the man page */
    const struct option_row *rows;
    size_t count;
};

/* Sets the defaults. values is the program's struct, zeroed. */
int options_defaults(const struct option_table *table, void *values,
                     struct error *error) WEIR_MUST_CHECK;

/* Sets what the environment says. */
int options_environment(const struct option_table *table, void *values,
                        struct error *error) WEIR_MUST_CHECK;

/* Sets one option from text; `where` names its origin in errors ("-P", "weir.toml:3: port"). */
int options_set(const struct option_table *table, void *values, const char *name, const char *text,
                const char *where, struct error *error) WEIR_MUST_CHECK;

/* Parses the command line. Returns the index of the first operand, or -1. */
int options_arguments(const struct option_table *table, void *values, int argc, char **argv,
                      struct error *error) WEIR_MUST_CHECK;

/* The same for programs with commands: options may stand before the first operand and after it.
 * Moves the command to the front of its operands; returns its index, or -1. */
int options_around_command(const struct option_table *table, void *values, int argc, char **argv,
                           struct error *error) WEIR_MUST_CHECK;

/* The text that the command line gives for one option, or NULL: for -config, which is needed first.
 */
const char *options_peek(const struct option_table *table, const char *name, int argc, char **argv);

const struct option_row *options_find(const struct option_table *table, const char *name);

/* The option whose name is most like a misspelt one; NULL: none is. */
const char *options_nearest(const struct option_table *table, const char *name);

/* Calls misspelt() for each variable of the environment whose name is nearly that of an option's,
 * with that name. */
void options_misspelt_environment(const struct option_table *table,
                                  void misspelt(const char *name, const char *meant));

/* Appends the values that are in force, {"host":"127.0.0.1",...}: all but those of the command line
 * only; "(secret)" for a secret that is set. */
void options_write_json(const struct option_table *table, const void *values, struct strbuf *json);

void options_release(const struct option_table *table, void *values);

/* ---- Reading them again (options_effects.c) ---- */

/* "at once"; NULL: unsaid. */
const char *option_effect_text(enum option_effect effect);

typedef void option_differs(void *user, const struct option_row *row);

/* Calls differs() for each option whose values are not the same in both structs. */
void options_compare(const struct option_table *table, const void *values, const void *others,
                     option_differs *differs, void *user);

/* Sets one option to what it is in `from`, the table's struct as well. */
int options_copy(const struct option_row *row, void *values, const void *from,
                 struct error *error) WEIR_MUST_CHECK;

void options_print_help(const struct option_table *table, FILE *out);

/* The same as a configuration file: every option that a file can set, commented out. */
void options_print_file(const struct option_table *table, FILE *out);

/* The values as a configuration file, those of the command line only and secrets left out. */
void options_print_values(const struct option_table *table, const void *values, FILE *out);

/* The same as a man page in roff, section 1. */
void options_print_manual(const struct option_table *table, FILE *out);

/* What a file can set, for the man page of the file, section 5: a paragraph for each key. */
void options_print_keys(const struct option_table *table, FILE *out);

#endif
