/* SPDX-License-Identifier: Apache-2.0
 *
 * The values that are in force, as a JSON object from the option table. */
#include <string.h>
#include <weir/escape.h>

#include "base/options.h"

static void add_text(struct strbuf *json, const char *text)
{
    char form[ESCAPE_JSON_BYTES];
    strbuf_add_byte(json, '"');
    for (; *text; text++)
        strbuf_add(json, form, escape_json_byte((unsigned char)*text, form));
    strbuf_add_byte(json, '"');
}

static void add_value(struct strbuf *json, const struct option_row *row, const void *at)
{
    const char *text = NULL;
    switch (row->type) {
    case OPTION_TEXT:
        text = *(char *const *)at;
        if (text && row->is_secret)
            add_text(json, "(secret)");
        else if (text)
            add_text(json, text);
        else
            strbuf_add_text(json, "null");
        break;
    case OPTION_NUMBER:
        strbuf_printf(json, "%ld", *(const long *)at);
        break;
    case OPTION_FLAG:
        strbuf_add_text(json, *(const bool *)at ? "true" : "false");
        break;
    case OPTION_CHOICE:
        add_text(json, row->choices[*(const int *)at]);
        break;
    case OPTION_HEADING:
        break;
    }
}

void options_write_json(const struct option_table *table, const void *values, struct strbuf *json)
{
    const char *before = "{";
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        if (row->type == OPTION_HEADING || row->is_argument)
            continue;
        strbuf_add_text(json, before);
        add_text(json, row->name);
        strbuf_add_byte(json, ':');
        add_value(json, row, (const char *)values + row->offset);
        before = ",";
    }
    strbuf_add_text(json, *before == '{' ? "{}" : "}");
}
