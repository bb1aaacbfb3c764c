/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of what is on, separated by commas. */
#include "gateway/statement/describe.h"

static void add(struct strbuf *out, size_t start, const char *separator, const char *name)
{
    if (out->size > start)
        strbuf_add_text(out, separator);
    strbuf_add_text(out, name);
}

void describe_unknown(const struct identity *identity, struct strbuf *out)
{
    const size_t start = out->size;
#define X(enumerator, bit, name)                                                                   \
    if (identity->unknown & (enumerator))                                                          \
        add(out, start, ", ", name);
    IDENTITY_PARTS(X)
#undef X
    strbuf_add_text(out, ": ");
    strbuf_add_text(out, identity->why_unknown);
}

void describe_sql_mode(const struct sql_mode *mode, struct strbuf *out)
{
    const struct {
        bool is_on;
        const char *name;
    } flags[] = {{mode->ansi_quotes, "ANSI_QUOTES"},
                 {mode->no_backslash_escapes, "NO_BACKSLASH_ESCAPES"},
                 {mode->oracle, "ORACLE"},
                 {mode->brackets, "MSSQL"}};
    const size_t start = out->size;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].is_on)
            add(out, start, ",", flags[i].name);
}
