/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a session's mode and a server's version from the texts that carry them. */
#include "sql/mode.h"

#include "sql/charset.h"

#include <string.h>

/* The bits of a numeric sql_mode, the same in MariaDB and MySQL. */
#define MODE_BIT_ANSI_QUOTES          (UINT64_C(1) << 2)
#define MODE_BIT_ORACLE               (UINT64_C(1) << 9)
#define MODE_BIT_MSSQL                (UINT64_C(1) << 10)
#define MODE_BIT_NO_BACKSLASH_ESCAPES (UINT64_C(1) << 20)

static struct sql_span trim(struct sql_span span)
{
    while (span.size > 0 && sql_byte_is((unsigned char)span.at[0], SQL_BYTE_SPACE)) {
        span.at++;
        span.size--;
    }
    while (span.size > 0 && sql_byte_is((unsigned char)span.at[span.size - 1], SQL_BYTE_SPACE))
        span.size--;
    return span;
}

/* Takes the decimal digits at the front of *span; false when there are none. */
static bool take_number(struct sql_span *span, uint64_t *number)
{
    size_t digits = 0;
    *number = 0;
    while (digits < span->size && digits < 19 &&
           sql_byte_is((unsigned char)span->at[digits], SQL_BYTE_DIGIT)) {
        *number = *number * 10 + (uint64_t)(span->at[digits] - '0');
        digits++;
    }
    span->at += digits;
    span->size -= digits;
    return digits > 0;
}

/* The modes that stand for several others in MariaDB all include ANSI_QUOTES. */
static void set_flag(struct sql_mode *mode, struct sql_span name)
{
    static const char *const with_ansi_quotes[] = {"ansi_quotes", "ansi", "oracle", "mssql",
                                                   "postgresql",  "db2",  "maxdb"};
    for (size_t i = 0; i < sizeof with_ansi_quotes / sizeof with_ansi_quotes[0]; i++)
        mode->ansi_quotes |= sql_span_is(name, with_ansi_quotes[i]);
    mode->no_backslash_escapes |= sql_span_is(name, "no_backslash_escapes");
    mode->oracle |= sql_span_is(name, "oracle");
    mode->brackets |= sql_span_is(name, "mssql");
}

void sql_mode_set_flags(struct sql_mode *mode, struct sql_span value)
{
    mode->ansi_quotes = mode->no_backslash_escapes = mode->oracle = mode->brackets = false;
    struct sql_span rest = trim(value);
    uint64_t bits = 0;
    if (take_number(&rest, &bits) && rest.size == 0) {
        mode->ansi_quotes = (bits & MODE_BIT_ANSI_QUOTES) != 0;
        mode->oracle = (bits & MODE_BIT_ORACLE) != 0;
        mode->brackets = (bits & MODE_BIT_MSSQL) != 0;
        mode->no_backslash_escapes = (bits & MODE_BIT_NO_BACKSLASH_ESCAPES) != 0;
        return;
    }
    rest = value;
    while (rest.size > 0) {
        const char *comma = memchr(rest.at, ',', rest.size);
        size_t size = comma != NULL ? (size_t)(comma - rest.at) : rest.size;
        set_flag(mode, trim((struct sql_span){rest.at, size}));
        size += comma != NULL;
        rest.at += size;
        rest.size -= size;
    }
}

static bool span_has(struct sql_span span, const char *word)
{
    return memmem(span.at, span.size, word, strlen(word)) != NULL;
}

void sql_mode_set_server(struct sql_mode *mode, struct sql_span version)
{
    static const char mariadb_prefix[] = "5.5.5-";
    mode->dialect = SQL_DIALECT_UNKNOWN;
    mode->server_version = 0;
    if (version.size == 0)
        return;
    enum sql_dialect dialect = span_has(version, "MariaDB") ? SQL_DIALECT_MARIADB
                               : span_has(version, "TiDB")  ? SQL_DIALECT_TIDB
                                                            : SQL_DIALECT_MYSQL;
    size_t prefix = sizeof mariadb_prefix - 1;
    if (dialect == SQL_DIALECT_MARIADB && version.size > prefix &&
        memcmp(version.at, mariadb_prefix, prefix) == 0) {
        version.at += prefix;
        version.size -= prefix;
    }
    uint64_t parts[3] = {0, 0, 0};
    for (int i = 0; i < 3; i++) {
        if (!take_number(&version, &parts[i]) || parts[i] > 99)
            return;
        if (i < 2 && (version.size == 0 || version.at[0] != '.'))
            return;
        version.at += i < 2;
        version.size -= i < 2;
    }
    mode->dialect = dialect;
    mode->server_version = (uint32_t)(parts[0] * 10000 + parts[1] * 100 + parts[2]);
}
