/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets are masked, whatever a statement looks like; the rest of it stays. */
#include "sql_test.h"

static const struct {
    const char *sql, *masked; /* NULL: nothing to mask */
} cases[] = {
    {"CREATE USER a@b IDENTIFIED BY 'pw'", "CREATE USER a@b IDENTIFIED BY '***'"},
    {"CREATE*/ USER a@b IDENTIFIED BY 'pw'", "CREATE*/ USER a@b IDENTIFIED BY '***'"},
    {"SET*/ PASSWORD = 'pw'", "SET*/ PASSWORD = '***'"},
    {"CHANGE /*! MASTER*/ TO MASTER_PASSWORD = 'pw'",
     "CHANGE /*! MASTER*/ TO MASTER_PASSWORD = '***'"},
    {"create user 'a'@'b' identified by'pw','c'@'d' identified by \"pw\"",
     "create user 'a'@'b' identified by'***','c'@'d' identified by '***'"},
    {"CREATE USER a IDENTIFIED VIA ed25519 USING PASSWORD('pw') OR unix_socket",
     "CREATE USER a IDENTIFIED VIA ed25519 USING PASSWORD('***') OR unix_socket"},
    {"CREATE USER a IDENTIFIED WITH 'mysql_native_password' AS '*hash' REQUIRE SUBJECT 'x'",
     "CREATE USER a IDENTIFIED WITH 'mysql_native_password' AS '***' REQUIRE SUBJECT 'x'"},
    {"GRANT ALL ON *.* TO 'u'@'h' IDENTIFIED BY PASSWORD'*hash' REQUIRE ISSUER 'y'",
     "GRANT ALL ON *.* TO 'u'@'h' IDENTIFIED BY PASSWORD'***' REQUIRE ISSUER 'y'"},
    {"ALTER USER a IDENTIFIED BY 'a' 'b' REPLACE 'c' COMMENT 'z'",
     "ALTER USER a IDENTIFIED BY '***' '***' REPLACE '***' COMMENT 'z'"},
    {"SET PASSWORD FOR 'u'@'h' = PASSWORD('pw')", "SET PASSWORD FOR 'u'@'h' = PASSWORD('***')"},
    {"SET PASSWORD FOR root@localhost = 'pw'", "SET PASSWORD FOR root@localhost = '***'"},
    {"set password='pw'", "set password='***'"},
    {"SET PASSWORD FOR CURRENT_USER() = OLD_PASSWORD('pw')",
     "SET PASSWORD FOR CURRENT_USER() = OLD_PASSWORD('***')"},
    {"CHANGE MASTER TO MASTER_HOST='h', MASTER_PASSWORD = 'pw', MASTER_USER='u'",
     "CHANGE MASTER TO MASTER_HOST='h', MASTER_PASSWORD = '***', MASTER_USER='u'"},
    {"CREATE SERVER s OPTIONS (USER 'u', PASSWORD 'pw')",
     "CREATE SERVER s OPTIONS (USER 'u', PASSWORD '***')"},
    {"START SLAVE USER='u' PASSWORD='pw'", "START SLAVE USER='u' PASSWORD='***'"},
    {"SELECT PASSWORD('pw')", "SELECT PASSWORD('***')"},
    {"PREPARE s FROM 'CREATE USER a IDENTIFIED BY ''pw'''", "PREPARE s FROM '***'"},
    {"EXECUTE IMMEDIATE 'SET PASSWORD=''pw'''", "EXECUTE IMMEDIATE '***'"},
    {"/*!50000 CREATE USER a IDENTIFIED /* c */ BY /*!50001 'pw' */ */",
     "/*!50000 CREATE USER a IDENTIFIED /* c */ BY /*!50001 '***' */ */"},
    {"CREATE USER a IDENTIFIED -- 'c'\n BY 'pw'", "CREATE USER a IDENTIFIED -- 'c'\n BY '***'"},
    {"CREATE USER a IDENTIFIED 'pw'", "CREATE USER a IDENTIFIED '***'"},
    {"CREATE USRE a IDENTIFIED BY 'pw", "CREATE USRE a IDENTIFIED BY '***'"},
    {"CREATE USER a IDENTIFIED BY N'pw'", "CREATE USER a IDENTIFIED BY N'***'"},
    {"CREATE USER a IDENTIFIED BY 'it''s pw'", "CREATE USER a IDENTIFIED BY '***'"},
    /* Where the literal ends depends on the SQL mode: the rest goes with it. */
    {"CREATE USER a IDENTIFIED BY 'a\\'pw' COMMENT 'pw'", "CREATE USER a IDENTIFIED BY '***'"},
    {"CREATE USER `it's` IDENTIFIED BY 'pw'", "CREATE USER `it's` IDENTIFIED BY '***'"},
    {"CREATE USER a BY 'pw'", "CREATE USER a BY '***'"},
    {"grant all on *.* to a by 'pw', b by 'pw'", "grant all on *.* to a by '***', b by '***'"},
    {"ALTER TABLE t ORDER BY a, b", NULL},
    {"CREATE TABLE t (a DATE) PARTITION BY RANGE COLUMNS (a) SUBPARTITION BY HASH (a)", NULL},
    {"LOAD DATA INFILE 'f' INTO TABLE t FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' "
     "ESCAPED BY '/' LINES STARTING BY 'x'",
     NULL},
    {"SELECT password FROM t WHERE name = 'bob'", NULL},
    {"SELECT 'identified', 'password'", NULL},
    {"ALTER USER a PASSWORD EXPIRE, b ACCOUNT LOCK COMMENT 'x'", NULL},
    {"SELECT 1", NULL},
    {"SELECT a FROM t WHERE identifier = 'x'", NULL},
    {"SELECT user, host FROM mysql.user WHERE user = 'x'", NULL},
    {"CREATE OR REPLACE USER IF NOT EXISTS 'a'@'h', b@'h', c @ 'h' REQUIRE SUBJECT 'x' AND ISSUER "
     "'y'",
     NULL},
    {"CREATE USER 'a', `b` DEFAULT ROLE 'r'@'%', 's' COMMENT 'x'", NULL},
    {"ALTER USER IF EXISTS CURRENT_USER() ACCOUNT LOCK COMMENT 'x'", NULL},
    {"GRANT SELECT (a) ON `d`.t TO 'a'@'h', \"b\"@h WITH GRANT OPTION", NULL},
    {"GRANT 'r' TO 'a'@'h' WITH ADMIN OPTION", NULL},
    {"CREATE TABLE user (a INT DEFAULT 'x')", NULL},
    {"REPLACE INTO user VALUES ('x')", NULL},
    {"ALTER TABLE t ADD grant INT DEFAULT 'x'", NULL},
    {"SELECT 1; DROP USER 'a'@'h', 'b'", NULL},
    {"RENAME USER 'a'@'h' TO 'b'@'h'", NULL},
    {"REVOKE ALL ON *.* FROM 'a'@'h', 'b'", NULL},
    {"CREATE TABLE t (a INT COMMENT 'x')", NULL},
};

