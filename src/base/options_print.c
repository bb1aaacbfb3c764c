/* SPDX-License-Identifier: Apache-2.0
 *
 * --help and the man page, both from the option table. */
#include <string.h>
#include <unistd.h>

#include "base/options.h"

#define HELP_COLUMN 34 /* where the text of --help begins */
#define HELP_WIDTH  100

static void spell_row(const struct option_row *row, char *out, size_t size)
{
    snprintf(out, size, "%s%s%s-%s%s%s", row->letter ? "-" : "", row->letter ? row->letter : "",
             row->letter ? ", " : "", row->name, row->argument ? " " : "",
             row->argument ? row->argument : "");
}

/* Prints words from `column` on, breaking lines at HELP_WIDTH. */
static void print_wrapped(FILE *out, const char *text, int *position)
{
    while (*text) {
        size_t word = strcspn(text, " ");
        if (*position + (int)word > HELP_WIDTH) {
            fprintf(out, "\n%*s", HELP_COLUMN, "");
            *position = HELP_COLUMN;
        }
        fwrite(text, 1, word, out);
        *position += (int)word;
        text += word;
        if (*text == ' ') {
            fputc(' ', out);
            (*position)++;
            text++;
        }
    }
}

static void print_choices(const struct option_row *row, FILE *out, int *position)
{
    print_wrapped(out, " One of:", position);
    for (int i = 0; row->choices[i]; i++) {
        print_wrapped(out, " ", position);
        print_wrapped(out, row->choices[i], position);
    }
    print_wrapped(out, ".", position);
}

static void print_row(const struct option_row *row, FILE *out)
{
    char spelled[128];
    spell_row(row, spelled, sizeof spelled);
    int position = fprintf(out, "  %s", spelled);
    if (position >= HELP_COLUMN) {
        fputc('\n', out);
        position = 0;
    }
    position += fprintf(out, "%*s", HELP_COLUMN - position, "");
    print_wrapped(out, row->help, &position);
    if (row->type == OPTION_CHOICE)
        print_choices(row, out, &position);
    char note[256] = "";
    if (row->fallback && row->type != OPTION_FLAG)
        snprintf(note, sizeof note, " (default: %s)", row->fallback);
    print_wrapped(out, note, &position);
    if (row->environment) {
        snprintf(note, sizeof note, " [environment: %s]", row->environment);
        print_wrapped(out, note, &position);
    }
    if (row->effect) {
        snprintf(note, sizeof note, " [changes %s]", option_effect_text(row->effect));
        print_wrapped(out, note, &position);
    }
    fputc('\n', out);
}

void options_print_help(const struct option_table *table, FILE *out)
{
    const char *bold = isatty(fileno(out)) ? "\033[1m" : "";
    const char *plain = isatty(fileno(out)) ? "\033[0m" : "";
    fprintf(out, "%s: %s\n\nUsage: %s [OPTIONS]%s%s\n", table->program, table->synopsis,
            table->program, table->operands ? " " : "", table->operands ? table->operands : "");
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].type == OPTION_HEADING)
            fprintf(out, "\n%s%s%s\n", bold, table->rows[i].name, plain);
        else
            print_row(&table->rows[i], out);
}

/* roff: a backslash, and a dot or quote at the start of a line, would be commands. */
static void print_roff(FILE *out, const char *text)
{
    for (const char *at = text; *at; at++)
        if (*at == '\\')
            fputs("\\e", out);
        else if (*at == '-')
            fputs("\\-", out);
        else if (*at == '"') /* or it is lost where a request has it */
            fputs("\\(dq", out);
        else if ((*at == '.' || *at == '\'') && (at == text || at[-1] == '\n'))
            fprintf(out, "\\&%c", *at);
        else
            fputc(*at, out);
}

static void print_manual_row(const struct option_row *row, const char *spelled, FILE *out)
{
    fputs(".TP\n.B ", out);
    print_roff(out, spelled);
    fputc('\n', out);
    print_roff(out, row->help);
    if (row->type == OPTION_CHOICE) {
        fputs(" One of:", out);
        for (int i = 0; row->choices[i]; i++) {
            fputc(' ', out);
            print_roff(out, row->choices[i]);
        }
        fputc('.', out);
    }
    if (row->fallback && row->type != OPTION_FLAG) {
        fputs(" Default: ", out);
        print_roff(out, row->fallback);
        fputc('.', out);
    }
    if (row->environment) {
        fputs(" Environment: ", out);
        print_roff(out, row->environment);
        fputc('.', out);
    }
    if (row->effect) {
        fputs(" Changes ", out);
        print_roff(out, option_effect_text(row->effect));
        fputc('.', out);
    }
    fputc('\n', out);
}

void options_print_manual(const struct option_table *table, FILE *out)
{
    fprintf(out, ".TH %s 1 \"\" \"weir %s\" \"weir\"\n.SH NAME\n", table->program, WEIR_VERSION);
    print_roff(out, table->program);
    fputs(" \\- ", out);
    print_roff(out, table->synopsis);
    fprintf(out, "\n.SH SYNOPSIS\n.B %s\n[OPTIONS] %s\n.SH DESCRIPTION\n", table->program,
            table->operands ? table->operands : "");
    print_roff(out, table->description);
    fputc('\n', out);
    for (size_t i = 0; i < table->count; i++) {
        if (table->rows[i].type == OPTION_HEADING) {
            fputs(".SH ", out);
            print_roff(out, table->rows[i].name);
            fputc('\n', out);
        } else {
            char spelled[128];
            spell_row(&table->rows[i], spelled, sizeof spelled);
            print_manual_row(&table->rows[i], spelled, out);
        }
    }
}

void options_print_keys(const struct option_table *table, FILE *out)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        char spelled[128];
        if (row->type == OPTION_HEADING) {
            fputs(".SS ", out);
            print_roff(out, row->name);
            fputc('\n', out);
        } else if (!row->is_argument) {
            const bool is_quoted = row->type == OPTION_TEXT || row->type == OPTION_CHOICE;
            const char *value = row->type == OPTION_FLAG ? "true|false" : row->argument;
            snprintf(spelled, sizeof spelled, is_quoted ? "%s = \"%s\"" : "%s = %s", row->name,
                     value ? value : "VALUE");
            print_manual_row(row, spelled, out);
        }
    }
}
