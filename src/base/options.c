/* SPDX-License-Identifier: Apache-2.0
 *
 * Setting values from the table; printing is in options_print.c. */
#include "base/options.h"
#include "base/nearest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *value_of(const struct option_row *row, void *values)
{
    return (char *)values + row->offset;
}

static bool is_named(const struct option_row *row, const char *name, size_t size)
{
    if (row->type == OPTION_HEADING)
        return false;
    if (strlen(row->name) == size && memcmp(row->name, name, size) == 0)
        return true;
    return row->letter && strlen(row->letter) == size && memcmp(row->letter, name, size) == 0;
}

static const struct option_row *find(const struct option_table *table, const char *name,
                                     size_t size)
{
    for (size_t i = 0; i < table->count; i++)
        if (is_named(&table->rows[i], name, size))
            return &table->rows[i];
    return NULL;
}

const struct option_row *options_find(const struct option_table *table, const char *name)
{
    return find(table, name, strlen(name));
}

const char *options_nearest(const struct option_table *table, const char *name)
{
    struct nearest nearest = {.wanted = name};
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].type != OPTION_HEADING)
            nearest_offer(&nearest, table->rows[i].name);
    return nearest.name;
}

static int no_such_option(const struct option_table *table, const char *where, const char *name,
                          struct error *error)
{
    char plain[NEAREST_NAME_BYTES];
    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(name, "="), name);
    const char *nearest = options_nearest(table, plain);
    return error_set(error, "%s: no such option; %s%s%ssee %s --help", where,
                     nearest ? "did you mean -" : "", nearest ? nearest : "", nearest ? "? " : "",
                     table->program);
}

static int set_text(char **value, const char *text, struct error *error)
{
    char *copy = strdup(text);
    if (!copy)
        return error_set(error, "out of memory");
    free(*value);
    *value = copy;
    return 0;
}

static int set_number(const struct option_row *row, long *value, const char *text,
                      const char *where, struct error *error)
{
    char *end = NULL;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno || end == text || *end)
        return error_set(error, "%s: \"%s\" is not a whole number", where, text);
    if (number < row->minimum || number > row->maximum)
        return error_set(error, "%s: %ld is out of range; give %ld to %ld", where, number,
                         row->minimum, row->maximum);
    *value = number;
    return 0;
}

static int set_flag(bool *value, const char *text, const char *where, struct error *error)
{
    static const char *const words[] = {"false", "true", "0", "1", "off", "on", "no", "yes"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i], text) == 0) {
            *value = i % 2;
            return 0;
        }
    }
    return error_set(error, "%s: \"%s\" is neither true nor false", where, text);
}

static int set_choice(const struct option_row *row, int *value, const char *text, const char *where,
                      struct error *error)
{
    char allowed[256] = "";
    size_t used = 0;
    for (int i = 0; row->choices[i]; i++) {
        if (strcmp(row->choices[i], text) == 0) {
            *value = i;
            return 0;
        }
        int more =
            snprintf(allowed + used, sizeof allowed - used, "%s%s", i ? ", " : "", row->choices[i]);
        if (more > 0 && (size_t)more < sizeof allowed - used)
            used += (size_t)more;
    }
    return error_set(error, "%s: \"%s\" is not one of %s", where, text, allowed);
}

static int set_row(const struct option_row *row, void *values, const char *text, const char *where,
                   struct error *error)
{
    void *value = value_of(row, values);
    int status = 0;
    switch (row->type) {
    case OPTION_TEXT:
        status = set_text(value, text, error);
        break;
    case OPTION_NUMBER:
        status = set_number(row, value, text, where, error);
        break;
    case OPTION_FLAG:
        status = set_flag(value, text, where, error);
        break;
    case OPTION_CHOICE:
        status = set_choice(row, value, text, where, error);
        break;
    case OPTION_HEADING:
        break;
    }
    return status;
}

int options_defaults(const struct option_table *table, void *values, struct error *error)
{
    int status = 0;
    for (size_t i = 0; i < table->count && status == 0; i++) {
        const struct option_row *row = &table->rows[i];
        if (row->fallback)
            status = set_row(row, values, row->fallback, row->name, error);
    }
    return status;
}

