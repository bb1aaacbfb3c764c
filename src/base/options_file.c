/* SPDX-License-Identifier: Apache-2.0
 *
 * The option table as a configuration file in TOML: every option with its help and default,
 * commented out, so that the file as it is printed changes nothing. */
#include <string.h>

#include "base/options.h"

#define WIDTH 100 /* of a line of help */

static void print_comment(FILE *out, const char *text)
{
    size_t position = 0;
    while (*text) {
        const size_t word = strcspn(text, " ");
        if (position == 0 || position + 1 + word > WIDTH)
            position = (size_t)fprintf(out, position ? "\n# %.*s" : "# %.*s", (int)word, text) -
                       (position ? 1 : 0);
        else
            position += (size_t)fprintf(out, " %.*s", (int)word, text);
        text += word + strspn(text + word, " ");
    }
    fputc('\n', out);
}

/* A basic string of TOML. */
static void print_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            fprintf(out, "\\u%04x", (unsigned)*text);
        else
            fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    fputc('"', out);
}

static void print_value(FILE *out, const struct option_row *row)
{
    if (row->type == OPTION_FLAG)
        fputs(row->fallback ? row->fallback : "false", out);
    else if (row->type == OPTION_NUMBER)
        fputs(row->fallback ? row->fallback : "0", out);
    else
        print_text(out, row->fallback ? row->fallback : "");
}

static void print_choices(FILE *out, const struct option_row *row)
{
    fputs("# One of:", out);
    for (int i = 0; row->choices[i]; i++)
        fprintf(out, " %s", row->choices[i]);
    fputs(".\n", out);
}

void options_print_file(const struct option_table *table, FILE *out)
{
    fprintf(out,
            "# %s: %s\n#\n# Every option, with its default. What the environment or the command "
            "line says wins.\n",
            table->program, table->synopsis);
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        if (row->type == OPTION_HEADING) {
            fprintf(out, "\n# ---- %s ----\n", row->name);
        } else if (!row->is_argument) {
            fputc('\n', out);
            print_comment(out, row->help);
            if (row->type == OPTION_CHOICE)
                print_choices(out, row);
            if (row->effect)
                fprintf(out, "# Changes %s.\n", option_effect_text(row->effect));
            fprintf(out, "#%s = ", row->name);
            print_value(out, row);
            fputc('\n', out);
        }
    }
}

static void print_current(FILE *out, const struct option_row *row, const void *at)
{
    const char *text = row->type == OPTION_TEXT ? *(char *const *)at : NULL;
    if (row->type == OPTION_TEXT && (!text || row->is_secret)) {
        fprintf(out, "#%s = %s\n", row->name, text ? "(secret)" : "\"\"");
        return;
    }
    fprintf(out, "%s = ", row->name);
    if (row->type == OPTION_TEXT)
        print_text(out, text);
    else if (row->type == OPTION_CHOICE)
        print_text(out, row->choices[*(const int *)at]);
    else if (row->type == OPTION_NUMBER)
        fprintf(out, "%ld", *(const long *)at);
    else
        fputs(*(const bool *)at ? "true" : "false", out);
    fputc('\n', out);
}

void options_print_values(const struct option_table *table, const void *values, FILE *out)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        if (row->type != OPTION_HEADING && !row->is_argument)
            print_current(out, row, (const char *)values + row->offset);
    }
}
