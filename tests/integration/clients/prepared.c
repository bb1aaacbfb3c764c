/* SPDX-License-Identifier: Apache-2.0
 *
 * Prepared statements with Connector/C, one sub-command for each thing that scripting languages do
 * not reach:
 *
 *     prepared select SQL      all rows, each value on a line, as strings converted from the binary
 *                              protocol
 *     prepared cursor SQL N    the same through a server-side cursor, N rows a fetch, reset and run
 *                              again
 *     prepared long-data       a parameter sent in pieces, with a reset in between
 *     prepared direct SQL      prepare and execute in one go (statement id -1)
 *     prepared bulk            array binding: COM_STMT_BULK_EXECUTE, with NULL and DEFAULT indicators
 *     prepared out-parameters  CALL with OUT and INOUT parameters
 *     prepared many N          N statements open at once, closed in reverse order */
#include "client.h"

enum { VALUE_SIZE = 1 << 17 };

struct row {
    MYSQL_BIND *binds;
    unsigned long *lengths;
    char *nulls;
    unsigned columns;
};

static void bind_row(MYSQL_STMT *statement, struct row *row)
{
    row->columns = mysql_stmt_field_count(statement);
    row->binds = calloc(row->columns, sizeof *row->binds);
    row->lengths = calloc(row->columns, sizeof *row->lengths);
    row->nulls = calloc(row->columns, 1);
    for (unsigned i = 0; i < row->columns; i++) {
        row->binds[i].buffer_type = MYSQL_TYPE_STRING;
        row->binds[i].buffer = malloc(VALUE_SIZE);
        row->binds[i].buffer_length = VALUE_SIZE;
        row->binds[i].length = &row->lengths[i];
        row->binds[i].is_null = &row->nulls[i];
    }
    if (mysql_stmt_bind_result(statement, row->binds))
        die_statement(statement, "bind result");
}

static void free_row(struct row *row)
{
    for (unsigned i = 0; i < row->columns; i++)
        free(row->binds[i].buffer);
    free(row->binds);
    free(row->lengths);
    free(row->nulls);
}

static void print_columns(MYSQL_STMT *statement)
{
    MYSQL_RES *metadata = mysql_stmt_result_metadata(statement);
    if (!metadata)
        return;
    for (unsigned i = 0; i < mysql_num_fields(metadata); i++) {
        MYSQL_FIELD *field = mysql_fetch_field_direct(metadata, i);
        printf("%s%s:%d:%lu:%u:%u:%u", i ? ", " : "", field->name, field->type, field->length,
               field->flags, field->decimals, field->charsetnr);
    }
    printf("\n");
    mysql_free_result(metadata);
}

static void print_rows(MYSQL_STMT *statement)
{
    struct row row;
    bind_row(statement, &row);
    int status;
    unsigned long long count = 0;
    while ((status = mysql_stmt_fetch(statement)) == 0 || status == MYSQL_DATA_TRUNCATED) {
        count++;
        for (unsigned i = 0; i < row.columns; i++) {
            if (row.nulls[i]) {
                printf("NULL\n");
            } else {
                print_bytes(row.binds[i].buffer, row.lengths[i]);
                printf("\n");
            }
        }
    }
    if (status != MYSQL_NO_DATA) {
        printf("fetch: error %u (%s): %s\n", mysql_stmt_errno(statement),
               mysql_stmt_sqlstate(statement), mysql_stmt_error(statement));
    }
    printf("%llu rows\n", count);
    free_row(&row);
}

static MYSQL_STMT *prepare(MYSQL *mysql, const char *sql)
{
    MYSQL_STMT *statement = mysql_stmt_init(mysql);
    if (mysql_stmt_prepare(statement, sql, strlen(sql)))
        die_statement(statement, "prepare");
    return statement;
}

static void execute(MYSQL_STMT *statement)
{
    if (mysql_stmt_execute(statement))
        die_statement(statement, "execute");
}

static void print_statement_ok(MYSQL_STMT *statement, const char *what)
{
    printf("%s: affected %lld, insert id %llu, warnings %u\n", what,
           (long long)mysql_stmt_affected_rows(statement),
           (unsigned long long)mysql_stmt_insert_id(statement),
           mysql_stmt_warning_count(statement));
}

