/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#define AT(member) offsetof(struct server_options, member)

static const char *const levels[] = {
#define X(enumerator, name, colour) name,
    LOG_LEVELS(X)
#undef X
    NULL};

static const struct option_row rows[] = {
    {.name = "Listening", .type = OPTION_HEADING},
    {.name = "host", .type = OPTION_TEXT, .offset = AT(host), .argument = "ADDRESS",
     .fallback = "127.0.0.1", .help = "Address to listen on; 0.0.0.0 or :: for all."},
    {.name = "port", .letter = "P", .type = OPTION_NUMBER, .offset = AT(port), .argument = "PORT",
     .fallback = "4000", .maximum = 65535, .help = "TCP port to listen on; 0 for none."},
    {.name = "socket", .type = OPTION_TEXT, .offset = AT(socket), .argument = "PATH",
     .help = "Unix socket to listen on, beside the TCP port."},
    {.name = "workers", .type = OPTION_NUMBER, .offset = AT(workers), .argument = "N",
     .fallback = "0", .maximum = 1024, .help = "Threads that serve sessions; 0 for one a core."},
    {.name = "max-connections", .type = OPTION_NUMBER, .offset = AT(max_connections),
     .argument = "N", .fallback = "4096", .minimum = 1, .maximum = 1000000,
     .help = "Client connections at the same time; a further one reads \"Too many connections\"."},

    {.name = "Backend", .type = OPTION_HEADING},
    {.name = "backend", .type = OPTION_TEXT, .offset = AT(backend), .argument = "ADDRESS",
     .environment = "WEIR_BACKEND",
     .help = "Any MySQL-compatible server, as tcp://host:port or unix:///path. Without it "
             "weir-server runs a MariaDB of its own under -path."},
    {.name = "path", .type = OPTION_TEXT, .offset = AT(path), .argument = "DIR",
     .fallback = "./var", .help = "Data directory of the embedded MariaDB."},
    {.name = "proxy-protocol", .type = OPTION_FLAG, .offset = AT(proxy_protocol),
     .help = "Tell the -backend each client's address in a PROXY protocol v2 header; the backend must "
             "be set up to accept it. The embedded one always gets it."},
    {.name = "mariadbd", .type = OPTION_TEXT, .offset = AT(mariadbd), .argument = "PROGRAM",
     .fallback = "/usr/sbin/mariadbd", .help = "Program of the embedded MariaDB."},

    {.name = "Plugins", .type = OPTION_HEADING},
    {.name = "plugin-dir", .type = OPTION_TEXT, .offset = AT(plugin_dir), .argument = "DIR",
     .fallback = ".", .help = "Where the plugins' shared objects are."},
    {.name = "plugin-load", .type = OPTION_TEXT, .offset = AT(plugin_load),
     .argument = "NAME-VERSION[,...]",
     .help = "Plugins to load; events go to them in this order."},
    {.name = "skip-plugin-on-failure", .type = OPTION_FLAG, .offset = AT(skip_plugin_on_failure),
     .help = "Start without the plugins that fail to load or to initialise."},

    {.name = "Limits", .type = OPTION_HEADING},
    {.name = "handshake-timeout", .type = OPTION_NUMBER, .offset = AT(handshake_timeout),
     .argument = "SECONDS", .fallback = "10", .minimum = 1, .maximum = 3600,
     .help = "How long a client may take to log in."},
    {.name = "connect-timeout", .type = OPTION_NUMBER, .offset = AT(connect_timeout),
     .argument = "SECONDS", .fallback = "5", .minimum = 1, .maximum = 3600,
     .help = "How long the backend may take to accept a connection and greet."},
    {.name = "drain-timeout", .type = OPTION_NUMBER, .offset = AT(drain_timeout),
     .argument = "SECONDS", .fallback = "10", .maximum = 86400,
     .help = "How long running statements may go on after SIGTERM; a second signal ends the wait."},
    {.name = "max-command-bytes", .type = OPTION_NUMBER, .offset = AT(max_command_bytes),
     .argument = "BYTES", .fallback = "67108864", .minimum = 1024, .maximum = 1073741824,
     .help = "Largest command that is accepted. A command is held in memory until plugins have judged "
             "it; a larger one is refused with error 1153 and the session ends."},
    {.name = "max-prepared-bytes", .type = OPTION_NUMBER, .offset = AT(max_prepared_bytes),
     .argument = "BYTES", .fallback = "16777216", .minimum = 1024, .maximum = 1073741824,
     .help = "Text of prepared statements that one session may keep, so that plugins can be told what "
             "is executed; a further PREPARE is refused with error 1461."},

    {.name = "General", .type = OPTION_HEADING},
    {.name = "config", .type = OPTION_TEXT, .offset = AT(config), .argument = "FILE.toml",
     .help = "Configuration file: every option by its name, and [plugin.NAME] sections. The command "
             "line wins."},
    {.name = "log-file", .type = OPTION_TEXT, .offset = AT(log_file), .argument = "FILE",
     .help = "Append the log to a file, which SIGHUP reopens, instead of standard error."},
    {.name = "level", .letter = "L", .type = OPTION_CHOICE, .offset = AT(level),
     .argument = "LEVEL", .fallback = "info", .choices = levels,
     .help = "The least important lines that are logged."},
    {.name = "version", .letter = "V", .type = OPTION_FLAG, .offset = AT(version),
     .help = "Print the version and exit."},
    {.name = "help", .letter = "h", .type = OPTION_FLAG, .offset = AT(help),
     .help = "Print this and exit."},
    {.name = "manual", .type = OPTION_FLAG, .offset = AT(manual),
     .help = "Print the man page in roff and exit."},
};

const struct option_table server_option_table = {
    .program = "weir-server",
    .synopsis = "a gateway for the MySQL protocol whose plugins see and can refuse every statement",
    .description =
        "weir-server stands between MySQL clients and a MySQL-compatible database. Plugins that it "
        "loads are told of every connection and statement, and can refuse them. It needs no "
        "configuration: without -backend it runs a private MariaDB.",
    .rows = rows,
    .count = sizeof rows / sizeof *rows,
};
