/* SPDX-License-Identifier: Apache-2.0
 *
 * struct sql_mode: what the server's lexer depends on besides the text: the connection's character
 * set, four flags of the session's sql_mode, and which server it is (for executable comments).
 *
 * A zeroed struct sql_mode is the default of every server: utf8mb4, no flag set, server unknown. */
#ifndef WEIR_SQL_MODE_H
#define WEIR_SQL_MODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Data of this room that is no one else's: read without a detour by way of the linker's tables. */
#define SQL_HIDDEN __attribute__((visibility("hidden")))

/* Some bytes of a statement; borrowed. at may be NULL when size is 0. */
struct sql_span {
    const char *at;
    size_t size; /* bytes */
};

/* The character sets that MariaDB and MySQL take statements in. They differ in what is a blank, what
 * a letter, which byte after "--" opens a comment (charset_bytes.c), and in how many bytes make a
 * character. UTF8MB4 stands for the utf8 family. How OTHER, an unknown one, reads its bytes cannot
 * be told: in it no digest is exact, and no tables are known. */
#define SQL_CHARSET_ROWS(X)                                                                        \
    X(UTF8MB4, "utf8mb4")                                                                          \
    X(LATIN1, "latin1")                                                                            \
    X(GBK, "gbk")                                                                                  \
    X(SJIS, "sjis")                                                                                \
    X(BIG5, "big5")                                                                                \
    X(GB18030, "gb18030")                                                                          \
    X(CP932, "cp932")                                                                              \
    X(EUCKR, "euckr")                                                                              \
    X(GB2312, "gb2312")                                                                            \
    X(UJIS, "ujis")                                                                                \
    X(EUCJPMS, "eucjpms")                                                                          \
    X(ARMSCII8, "armscii8")                                                                        \
    X(ASCII, "ascii")                                                                              \
    X(BINARY, "binary")                                                                            \
    X(CP1250, "cp1250")                                                                            \
    X(CP1251, "cp1251")                                                                            \
    X(CP1256, "cp1256")                                                                            \
    X(CP1257, "cp1257")                                                                            \
    X(CP850, "cp850")                                                                              \
    X(CP852, "cp852")                                                                              \
    X(CP866, "cp866")                                                                              \
    X(DEC8, "dec8")                                                                                \
    X(GEOSTD8, "geostd8")                                                                          \
    X(GREEK, "greek")                                                                              \
    X(HEBREW, "hebrew")                                                                            \
    X(HP8, "hp8")                                                                                  \
    X(KEYBCS2, "keybcs2")                                                                          \
    X(KOI8R, "koi8r")                                                                              \
    X(KOI8U, "koi8u")                                                                              \
    X(LATIN2, "latin2")                                                                            \
    X(LATIN5, "latin5")                                                                            \
    X(LATIN7, "latin7")                                                                            \
    X(MACCE, "macce")                                                                              \
    X(MACROMAN, "macroman")                                                                        \
    X(SWE7, "swe7")                                                                                \
    X(TIS620, "tis620")

enum sql_charset {
#define X(enumerator, name) SQL_CHARSET_##enumerator,
    SQL_CHARSET_ROWS(X)
#undef X
        SQL_CHARSET_OTHER,
};
#define SQL_CHARSETS (SQL_CHARSET_OTHER + 1)

enum sql_dialect {
    SQL_DIALECT_UNKNOWN,
    SQL_DIALECT_MARIADB,
    SQL_DIALECT_MYSQL,
    SQL_DIALECT_TIDB,
};

struct sql_mode {
    enum sql_charset charset;
    enum sql_dialect dialect;
    uint32_t server_version;   /* 101119 for 10.11.19; 0: unknown */
    bool ansi_quotes;          /* "x" is a name */
    bool no_backslash_escapes; /* a backslash in a string is a backslash */
    bool oracle;   /* MariaDB's sql_mode=ORACLE: BEGIN opens a block, AS opens declarations */
    bool brackets; /* MariaDB's sql_mode=MSSQL: [x] is a name, which the lexer does not follow */
    bool unsure;   /* a statement before may have changed all this. In this and in `brackets` a text
                      is relied upon only where all modes read it the same (reading.h) */
    bool in_code;  /* of a piece of a statement only: it begins inside of an executable comment */
};

/* The character set of a name ("gbk", "utf8", ...; any case) or of a collation's name
 * ("gbk_chinese_ci"). Unknown names are OTHER, and so are those in which no client may speak
 * (utf16). */
enum sql_charset sql_charset_from_name(struct sql_span name);

/* Its name as in the rows above; NULL for OTHER. Static. */
const char *sql_charset_name(enum sql_charset charset);

/* The character set of a collation's number, as the handshake has it; the same holds for unknown
 * ones. */
enum sql_charset sql_charset_from_collation(unsigned collation);

/* Sets the four flags from the value of a sql_mode variable ("ANSI_QUOTES,NO_BACKSLASH_ESCAPES",
 * "ANSI", "ORACLE", "" ...; names in any case), leaving the rest alone. A value that is all digits
 * is read as the bit mask it is in MariaDB and MySQL. */
void sql_mode_set_flags(struct sql_mode *mode, struct sql_span value);

/* Copies the four flags and nothing else. */
static inline void sql_mode_copy_flags(struct sql_mode *to, const struct sql_mode *from)
{
    to->ansi_quotes = from->ansi_quotes;
    to->no_backslash_escapes = from->no_backslash_escapes;
    to->oracle = from->oracle;
    to->brackets = from->brackets;
}

/* Sets dialect and server_version from the version of a server's greeting: "10.11.19-MariaDB-...",
 * "5.5.5-10.6.1-MariaDB", "8.0.33", "8.0.11-TiDB-v8.5.0". What cannot be read leaves them 0. */
void sql_mode_set_server(struct sql_mode *mode, struct sql_span version);

#endif