static void run_select(MYSQL *mysql, const char *sql)
{
    MYSQL_STMT *statement = prepare(mysql, sql);
    printf("%lu parameters\n", mysql_stmt_param_count(statement));
    print_columns(statement);
    execute(statement);
    print_rows(statement);
    mysql_stmt_close(statement);
}

static void run_cursor(MYSQL *mysql, const char *sql, unsigned long rows)
{
    MYSQL_STMT *statement = prepare(mysql, sql);
    unsigned long type = CURSOR_TYPE_READ_ONLY;
    mysql_stmt_attr_set(statement, STMT_ATTR_CURSOR_TYPE, &type);
    mysql_stmt_attr_set(statement, STMT_ATTR_PREFETCH_ROWS, &rows);
    for (int round = 0; round < 2; round++) {
        execute(statement);
        /* Other statements may run while the cursor is open. */
        print_query(mysql, "SELECT 'between'");
        print_rows(statement);
        if (mysql_stmt_reset(statement))
            die_statement(statement, "reset");
    }
    /* A cursor that is closed before its end. */
    execute(statement);
    struct row row;
    bind_row(statement, &row);
    printf("fetch: %d\n", mysql_stmt_fetch(statement));
    free_row(&row);
    mysql_stmt_close(statement);
    print_query(mysql, "SELECT 'after'");
}

static void run_long_data(MYSQL *mysql)
{
    print_query(mysql, "CREATE TABLE l (id INT, b LONGBLOB)");
    MYSQL_STMT *statement = prepare(mysql, "INSERT INTO l VALUES (?, ?)");
    int id = 1;
    MYSQL_BIND binds[2] = {
        {.buffer_type = MYSQL_TYPE_LONG, .buffer = &id},
        {.buffer_type = MYSQL_TYPE_BLOB},
    };
    if (mysql_stmt_bind_param(statement, binds))
        die_statement(statement, "bind");
    enum { PIECE = 100000 };
    char *piece = malloc(PIECE);
    for (int i = 0; i < 7; i++) {
        memset(piece, 'a' + i, PIECE);
        if (mysql_stmt_send_long_data(statement, 1, piece, PIECE))
            die_statement(statement, "long data");
    }
    execute(statement);
    print_statement_ok(statement, "first");

    /* What was sent before a reset is forgotten. */
    if (mysql_stmt_send_long_data(statement, 1, piece, PIECE) || mysql_stmt_reset(statement))
        die_statement(statement, "reset");
    id = 2;
    if (mysql_stmt_send_long_data(statement, 1, "short", 5))
        die_statement(statement, "long data");
    execute(statement);
    print_statement_ok(statement, "second");
    free(piece);
    mysql_stmt_close(statement);
    print_query(mysql, "SELECT id, LENGTH(b), MD5(b) FROM l ORDER BY id");
}

static void run_direct(MYSQL *mysql, const char *sql)
{
    for (int round = 0; round < 2; round++) {
        MYSQL_STMT *statement = mysql_stmt_init(mysql);
        if (mariadb_stmt_execute_direct(statement, sql, strlen(sql))) {
            printf("direct: error %u (%s): %s\n", mysql_stmt_errno(statement),
                   mysql_stmt_sqlstate(statement), mysql_stmt_error(statement));
        } else if (mysql_stmt_field_count(statement)) {
            print_columns(statement);
            print_rows(statement);
        } else {
            print_statement_ok(statement, "direct");
        }
        mysql_stmt_close(statement);
    }
    print_query(mysql, "SELECT 'after'");
}

