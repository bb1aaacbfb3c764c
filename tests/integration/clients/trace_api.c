/* SPDX-License-Identifier: Apache-2.0
 *
 * The C API's calls on client plugins, with a trace plugin that is part of the program.
 *
 *     trace_api SOCKET                     uses the library, ends it, and does so again
 *     trace_api SOCKET PLUGIN_DIR          prints what happened, one line each
 *     trace_api SOCKET PLUGIN_DIR NAME     the same of another plugin, loaded with arguments */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <mysql.h>
#include <mysql/plugin_trace.h>

static unsigned starts, stops, events;

static int options(const char *option, const void *value)
{
    printf("option %s=%s\n", option, (const char *)value);
    return strcmp(option, "known") != 0;
}

static void *trace_start(struct st_mysql_client_plugin_TRACE *self, MYSQL *conn,
                         enum protocol_stage stage)
{
    (void)self;
    (void)conn;
    (void)stage;
    starts++;
    return &starts;
}

static void trace_stop(struct st_mysql_client_plugin_TRACE *self, MYSQL *conn, void *data)
{
    (void)self;
    (void)conn;
    stops += data == &starts;
}

static int trace_event(struct st_mysql_client_plugin_TRACE *self, void *data, MYSQL *conn,
                       enum protocol_stage stage, enum trace_event event,
                       struct st_trace_event_args args)
{
    (void)self;
    (void)data;
    (void)stage;
    events++;
    if (event == TRACE_EVENT_SEND_COMMAND && args.cmd == COM_QUERY)
        printf("user %s, thread %d, %.*s\n", conn->user, conn->thread_id == mysql_thread_id(conn),
               (int)args.pkt_len, (const char *)args.pkt);
    return 0;
}

/* clang-format off */
mysql_declare_client_plugin(TRACE)
    "linked_trace", "weir", "Part of the program", {1, 0, 0}, "Apache-2.0", NULL,
    NULL, NULL, options,
    trace_start, trace_stop, trace_event
mysql_end_client_plugin;
/* clang-format on */

static void query(const char *socket, const char *text)
{
    MYSQL *mysql = mysql_init(NULL);
    if (!mysql_real_connect(mysql, NULL, "root", NULL, NULL, 0, socket, 0) ||
        mysql_query(mysql, text))
        printf("failed: %s\n", mysql_error(mysql));
    mysql_close(mysql);
}

static struct st_mysql_client_plugin *load(MYSQL *mysql, const char *name, int argc, ...)
{
    va_list arguments;
    va_start(arguments, argc);
    struct st_mysql_client_plugin *plugin =
        mysql_load_plugin_v(mysql, name, MYSQL_CLIENT_TRACE_PLUGIN, argc, arguments);
    va_end(arguments);
    return plugin;
}

static int load_by_list(const char *socket, const char *folder, const char *name)
{
    MYSQL *mysql = mysql_init(NULL);
    mysql_options(mysql, MYSQL_PLUGIN_DIR, folder);
    struct st_mysql_client_plugin *plugin = load(mysql, name, 1, "argument");
    printf("load_v %s: %s\n", plugin ? plugin->name : "nothing", mysql_error(mysql));
    printf("find %d\n", mysql_client_find_plugin(mysql, name, MYSQL_CLIENT_TRACE_PLUGIN) == plugin);
    printf("again %d: %s\n", load(mysql, name, 0) != NULL, mysql_error(mysql));
    query(socket, "do 1");
    mysql_close(mysql);
    mysql_library_end();
    return 0;
}

int main(int argc, char **argv)
{
    for (int again = 0; argc == 2 && again < 2; again++) {
        query(argv[1], "do 1");
        mysql_library_end();
    }
    if (argc == 2)
        return 0;
    if (argc == 4)
        return load_by_list(argv[1], argv[2], argv[3]);
    struct st_mysql_client_plugin *linked =
        (struct st_mysql_client_plugin *)&_mysql_client_plugin_declaration_;
    MYSQL *mysql = mysql_init(NULL);
    if (argc != 3)
        return 2;
    mysql_options(mysql, MYSQL_PLUGIN_DIR, argv[2]);
    printf("register %d\n", mysql_client_register_plugin(mysql, linked) == linked);
    printf("find %d\n",
           mysql_client_find_plugin(mysql, "linked_trace", MYSQL_CLIENT_TRACE_PLUGIN) == linked);
    printf("options %d", mysql_plugin_options(linked, "known", "1"));
    printf("options %d\n", mysql_plugin_options(linked, "unknown", "1"));
    query(argv[1], "do 1");
    struct st_mysql_client_plugin *second =
        mysql_load_plugin(mysql, "simple_trace", MYSQL_CLIENT_TRACE_PLUGIN, 0);
    printf("second %d: %s\n", second != NULL, mysql_error(mysql));
    query(argv[1], "do 2");
    mysql_close(mysql);
    printf("starts %u, stops %u, events %d\n", starts, stops, events > 20);
    mysql_library_end();
    return 0;
}
