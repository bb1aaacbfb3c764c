/* SPDX-License-Identifier: Apache-2.0
 *
 * The protocol's smaller commands with Connector/C, all in one conversation: what each of them
 * leaves behind shows in the statements after it. */
#include "client.h"

static void print_state(MYSQL *mysql)
{
    print_query(mysql, "SELECT DATABASE(), CURRENT_USER(), @v, @@session.sql_mode, @@autocommit");
}

int main(void)
{
    MYSQL *mysql = connect_client();
    print_query(
        mysql,
        "CREATE TABLE f (id INT PRIMARY KEY DEFAULT 3, name VARCHAR(20) NOT NULL, KEY (name))");

    print_outcome(mysql, "ping", mysql_ping(mysql));
    print_outcome(mysql, "select_db", mysql_select_db(mysql, "information_schema"));
    print_state(mysql);
    print_outcome(mysql, "select_db", mysql_select_db(mysql, "no_such_database"));
    print_outcome(mysql, "select_db", mysql_select_db(mysql, setting("WEIR_TEST_DATABASE")));
    print_state(mysql);

    MYSQL_RES *fields = mysql_list_fields(mysql, "f", "%");
    print_outcome(mysql, "list_fields", !fields);
    for (unsigned i = 0; fields && i < mysql_num_fields(fields); i++) {
        MYSQL_FIELD *field = mysql_fetch_field_direct(fields, i);
        printf("%s %s %d %lu default %s\n", field->table, field->name, field->type, field->length,
               field->def ? field->def : "-");
    }
    mysql_free_result(fields);
    fields = mysql_list_fields(mysql, "nowhere", "%");
    print_outcome(mysql, "list_fields", !fields);

    const char *statistics = mysql_stat(mysql);
    printf("statistics: %.7s\n", statistics ? statistics : "-");

    print_outcome(mysql, "set_option off",
                  mysql_set_server_option(mysql, MYSQL_OPTION_MULTI_STATEMENTS_OFF));
    print_query(mysql, "SELECT 1; SELECT 2");
    print_outcome(mysql, "set_option on",
                  mysql_set_server_option(mysql, MYSQL_OPTION_MULTI_STATEMENTS_ON));
    print_query(mysql, "SELECT 1; SELECT 2");
    print_outcome(mysql, "debug", mysql_dump_debug_info(mysql));
    print_outcome(mysql, "refresh", mysql_refresh(mysql, REFRESH_TABLES));

    print_query(mysql, "SET @v = 'kept', SESSION sql_mode = 'ANSI_QUOTES', autocommit = 0");
    print_query(mysql, "CREATE TEMPORARY TABLE temporary_table (a INT)");
    print_outcome(mysql, "reset_connection", mysql_reset_connection(mysql));
    print_state(mysql);
    print_query(mysql, "SELECT * FROM temporary_table");

    print_query(mysql, "SET @v = 'kept again'");
    print_outcome(mysql, "change_user", mysql_change_user(mysql, "plain", "plain-secret", NULL));
    print_state(mysql);
    print_outcome(mysql, "change_user",
                  mysql_change_user(mysql, setting("WEIR_TEST_USER"), setting("WEIR_TEST_PASSWORD"),
                                    "information_schema"));
    print_state(mysql);
    print_outcome(mysql, "change_user",
                  mysql_change_user(mysql, "ed", "ed-secret", setting("WEIR_TEST_DATABASE")));
    print_state(mysql);
    print_outcome(mysql, "change_user",
                  mysql_change_user(mysql, "nopassword", "", setting("WEIR_TEST_DATABASE")));
    print_state(mysql);
    print_outcome(mysql, "change_user wrong", mysql_change_user(mysql, "plain", "wrong", NULL));
    print_outcome(mysql, "ping", mysql_ping(mysql));
    mysql_close(mysql);

    mysql = connect_client();
    print_outcome(mysql, "change_user wrong database",
                  mysql_change_user(mysql, "plain", "plain-secret", "no_such_database"));
    mysql_close(mysql);
    return 0;
}
