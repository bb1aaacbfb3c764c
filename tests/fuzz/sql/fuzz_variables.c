/* SPDX-License-Identifier: Apache-2.0
 *
 * System variables in any bytes, in any mode (the first byte chooses it). Whoever replaces names
 * copies the text between them, so what is told must lie in the text, in order, with each use
 * inside of its select item. */
#include "sql/sql.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* from <= span.at and the span's end <= to. */
static void check_within(struct sql_span span, const char *from, const char *to)
{
    check(span.at >= from && span.at <= to && span.size <= (size_t)(to - span.at));
}

static void check_uses(struct sql_span text, const struct sql_mode *mode)
{
    struct sql_variables variables;
    struct sql_variable_use use;
    struct sql_span item = {0};
    const char *end = text.at + text.size, *at = text.at;
    sql_variables_init(&variables, text, mode);
    while (sql_variables_next(&variables, &use)) {
        check_within(use.written, at, end);
        check_within(use.name, use.written.at, use.written.at + use.written.size);
        at = use.written.at + use.written.size;
        if (use.item.size) {
            check_within(use.item, text.at, end);
            check_within(use.written, use.item.at, use.item.at + use.item.size);
            /* items do not overlap */
            check(!item.size || use.item.at == item.at || use.item.at >= item.at + item.size);
            item = use.item;
        }
    }
}

static void check_settings(struct sql_span text, const struct sql_mode *mode)
{
    struct sql_settings settings;
    struct sql_setting setting;
    const char *end = text.at + text.size;
    sql_settings_init(&settings, text, mode);
    while (sql_settings_next(&settings, &setting)) {
        check_within(setting.whole, text.at, end);
        check_within(setting.value, setting.whole.at, setting.whole.at + setting.whole.size);
        check_within(setting.name, text.at, end);
    }
    if (!sql_settings_at_end(&settings))
        check_within(sql_settings_rest(&settings), text.at, end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sql_show_variables show;
    if (size < 1)
        return 0;
    struct sql_mode mode = {
        .charset = (enum sql_charset)(data[0] % (SQL_CHARSET_OTHER + 1)),
        .ansi_quotes = (data[0] & 64) != 0,
        .no_backslash_escapes = (data[0] & 128) != 0,
    };
    struct sql_span text = {(const char *)data + 1, size - 1};
    check_uses(text, &mode);
    check_settings(text, &mode);
    if (sql_show_variables(text, &mode, &show) && show.filter.size)
        check_within(show.filter, text.at, text.at + text.size);
    return 0;
}
