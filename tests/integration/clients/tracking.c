/* SPDX-License-Identifier: Apache-2.0
 *
 * Session tracking: runs each statement given and prints the changes of session state that came
 * with its OK. */
#include "client.h"

static void print_changes(MYSQL *mysql, enum enum_session_state_type type, const char *name)
{
    const char *data;
    size_t size;
    if (mysql_session_track_get_first(mysql, type, &data, &size))
        return;
    do {
        printf("  %s: ", name);
        print_bytes(data, size);
        printf("\n");
    } while (!mysql_session_track_get_next(mysql, type, &data, &size));
}

int main(int argc, char **argv)
{
    MYSQL *mysql = connect_client();
    for (int i = 1; i < argc; i++) {
        print_query(mysql, argv[i]);
        print_changes(mysql, SESSION_TRACK_SYSTEM_VARIABLES, "system variable");
        print_changes(mysql, SESSION_TRACK_SCHEMA, "schema");
        print_changes(mysql, SESSION_TRACK_STATE_CHANGE, "state");
        print_changes(mysql, SESSION_TRACK_TRANSACTION_CHARACTERISTICS,
                      "transaction characteristics");
        print_changes(mysql, SESSION_TRACK_TRANSACTION_STATE, "transaction state");
    }
    mysql_close(mysql);
    return 0;
}