/* What no server may run, or what may be written in another way: pw must not be in what is left. */
static const char *const never_shown[] = {
    "CREATE USER a IDENTIFIED BYE 'pw'",
    ("CREATE USER a IDENTIFIED\xa0"
     "BY\xa0'pw'"),
    "CREATE USER a\xa0IDENTIFIED BY'pw'",
    "CREATE USER a IDENTIFED BY 'pw'",
    "CREATE USER a INDENTIFIED BY 'pw'",
    "CREATE USER a IDENTIFEID BY 'pw'",
    "CREATE USER a IDENTIFIED B Y 'pw'",
    "CREATE USER a IDENTIFIED BY pw",
    "CREATE USER a IDENTIFIED pw",
    "CREATE USER a IDENTIFIED BY `pw`",
    "CREATE USER a IDENTIFIED BY \"pw\"",
    "CREATE USER a IDENTIFIED BY \"\" \"pw\"",
    "CREATE USER a IDENTIFIED BY 'x'@'pw'",
    "CREATE USER a IDENTIFIED BY 'x' + 'pw'",
    "CREATE USER a IDENTIFIED BY x'pw'",
    "CREATE USER a IDENTIFIED BY _utf8'pw'",
    "CREATE USER a IDENTIFIED VIA ed25519 USNIG 'pw'",
    "CREATE USER a IDENTIFIED VIA ed25519 USING 'x' OR mysql_native_password AS 'pw'",
    "CREATE USER a IDENTIFIED WITH 'x' 'pw'",
    "CREATE USER a IDENTIFIED WITH x BY 'a' AND IDENTIFIED WITH y AS 'pw'",
    "CREATE USER a IDENTIFIED WITH x INITIAL AUTHENTICATION IDENTIFIED BY 'pw'",
    "ALTER USER a IDENTIFIED BY 'x' REPLACE 'pw' RETAIN CURRENT PASSWORD",
    "ALTER USER a IDENTIFIED BY 'x' REPLCAE 'pw'",
    "CREATE USER a IDENTIFIED BY --\xa0'\n 'pw'",
    "CREATE USER a IDENTIFIED BY --\x01'\n 'pw'",
    "CREATE USER `\x81`@h` IDENTIFIED BY 'pw'",
    "CREATE USER `a IDENTIFIED BY 'pw'",
    "CREATE USER a /*T! IDENTIFIED BY 'pw' */",
    "CREATE USER a IDENTIFIED BY /* 'pw'",
    "GRANT ALL ON *.* TO a IDENTIFIED BY PASSWORD pw",
    "SET PASSWORD FOR 'u' = 'pw'",
    "SET PASWORD = 'pw'",
    "SET PASSWROD = 'pw'",
    "SET PASSWORD FRO 'u'@'h' = 'pw'",
    "SET PASSWORD = ENCRYPT('pw')",
    "SET PASSWORD TO 'pw'",
    "SET PASSWORD FOR a = 'x' REPLACE 'pw'",
    "CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD='pw'",
    "CHANGE MASTER TO MASTER_PASWORD='pw'",
    "START GROUP_REPLICATION USER='u', PASSWORD='pw'",
    "CLONE INSTANCE FROM a@h:3306 IDENTIFIED BY 'pw'",
    "SELECT AES_ENCRYPT('pw', 'key')",
    "SELECT AES_DECRYPT(a, CONCAT('x', 'pw'))",
    "SELECT DES_ENCRYPT(a, 'pw')",
    "SET GLOBAL wsrep_sst_auth = 'user:pw'",
    "SET GLOBAL s3_secret_key = 'pw'",
    "SET GLOBAL authentication_ldap_simple_bind_root_pwd = 'qq'",
    "CREATE TABLE t ENGINE=FEDERATED CONNECTION='mysql://u:pw@h/d/t'",
    "CREATE TABLE t ENGINE=CONNECT OPTION_LIST='User=u,Password=pw'",
    "CREATE TABLE t ENGINE=SPIDER COMMENT='user \"u\", password \"pw\"'",
    "CREATE USER a 'pw'",
    "CREATE USER a pw",
    "CREATE USER a `pw`",
    "CREATE USER 'a' 'pw'",
    "CREATE USER 'a' @ 'h' \"pw\"",
    "CREATE USER IF NOT EXISTS 'a'@'h', b@h 'pw'",
    "CREATE OR REPLACE USER a DEFAULT ROLE r 'pw'",
    "CREATE USER a N'pw'",
    "CREATE USER a x'pw'",
    "CREATE USER a WITH 'x,' 'pw'",
    "CREATE UESR a 'pw'",
    "ALTER USER a 'pw'",
    "ALTER USER USER() 'pw'",
    "SELECT 1; ALTER USER CURRENT_USER() 'pw'",
    "GRANT ALL ON *.* TO a 'pw'",
    "GRANT ALL ON *.* TO 'a'@'h' pw",
    "GRANT ALL ON *.* TO a@h, 'b' 'pw'",
    "EXECUTE IMMEDIATE 'CREATE USER a ''pw'''",
    "/*M!100100 CREATE USER a 'pw' */",
    "PREPARE s FROM 'CREATE USER a IDENTIFIED BYE ''pw'''",
    "SET @s = 'SET PASSWORD = ''pw'''",
    "SELECT 1; SET PASWORD = 'pw'",
};

