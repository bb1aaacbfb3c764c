/* SPDX-License-Identifier: Apache-2.0
 *
 * One function reads values of a type, one prints them; the tables below choose. Numbers are read
 * digit by digit with checked arithmetic, so that no text can wrap around. */
#include "plugin/declared/plugin_declared.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SECOND_NS INT64_C(1000000000)

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit size_units[] = {
    {"", 1},
    {"K", INT64_C(1) << 10},
    {"M", INT64_C(1) << 20},
    {"G", INT64_C(1) << 30},
    {"T", INT64_C(1) << 40},
    {NULL, 0},
};

static const struct unit duration_units[] = {
    {"", SECOND_NS},
    {"ns", 1},
    {"us", 1000},
    {"ms", 1000000},
    {"s", SECOND_NS},
    {"m", 60 * SECOND_NS},
    {"h", 3600 * SECOND_NS},
    {"d", 86400 * SECOND_NS},
    {NULL, 0},
};

const char *plugin_definition_choice(const struct plugin_definition *definition, size_t index)
{
    return json_string_value(json_array_get(definition->values, index));
}

/* ---- Reading numbers ---- */

enum reading { READ, NO_NUMBER, TOO_LARGE };

static bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* [sign] digits [. digits] unit, the fraction only where a unit can hold it: 1.5s. */
static enum reading read_number(const char *text, size_t size, const struct unit *units,
                                int64_t *number)
{
    const char *at = text, *end = text + size;
    int64_t whole = 0, fraction = 0, scale = 1;
    bool is_negative = at < end && *at == '-', overflow = false;
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (!is_digit(at, end))
        return NO_NUMBER;
    for (; is_digit(at, end); at++)
        overflow = __builtin_mul_overflow(whole, 10, &whole) ||
                   __builtin_add_overflow(whole, *at - '0', &whole) || overflow;
    if (at < end && *at == '.' && units == duration_units) {
        for (at++; is_digit(at, end); at++) {
            if (scale == SECOND_NS) /* finer than a nanosecond */
                continue;
            fraction = fraction * 10 + (*at - '0');
            scale *= 10;
        }
    }
    size_t rest = (size_t)(end - at);
    while (units->name && (strlen(units->name) != rest || strncasecmp(units->name, at, rest) != 0))
        units++;
    if (!units->name)
        return NO_NUMBER;
    /* fraction < scale <= 10^9 and a factor is below 10^14: the product needs 128 bits */
    int64_t parts = (int64_t)((__int128)fraction * units->factor / scale);
    overflow = __builtin_mul_overflow(whole, units->factor, &whole) ||
               __builtin_add_overflow(whole, parts, &whole) || overflow;
    *number = is_negative ? -whole : whole;
    return overflow ? TOO_LARGE : READ;
}

static bool is_word(const struct plugin_input *input, const char *word)
{
    return strlen(word) == input->size && strncasecmp(word, input->text, input->size) == 0;
}

/* ---- Reading values ---- */

static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

static enum plugin_value_outcome outcome_of(enum reading reading)
{
    if (reading == READ)
        return PLUGIN_VALUE_OK;
    return reading == TOO_LARGE ? PLUGIN_VALUE_WRONG : PLUGIN_VALUE_WRONG_TYPE;
}

static enum plugin_value_outcome read_int(const struct plugin_input *input, int64_t *number)
{
    if (input->kind != PLUGIN_INPUT_INTEGER && input->kind != PLUGIN_INPUT_FILE)
        return PLUGIN_VALUE_WRONG_TYPE;
    return outcome_of(read_number(input->text, input->size, no_units, number));
}

static enum plugin_value_outcome read_with_unit(const struct plugin_input *input,
                                                const struct unit *units, int64_t *number)
{
    bool fits = input->kind == PLUGIN_INPUT_INTEGER || input->kind == PLUGIN_INPUT_TEXT ||
                input->kind == PLUGIN_INPUT_FILE ||
                (input->kind == PLUGIN_INPUT_DECIMAL && units == duration_units);
    return fits ? outcome_of(read_number(input->text, input->size, units, number))
                : PLUGIN_VALUE_WRONG_TYPE;
}

/* An index, of two for bool. */
static enum plugin_value_outcome read_index(const struct plugin_input *input, size_t count,
                                            int64_t *number)
{
    if (read_number(input->text, input->size, no_units, number) != READ || *number < 0 ||
        (uint64_t)*number >= count)
        return PLUGIN_VALUE_WRONG;
    return PLUGIN_VALUE_OK;
}

static enum plugin_value_outcome read_bool(const struct plugin_input *input, int64_t *number)
{
    bool is_file = input->kind == PLUGIN_INPUT_FILE;
    if (input->kind == PLUGIN_INPUT_DECIMAL)
        return PLUGIN_VALUE_WRONG_TYPE;
    if (input->kind == PLUGIN_INPUT_NULL)
        return PLUGIN_VALUE_WRONG;
    if (input->kind != PLUGIN_INPUT_INTEGER) {
        if (is_word(input, "ON") || (is_file && is_word(input, "true"))) {
            *number = 1;
            return PLUGIN_VALUE_OK;
        }
        if (is_word(input, "OFF") || (is_file && is_word(input, "false"))) {
            *number = 0;
            return PLUGIN_VALUE_OK;
        }
        if (!is_file)
            return PLUGIN_VALUE_WRONG;
    }
    return read_index(input, 2, number);
}

