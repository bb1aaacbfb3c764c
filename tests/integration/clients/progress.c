/* SPDX-License-Identifier: Apache-2.0
 *
 * Progress reports: runs the statement given and prints the stages that the server has reported
 * while it ran. */
#include "client.h"

static char last_stage[256];
static unsigned reports;

static void on_progress(const MYSQL *mysql, unsigned stage, unsigned max_stage, double progress,
                        const char *text, unsigned text_size)
{
    (void)mysql;
    (void)progress;
    reports++;
    char now[sizeof last_stage];
    snprintf(now, sizeof now, "stage %u of %u: %.*s", stage, max_stage, (int)text_size, text);
    if (strcmp(now, last_stage)) {
        printf("%s\n", now);
        memcpy(last_stage, now, sizeof now);
    }
}

int main(int argc, char **argv)
{
    MYSQL *mysql = mysql_init(NULL);
    mysql_optionsv(mysql, MYSQL_PROGRESS_CALLBACK, (void *)on_progress);
    unsigned tcp = MYSQL_PROTOCOL_TCP;
    mysql_options(mysql, MYSQL_OPT_PROTOCOL, &tcp);
    connect_handle(mysql);
    for (int i = 1; i < argc; i++)
        print_query(mysql, argv[i]);
    printf("%s\n", reports ? "there were reports" : "there were no reports");
    mysql_close(mysql);
    return 0;
}