static void what_no_server_understands_is_masked_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof never_shown / sizeof *never_shown; i++) {
        struct strbuf out = STRBUF_INIT;
        if (!sql_redact(&out, span_of(never_shown[i])))
            fail_msg("nothing is masked: %s", never_shown[i]);
        if (strstr(out.data, "pw") && !strstr(out.data, "root_pwd = '***'"))
            fail_msg("%s: %s", never_shown[i], out.data);
        strbuf_release(&out);
    }
    struct strbuf out = STRBUF_INIT;
    assert_true(sql_redact(&out, span_of("SET PASSWORD = 0x7077, x = 1")));
    assert_string_equal(out.data, "SET PASSWORD = '***', x = 1");
    strbuf_release(&out);
}

static void secrets_are_masked_and_the_rest_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct strbuf out = STRBUF_INIT;
        strbuf_add_text(&out, "before ");
        bool masked = sql_redact(&out, span_of(cases[i].sql));
        assert_int_equal(masked, cases[i].masked != NULL);
        assert_memory_equal(out.data, "before ", 7);
        assert_string_equal(out.data + 7, masked ? cases[i].masked : "");
        strbuf_release(&out);
    }
    struct strbuf out = STRBUF_INIT;
    assert_false(sql_redact(&out, (struct sql_span){NULL, 0}));
}