int options_environment(const struct option_table *table, void *values, struct error *error)
{
    int status = 0;
    for (size_t i = 0; i < table->count && status == 0; i++) {
        const struct option_row *row = &table->rows[i];
        const char *text = row->environment ? getenv(row->environment) : NULL;
        if (text)
            status = set_row(row, values, text, row->environment, error);
    }
    return status;
}

/* NAME of "NAME=value"; false: it is too long to be like any. */
static bool name_of(const char *variable, char name[NEAREST_NAME_BYTES])
{
    size_t size = strcspn(variable, "=");
    bool fits = size < NEAREST_NAME_BYTES;
    if (fits)
        snprintf(name, NEAREST_NAME_BYTES, "%.*s", (int)size, variable);
    return fits;
}

void options_misspelt_environment(const struct option_table *table,
                                  void misspelt(const char *name, const char *meant))
{
    char name[NEAREST_NAME_BYTES];
    for (char **variable = environ; *variable; variable++) {
        struct nearest nearest = {.wanted = name};
        if (strncmp(*variable, "WEIR_", 5) != 0 || !name_of(*variable, name))
            continue;
        for (size_t i = 0; i < table->count; i++)
            nearest_offer(&nearest, table->rows[i].environment);
        if (nearest.name && strcmp(nearest.name, name) != 0)
            misspelt(name, nearest.name);
    }
}

int options_set(const struct option_table *table, void *values, const char *name, const char *text,
                const char *where, struct error *error)
{
    const struct option_row *row = options_find(table, name);
    if (!row)
        return no_such_option(table, where, name, error);
    return set_row(row, values, text, where, error);
}

/* One argument of the command line: which row it names and where its value is. */
struct spelled {
    const struct option_row *row;
    const char *value; /* after '='; NULL: none there */
    bool takes_next;   /* the value is the next argument */
};

static struct spelled spell(const struct option_table *table, const char *argument)
{
    struct spelled spelled = {0};
    const char *name = argument + (argument[1] == '-' ? 2 : 1);
    const char *equals = strchr(name, '=');
    spelled.row = find(table, name, equals ? (size_t)(equals - name) : strlen(name));
    spelled.value = equals ? equals + 1 : NULL;
    spelled.takes_next = spelled.row && !equals && spelled.row->type != OPTION_FLAG;
    return spelled;
}

static bool is_operand(const char *argument)
{
    return argument[0] != '-' || argument[1] == 0;
}

int options_arguments(const struct option_table *table, void *values, int argc, char **argv,
                      struct error *error)
{
    int i = 1;
    for (; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        if (is_operand(argv[i]))
            break;
        struct spelled spelled = spell(table, argv[i]);
        if (!spelled.row)
            return no_such_option(table, argv[i], argv[i] + strspn(argv[i], "-"), error);
        if (spelled.takes_next && i + 1 == argc)
            return error_set(error, "%s: needs a value (%s)", argv[i], spelled.row->argument);
        const char *where = argv[i];
        const char *text = spelled.takes_next ? argv[++i] : spelled.value ? spelled.value : "true";
        if (set_row(spelled.row, values, text, where, error))
            return -1;
    }
    if (i < argc && !table->operands)
        return error_set(error, "%s: what is this? %s takes options only; see %s --help", argv[i],
                         table->program, table->program);
    return i;
}

int options_around_command(const struct option_table *table, void *values, int argc, char **argv,
                           struct error *error)
{
    int first = options_arguments(table, values, argc, argv, error);
    if (first < 0 || first >= argc)
        return first;
    char *command = argv[first];
    int rest = options_arguments(table, values, argc - first, argv + first, error);
    if (rest < 0)
        return -1;
    argv[first + rest - 1] = command;
    return first + rest - 1;
}

const char *options_peek(const struct option_table *table, const char *name, int argc, char **argv)
{
    const struct option_row *wanted = options_find(table, name);
    const char *text = NULL;
    for (int i = 1; i < argc && !is_operand(argv[i]) && strcmp(argv[i], "--") != 0; i++) {
        struct spelled spelled = spell(table, argv[i]);
        const char *value = spelled.value;
        if (spelled.takes_next && i + 1 < argc)
            value = argv[++i];
        if (spelled.row && spelled.row == wanted)
            text = value ? value : "true";
    }
    return text;
}

void options_release(const struct option_table *table, void *values)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->rows[i].type != OPTION_TEXT)
            continue;
        char **text = value_of(&table->rows[i], values);
        free(*text);
        *text = NULL;
    }
}
