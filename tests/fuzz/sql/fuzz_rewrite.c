/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts that are made of other texts, on any bytes, in any mode (the first byte chooses it), with
 * what must hold whatever the text:
 *   - ids in KILL statements that are mapped to themselves give the text back;
 *   - what is quoted and what HEX() would print reads as the same bytes again;
 *   - a literal is within its expression, or a constant;
 *   - a word that reads diagnostics is found where a plain search finds it;
 *   - a text that has lost its secrets shows so. */
#include "sql/sql.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_same(const struct strbuf *made, struct sql_span text)
{
    check(made->size == text.size && (text.size == 0 || !memcmp(made->data, text.at, text.size)));
}

static bool map_to_itself(void *data, uint64_t id, uint32_t *new_id)
{
    (void)data;
    *new_id = (uint32_t)id;
    return id <= UINT32_MAX;
}

/* Leading zeros are all that can be lost. */
static void check_kill(struct sql_span text, const struct sql_mode *mode, bool is_multi)
{
    struct strbuf out = STRBUF_INIT;
    if (sql_kill_rewrite(&out, text, mode, is_multi, map_to_itself, NULL)) {
        check(sql_may_kill(text, sql_statement_quick_kind(text, mode).kind, is_multi));
        check(out.size <= text.size);
        if (!memchr(text.at, '0', text.size))
            check_same(&out, text);
    } else {
        check(out.size == 0);
    }
    strbuf_release(&out);
}

static void check_quotes(struct sql_span text)
{
    static const char before[] = "CONVERT(X'", after[] = "' USING utf8mb4)";
    struct strbuf out = STRBUF_INIT, again = STRBUF_INIT;
    sql_quote_text(&out, text);
    if (out.data[0] == '\'') {
        check_same(&out, (struct sql_span){out.data, text.size + 2});
        check(memcmp(out.data + 1, text.at, text.size) == 0);
    } else {
        size_t frame = sizeof before - 1 + sizeof after - 1;
        sql_unhex(&again, (struct sql_span){out.data + sizeof before - 1, out.size - frame});
        check_same(&again, text);
    }
    strbuf_reset(&out);
    sql_quote_name(&out, text);
    struct sql_lexer lexer;
    struct sql_token token;
    struct sql_mode mode = {0};
    sql_lexer_init(&lexer, (struct sql_span){out.data, out.size}, &mode, SQL_READING_SERVER);
    sql_lexer_next(&lexer, &token);
    check(token.class == SQL_TOKEN_NAME && token.end == out.size);
    strbuf_reset(&out);
    sql_unhex(&out, text);
    check(out.size == text.size / 2);
    strbuf_release(&out);
    strbuf_release(&again);
}

static void check_literal(struct sql_span text, const struct sql_mode *mode)
{
    struct sql_span value;
    enum sql_literal_kind kind = sql_literal_read(text, mode, &value);
    bool is_within = value.at >= text.at && value.at <= text.at + text.size &&
                     value.size <= (size_t)(text.at + text.size - value.at);
    check(is_within || (kind == SQL_LITERAL_INTEGER && value.size == 1));
    check(kind != SQL_LITERAL_NONE || value.size == text.size);
}

static void check_diagnostics(struct sql_span text)
{
    static const char *const words[] = {"row_count",   "found_rows",     "warnings",
                                        "errors",      "warning_count",  "error_count",
                                        "diagnostics", "optimizer_trace"};
    bool found = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t size = strlen(words[i]);
        for (size_t at = 0; size <= text.size && at <= text.size - size; at++)
            found = found || strncasecmp(text.at + at, words[i], size) == 0;
    }
    check(found == sql_reads_diagnostics(text));
}

static void check_redaction(struct sql_span text)
{
    struct strbuf out = STRBUF_INIT;
    if (sql_redact(&out, text)) {
        check(sql_may_hold_secret(text));
        /* Nothing is said of masking twice: in a broken text two masks may read as one literal. */
        check(memmem(out.data, out.size, "***", 3) != NULL);
    } else {
        check(out.size == 0);
    }
    strbuf_reset(&out);
    if (!sql_redact_message(&out, text, true))
        check(out.size == 0);
    strbuf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct sql_mode mode = {
        .charset = (enum sql_charset)(data[0] % (SQL_CHARSET_OTHER + 1)),
        .ansi_quotes = (data[0] & 64) != 0,
        .no_backslash_escapes = (data[0] & 128) != 0,
    };
    struct sql_span text = {(const char *)data + 1, size - 1};
    check_kill(text, &mode, (data[0] & 32) != 0);
    check_quotes(text);
    check_literal(text, &mode);
    check_diagnostics(text);
    check_redaction(text);
    return 0;
}