/* A text can be cut anywhere by a limit: no beginning of it shows the secret. */
static void no_beginning_of_a_text_shows_its_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases && cases[i].masked; i++) {
        for (size_t size = 0; size <= strlen(cases[i].sql); size++) {
            struct strbuf out = STRBUF_INIT;
            if (sql_redact(&out, (struct sql_span){cases[i].sql, size}))
                assert_null(strstr(out.data, "pw"));
            strbuf_release(&out);
        }
    }
}

static void error_messages_do_not_quote_secrets(void **state)
{
    (void)state;
    struct strbuf out = STRBUF_INIT;
    struct sql_span message =
        span_of("You have an error in your SQL syntax; check near 'IDENTIFIED BY 'pw'' at line 1");
    assert_true(sql_redact_message(&out, message, false));
    assert_string_equal(out.data, "You have an error in your SQL syntax; check near '***'");
    strbuf_reset(&out);
    message = span_of("You have an error in your SQL syntax; check near 'pw'' at line 1");
    assert_false(sql_redact_message(&out, message, false));
    assert_true(sql_redact_message(&out, message, true));
    assert_string_equal(out.data, "You have an error in your SQL syntax; check near '***'");
    strbuf_reset(&out);
    message = span_of("Fehler in der SQL-Syntax bei 'BYE 'pw'' in Zeile 1");
    assert_true(sql_redact_message(&out, message, true));
    assert_string_equal(out.data, "Fehler in der SQL-Syntax bei '***'");
    strbuf_reset(&out);
    message = span_of("You have an error in your SQL syntax; check near 'BYE 'pw'' at line 1");
    assert_true(sql_message_quotes_other(message, span_of("PREPARE s FROM @s")));
    message = span_of("Error near 'FORM t WHERE a = 5 AND b = 6' at line 1");
    assert_false(sql_message_quotes_other(
        message, span_of("SELECT a FORM t WHERE a = 5 AND b = 6 LIMIT 10")));
    assert_false(sql_message_quotes_other(span_of("Table 'd.t' doesn't exist"), span_of("x")));
    assert_false(
        sql_redact_message(&out, span_of("Operation CREATE USER failed for 'a'@'b'"), true));
    assert_string_equal(out.data, "");
    strbuf_release(&out);
}

/* Wherever the word stands, and however long the text is. */
static void every_place_is_looked_at(void **state)
{
    (void)state;
    static const char *const words[] = {"password", "PASSWD", "Identified", NULL};
    for (const char *const *word = words; *word; word++) {
        size_t size = strlen(*word);
        for (size_t before = 0; before < 40; before++) {
            for (size_t after = 0; after < 20; after++) {
                char text[80];
                memset(text, ' ', sizeof text);
                memcpy(text + before, *word, size);
                assert_true(sql_may_hold_secret((struct sql_span){text, before + size + after}));
                memset(text + before, 'x', 5); /* more than a mistake */
                assert_false(sql_may_hold_secret((struct sql_span){text, before + size + after}));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_is_looked_at),
        cmocka_unit_test(secrets_are_masked_and_the_rest_stays),
        cmocka_unit_test(no_beginning_of_a_text_shows_its_secret),
        cmocka_unit_test(what_no_server_understands_is_masked_too),
        cmocka_unit_test(error_messages_do_not_quote_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