static enum plugin_value_outcome read_enum(const struct plugin_definition *definition,
                                           const struct plugin_input *input, int64_t *number)
{
    size_t count = json_array_size(definition->values);
    if (input->kind == PLUGIN_INPUT_DECIMAL)
        return PLUGIN_VALUE_WRONG_TYPE;
    if (input->kind == PLUGIN_INPUT_NULL)
        return PLUGIN_VALUE_WRONG;
    for (size_t i = 0; input->kind != PLUGIN_INPUT_INTEGER && i < count; i++) {
        if (is_word(input, plugin_definition_choice(definition, i))) {
            *number = (int64_t)i;
            return PLUGIN_VALUE_OK;
        }
    }
    return input->kind == PLUGIN_INPUT_TEXT ? PLUGIN_VALUE_WRONG : read_index(input, count, number);
}

static enum plugin_value_outcome read_str(const struct plugin_input *input)
{
    if (input->kind == PLUGIN_INPUT_NULL)
        return PLUGIN_VALUE_WRONG;
    if (input->kind != PLUGIN_INPUT_TEXT && input->kind != PLUGIN_INPUT_FILE)
        return PLUGIN_VALUE_WRONG_TYPE;
    return memchr(input->text, 0, input->size) ? PLUGIN_VALUE_WRONG : PLUGIN_VALUE_OK;
}

static enum plugin_value_outcome read_typed(const struct plugin_definition *definition,
                                            const struct plugin_input *input, int64_t *number)
{
    switch (definition->type) {
    case PLUGIN_TYPE_INT:
        return read_int(input, number);
    case PLUGIN_TYPE_BOOL:
        return read_bool(input, number);
    case PLUGIN_TYPE_ENUM:
        return read_enum(definition, input, number);
    case PLUGIN_TYPE_SIZE:
        return read_with_unit(input, size_units, number);
    case PLUGIN_TYPE_DURATION:
        return read_with_unit(input, duration_units, number);
    default:
        return read_str(input);
    }
}

/* ---- Printing ---- */

/* Seconds as the server prints its own: six digits after the point, nine when they are needed. */
static char *print_duration(int64_t number)
{
    char *text = NULL;
    int64_t seconds = number / SECOND_NS, rest = number % SECOND_NS;
    int length = rest % 1000 == 0 ? asprintf(&text, "%" PRId64 ".%06" PRId64, seconds, rest / 1000)
                                  : asprintf(&text, "%" PRId64 ".%09" PRId64, seconds, rest);
    return length < 0 ? NULL : text;
}

static char *print(const struct plugin_definition *definition, const struct plugin_input *input,
                   int64_t number)
{
    char *text = NULL;
    switch (definition->type) {
    case PLUGIN_TYPE_STR:
        return strndup(input->text, input->size);
    case PLUGIN_TYPE_BOOL:
        return strdup(number ? "ON" : "OFF");
    case PLUGIN_TYPE_ENUM:
        return strdup(plugin_definition_choice(definition, (size_t)number));
    case PLUGIN_TYPE_DURATION:
        return print_duration(number);
    default:
        return asprintf(&text, "%" PRId64, number) < 0 ? NULL : text;
    }
}

/* ---- Describing ---- */

static void describe_bounds(const struct plugin_definition *definition, struct strbuf *out)
{
    char *least = print(definition, &(struct plugin_input){0}, definition->least);
    char *most = print(definition, &(struct plugin_input){0}, definition->most);
    if (least && most && definition->most != INT64_MAX)
        strbuf_printf(out, ", %s to %s", least, most);
    else if (least && definition->least != INT64_MIN)
        strbuf_printf(out, ", %s at least", least);
    free(least);
    free(most);
}

void plugin_definition_describe(const struct plugin_definition *definition, struct strbuf *out)
{
    static const char *const kinds[] = {
        [PLUGIN_TYPE_STR] = "a string",
        [PLUGIN_TYPE_INT] = "a whole number",
        [PLUGIN_TYPE_BOOL] = "true or false",
        [PLUGIN_TYPE_ENUM] = "one of ",
        [PLUGIN_TYPE_SIZE] = "bytes, as in 1048576 or \"16M\"",
        [PLUGIN_TYPE_DURATION] = "seconds, or as in \"250ms\" and \"2h\"",
    };
    strbuf_add_text(out, kinds[definition->type]);
    if (definition->type == PLUGIN_TYPE_ENUM)
        for (size_t i = 0; i < json_array_size(definition->values); i++)
            strbuf_printf(out, "%s%s", i ? ", " : "", plugin_definition_choice(definition, i));
    else if (definition->type == PLUGIN_TYPE_STR)
        strbuf_printf(out, " of %lld to %lld bytes", (long long)definition->least,
                      (long long)definition->most);
    else if (definition->type != PLUGIN_TYPE_BOOL)
        describe_bounds(definition, out);
}

enum plugin_value_outcome plugin_value_read(const struct plugin_definition *definition,
                                            const struct plugin_input *input,
                                            struct plugin_value *value)
{
    int64_t number = 0;
    enum plugin_value_outcome outcome = read_typed(definition, input, &number);
    int64_t measure = definition->type == PLUGIN_TYPE_STR ? (int64_t)input->size : number;
    if (outcome == PLUGIN_VALUE_OK && (measure < definition->least || measure > definition->most))
        outcome = PLUGIN_VALUE_WRONG;
    if (outcome != PLUGIN_VALUE_OK)
        return outcome;
    char *text = print(definition, input, number);
    if (!text)
        return PLUGIN_VALUE_NO_MEMORY;
    *value = (struct plugin_value){number, text};
    return PLUGIN_VALUE_OK;
}
