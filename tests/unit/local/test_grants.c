/* SPDX-License-Identifier: Apache-2.0
 *
 * What a row of SHOW GRANTS grants on everything: rows of MariaDB, MySQL and TiDB, and rows in which
 * somebody has put the right words into a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants these first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/local/local.h"

static const char *const privileges[] = {"RELOAD", "SUPER", NULL};

static bool grants(const char *row)
{
    return local_grants(wire_text(row), privileges);
}

static void what_servers_write_is_granted(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "GRANT SUPER ON *.* TO `o`@`%`",
        "GRANT RELOAD ON *.* TO `role`",
        "GRANT SELECT, RELOAD ON *.* TO PUBLIC",
        "GRANT ALL PRIVILEGES ON *.* TO ''@'%'",
        "GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION", /* TiDB */
        "GRANT ALL PRIVILEGES ON *.* TO o@\"%\" WITH GRANT OPTION",    /* ANSI_QUOTES */
        "GRANT BINLOG ADMIN, SUPER ON *.* TO `o`@`%` IDENTIFIED BY PASSWORD '*B6' WITH GRANT "
        "OPTION "
        "MAX_QUERIES_PER_HOUR 1000",
        "GRANT SUPER ON *.* TO `o`@`%` REQUIRE SSL",
        "GRANT SELECT,INSERT,SUPER ON *.* TO 'o'@'%'",
        "GRANT BACKUP_ADMIN,SUPER ON *.* TO `o`@`%`",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!grants(rows[i]))
            fail_msg("not granted: %s", rows[i]);
}

static void names_grant_nothing(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "GRANT",
        "GRANT ON *.* TO `o`",
        "GRANT , SUPER ON *.* TO `o`",
        "GRANT USAGE ON *.* TO `SUPER`@`%`",
        "GRANT SELECT ON `own`.`RELOAD, SUPER ON *.* TO x` TO `o`@`%`",
        "GRANT SELECT ON own.\"RELOAD, SUPER ON *.* TO x\" TO o@\"%\"",
        "GRANT SELECT ON ?own?.?RELOAD, SUPER ON *.* TO x? TO ?o???%?", /* in swe7 */
        "GRANT SELECT, UPDATE (`a) ON *.* TO y`, `b`) ON `own`.`t` TO `o`@`%`",
        "GRANT SELECT (a, SUPER ON *.* TO x) ON own.t TO o@\"%\"", /* names without quotes */
        "GRANT SELECT \xa5 x, SUPER ON *.* TO x \xa4 ON own.t TO o",
        "GRANT SELECT \xa5x, SUPER ON *.* TO x",
        "GRANT `SUPER ON *.* TO x` TO `o`@`%`",
        "GRANT SUPER TO `o`@`%`", /* a role */
        "GRANT SUPER ON *.* TO x TO `o`@`%`",
        "GRANT SUPER ON *.* TO x -- TO `o`@`%`\nTO y",
        "GRANT ALL PRIVILEGES ON `own`.* TO `o`@`%` WITH GRANT OPTION",
        "GRANT ALL PRIVILEGES ON `*`.* TO `o`@`%`",
        "GRANT ALL PRIVILEGES ON `*`.`*` TO `o`@`%`",
        "GRANT SUPER ON *.t TO `o`@`%`",
        "GRANT SUPER ON * TO `o`@`%`",
        "GRANT SELECT, ALL PRIVILEGES ON *.* TO `o`@`%`",
        "GRANT `SUPER` ON *.* TO `o`@`%`",
        "GRANT super ON *.* TO `o`@`%`",
        "GRANT SU/**/PER ON *.* TO `o`@`%`",
        "GRANT SELECT SUPER ON *.* TO `o`@`%`",
        "GRANT SUPERB ON *.* TO `o`@`%`",
        "GRANT EXECUTE ON PROCEDURE `own`.`SUPER ON *.* TO x` TO `o`@`%`",
        "GRANT PROXY ON `SUPER ON *.* TO x`@`%` TO `o`@`%` WITH GRANT OPTION",
        "REVOKE SUPER ON *.* FROM `o`@`%`",
        "XGRANT SUPER ON *.* TO `o`@`%`",
        "GRANT SUPER ON *.* TO `o",
        "GRANT SUPER ON *.* TO",
        "GRANT SUPER ON *.* TO `o`@`%` AND x",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (grants(rows[i]))
            fail_msg("granted: %s", rows[i]);
    assert_false(local_grants((struct wire_string){0}, privileges));
    assert_false(local_grants((struct wire_string){"G\0R\0A\0N\0T\0", 10}, privileges)); /* utf16 */
}

/* ---- Names made of pieces, quoted as the server does ---- */

static const char *const pieces[] = {"SUPER",
                                     "RELOAD",
                                     "ALL PRIVILEGES",
                                     " ON *.* TO ",
                                     "GRANT ",
                                     ", ",
                                     "`",
                                     "'",
                                     "\"",
                                     "\\",
                                     "\n",
                                     "\r",
                                     "-- ",
                                     "#",
                                     "/*",
                                     "*/",
                                     "/*!",
                                     "(",
                                     ")",
                                     "\xa0",
                                     "\xc3\xa9",
                                     "\xe4\xb8\xad",
                                     "x",
                                     "@",
                                     "`%`",
                                     " WITH ",
                                     "*.*",
                                     ";",
                                     " TO ",
                                     " "};

static void add_name(struct strbuf *out, unsigned *seed)
{
    char quote = "`\""[(unsigned)rand_r(seed) % 2];
    strbuf_add_byte(out, (uint8_t)quote);
    for (unsigned count = (unsigned)rand_r(seed) % 9; count > 0; count--)
        for (const char *at = pieces[(unsigned)rand_r(seed) % (sizeof pieces / sizeof pieces[0])];
             *at; at++) {
            if (*at == quote)
                strbuf_add_byte(out, (uint8_t)quote);
            strbuf_add_byte(out, (uint8_t)*at);
        }
    strbuf_add_byte(out, (uint8_t)quote);
}

/* %: a name in quotes. */
static void no_name_in_quotes_grants(void **state)
{
    static const char *const shapes[] = {
        "GRANT SELECT ON %.% TO %@%",
        "GRANT SELECT (%, %), UPDATE (%) ON %.% TO %@%",
        "GRANT ALL PRIVILEGES ON %.* TO %@% WITH GRANT OPTION",
        "GRANT % TO %@% WITH ADMIN OPTION",
        "GRANT EXECUTE ON PROCEDURE %.% TO %@%",
        "GRANT PROXY ON %@% TO %@% WITH GRANT OPTION",
        "GRANT USAGE ON *.* TO %@% IDENTIFIED BY PASSWORD % REQUIRE ISSUER % WITH GRANT OPTION"};
    unsigned seed = 20261127;
    (void)state;
    for (size_t round = 0; round < 300000; round++) {
        struct strbuf row = STRBUF_INIT;
        for (const char *at = shapes[round % (sizeof shapes / sizeof shapes[0])]; *at; at++)
            if (*at == '%')
                add_name(&row, &seed);
            else
                strbuf_add_byte(&row, (uint8_t)*at);
        if (local_grants((struct wire_string){row.data, row.size}, privileges))
            fail_msg("granted: %s", row.data);
        strbuf_release(&row);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_servers_write_is_granted),
        cmocka_unit_test(names_grant_nothing),
        cmocka_unit_test(no_name_in_quotes_grants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