static void run_bulk(MYSQL *mysql)
{
    print_query(
        mysql,
        "CREATE TABLE k (id INT AUTO_INCREMENT PRIMARY KEY, a INT DEFAULT 77, s VARCHAR(40))");
    MYSQL_STMT *statement = prepare(mysql, "INSERT INTO k (a, s) VALUES (?, ?)");
    enum { ROWS = 1000 };
    static int numbers[ROWS];
    static char *strings[ROWS];
    static char text[ROWS][24];
    static unsigned long lengths[ROWS];
    static char number_indicators[ROWS], string_indicators[ROWS];
    for (int i = 0; i < ROWS; i++) {
        numbers[i] = i;
        lengths[i] = (unsigned long)snprintf(text[i], sizeof text[i], "row %d", i);
        strings[i] = text[i];
        number_indicators[i] = i % 10 == 3 ? STMT_INDICATOR_DEFAULT : STMT_INDICATOR_NONE;
        string_indicators[i] = i % 10 == 7 ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE;
    }
    MYSQL_BIND binds[2] = {
        {.buffer_type = MYSQL_TYPE_LONG, .buffer = numbers, .u.indicator = number_indicators},
        {.buffer_type = MYSQL_TYPE_STRING,
         .buffer = strings,
         .length = lengths,
         .u.indicator = string_indicators},
    };
    unsigned rows = ROWS;
    mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &rows);
    if (mysql_stmt_bind_param(statement, binds))
        die_statement(statement, "bind");
    execute(statement);
    print_statement_ok(statement, "bulk");
    mysql_stmt_close(statement);
    print_query(mysql, "SELECT COUNT(*), SUM(a), SUM(s IS NULL), SUM(a = 77), MAX(id) FROM k");
}

static void run_out_parameters(MYSQL *mysql)
{
    print_query(
        mysql,
        "CREATE PROCEDURE o(IN i INT, OUT doubled INT, INOUT t VARCHAR(30)) "
        "BEGIN SELECT i, t; SET doubled = i * 2, t = CONCAT(t, ' out'); SELECT 'second'; END");
    MYSQL_STMT *statement = prepare(mysql, "CALL o(?, ?, ?)");
    int in = 21, out = 0;
    MYSQL_BIND binds[3] = {
        {.buffer_type = MYSQL_TYPE_LONG, .buffer = &in},
        {.buffer_type = MYSQL_TYPE_LONG, .buffer = &out},
        {.buffer_type = MYSQL_TYPE_STRING, .buffer = "in and", .buffer_length = 6},
    };
    if (mysql_stmt_bind_param(statement, binds))
        die_statement(statement, "bind");
    execute(statement);
    int status;
    do {
        if (mysql_stmt_field_count(statement)) {
            printf("%s\n",
                   mysql->server_status & SERVER_PS_OUT_PARAMS ? "out parameters" : "result");
            print_columns(statement);
            print_rows(statement);
        } else {
            print_statement_ok(statement, "end");
        }
        status = mysql_stmt_next_result(statement);
    } while (status == 0);
    if (status > 0)
        die_statement(statement, "next result");
    mysql_stmt_close(statement);
}

static void run_many(MYSQL *mysql, int count)
{
    MYSQL_STMT **statements = calloc((size_t)count, sizeof(MYSQL_STMT *));
    for (int i = 0; i < count; i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "SELECT %d + ?", i);
        statements[i] = prepare(mysql, sql);
    }
    for (int i = count - 1; i >= 0; i--) {
        int value = 1000;
        MYSQL_BIND bind = {.buffer_type = MYSQL_TYPE_LONG, .buffer = &value};
        mysql_stmt_bind_param(statements[i], &bind);
        execute(statements[i]);
        print_rows(statements[i]);
        mysql_stmt_close(statements[i]);
    }
    free(statements);
    print_query(mysql, "SHOW SESSION STATUS LIKE 'Com_stmt_close'");
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    MYSQL *mysql = connect_client();
    if (!strcmp(what, "select") && argc == 3) {
        run_select(mysql, argv[2]);
    } else if (!strcmp(what, "cursor") && argc == 4) {
        run_cursor(mysql, argv[2], strtoul(argv[3], NULL, 10));
    } else if (!strcmp(what, "long-data")) {
        run_long_data(mysql);
    } else if (!strcmp(what, "direct") && argc == 3) {
        run_direct(mysql, argv[2]);
    } else if (!strcmp(what, "bulk")) {
        run_bulk(mysql);
    } else if (!strcmp(what, "out-parameters")) {
        run_out_parameters(mysql);
    } else if (!strcmp(what, "many") && argc == 3) {
        run_many(mysql, atoi(argv[2]));
    } else {
        fprintf(stderr, "prepared: what?\n");
        return 2;
    }
    mysql_close(mysql);
    return 0;
}
