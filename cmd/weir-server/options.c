/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of weir-server, one row each: name, type, where in struct server_options the value
 * goes, default, limits, and help. The command line, the configuration file, --help and the man
 * page all follow from these rows. */
#include "options.h"

#define AT(member) offsetof(struct server_options, member)

static const char *const levels[] = {
#define X(enumerator, name, colour) name,
    LOG_LEVELS(X)
#undef X
        NULL};

static const struct option_row rows[] = {
    {.name = "Listening", .type = OPTION_HEADING},
    {.name = "host",
     .type = OPTION_TEXT,
     .offset = AT(host),
     .argument = "ADDRESS",
     .fallback = "127.0.0.1",
     .help = "Address to listen on; 0.0.0.0 or :: for all."},
    {.name = "port",
     .letter = "P",
     .type = OPTION_NUMBER,
     .offset = AT(port),
     .argument = "PORT",
     .fallback = "4000",
     .maximum = 65535,
     .help = "TCP port to listen on; 0 for none."},
    {.name = "socket",
     .type = OPTION_TEXT,
     .offset = AT(socket),
     .argument = "PATH",
     .help = "Unix socket to listen on, beside the TCP port."},
    {.name = "proxy-protocol-networks",
     .type = OPTION_TEXT,
     .offset = AT(proxy_networks),
     .argument = "NETWORK[,...]",
     .help =
         "Who may begin a connection with a PROXY protocol header (version 1 or 2), whose address "
         "is "
         "the client's then: addresses and networks such as 10.0.0.7,10.1.0.0/16,2001:db8::/32, "
         "localhost for -socket, or * alone. They need not send one. Others that do are refused. "
         "Whoever is listed can claim any address: list balancers only."},
    {.name = "workers",
     .type = OPTION_NUMBER,
     .offset = AT(workers),
     .argument = "N",
     .fallback = "0",
     .maximum = 1024,
     .help = "Threads that serve sessions; 0 for one a core."},
    {.name = "max-connections",
     .type = OPTION_NUMBER,
     .offset = AT(max_connections),
     .argument = "N",
     .fallback = "4096",
     .minimum = 1,
     .maximum = 1000000,
     .help = "Client connections at the same time; a further one reads \"Too many connections\"."},

    {.name = "TLS", .type = OPTION_HEADING},
    {.name = "ssl-cert",
     .type = OPTION_TEXT,
     .offset = AT(ssl_cert),
     .argument = "FILE",
     .help =
         "Certificate for clients that want TLS, with its chain, in PEM. SIGHUP reads it again."},
    {.name = "ssl-key",
     .type = OPTION_TEXT,
     .offset = AT(ssl_key),
     .argument = "FILE",
     .help = "Its private key, in PEM."},
    {.name = "ssl-ca",
     .type = OPTION_TEXT,
     .offset = AT(ssl_ca),
     .argument = "FILE",
     .help = "Clients must show a certificate that one of these signs, in PEM."},
    {.name = "auto-tls",
     .type = OPTION_FLAG,
     .offset = AT(auto_tls),
     .help = "Without a certificate, make one at start that signs itself: encrypted, not "
             "authenticated."},
    {.name = "require-secure-transport",
     .type = OPTION_FLAG,
     .offset = AT(require_secure_transport),
     .help = "Refuse TCP clients that do not use TLS."},

    {.name = "Compression", .type = OPTION_HEADING},
    {.name = "compression",
     .type = OPTION_TEXT,
     .offset = AT(compression),
     .argument = "off|on|LIST",
     .fallback = "off",
     .help =
         "What clients are offered: zlib, zstd, both with a comma, or on. It saves bytes and costs "
         "CPU; and where somebody can watch the connection and choose a part of what it carries, "
         "the "
         "lengths tell about the rest."},
    {.name = "backend-compression",
     .type = OPTION_TEXT,
     .offset = AT(backend_compression),
     .argument = "off|on|LIST",
     .fallback = "off",
     .help =
         "What the backend is asked for, if it has it: as -compression; zstd goes before zlib."},
    {.name = "compression-level",
     .type = OPTION_NUMBER,
     .offset = AT(compression_level),
     .argument = "N",
     .fallback = "6",
     .minimum = 1,
     .maximum = 9,
     .help = "zlib's level, on both sides."},
    {.name = "zstd-compression-level",
     .type = OPTION_NUMBER,
     .offset = AT(zstd_level),
     .argument = "N",
     .fallback = "3",
     .minimum = 1,
     .maximum = 22,
     .help = "zstd's level that the backend is asked for; a client gets the one that it asks for, "
             "but no "
             "higher one."},

    {.name = "Backend", .type = OPTION_HEADING},
    {.name = "backend",
     .type = OPTION_TEXT,
     .offset = AT(backend),
     .argument = "ADDRESS",
     .environment = "WEIR_BACKEND",
     .help = "Any MySQL-compatible server, as tcp://host:port or unix:///path. Without it "
             "weir-server runs a MariaDB of its own under -path."},
    {.name = "path",
     .type = OPTION_TEXT,
     .offset = AT(path),
     .argument = "DIR",
     .fallback = "./var",
     .help = "Data directory of the embedded MariaDB."},
    {.name = "proxy-protocol",
     .type = OPTION_FLAG,
     .offset = AT(proxy_protocol),
     .help =
         "Tell the -backend each client's address in a PROXY protocol v2 header; the backend must "
         "be set up to accept it. The embedded one always gets it."},
    {.name = "backend-first",
     .type = OPTION_FLAG,
     .offset = AT(backend_first),
     .help =
         "Connect to the backend before a client is greeted, and greet with its scramble and its "
         "connection id: clients without CLIENT_PLUGIN_AUTH can log in, and the id is the same in "
         "CONNECTION_ID(), SHOW PROCESSLIST and KILL. Whoever connects then costs the backend a "
         "connection; plugins can refuse an address before that (PreConnect)."},
    {.name = "mariadbd",
     .type = OPTION_TEXT,
     .offset = AT(mariadbd),
     .argument = "PROGRAM",
     .fallback = "/usr/sbin/mariadbd",
     .help = "Program of the embedded MariaDB."},

    {.name = "Plugins", .type = OPTION_HEADING},
    {.name = "plugin-dir",
     .type = OPTION_TEXT,
     .offset = AT(plugin_dir),
     .argument = "DIR",
     .fallback = ".",
     .help = "Where the plugins' shared objects are."},
    {.name = "plugin-load",
     .type = OPTION_TEXT,
     .offset = AT(plugin_load),
     .argument = "NAME-VERSION[,...]",
     .help = "Plugins to load; events go to them in this order."},
    {.name = "plugin-locked",
     .type = OPTION_TEXT,
     .offset = AT(plugin_locked),
     .argument = "NAME[,...]",
     .help = "Plugins that no statement can disable, flush, set or change by its functions, "
             "whatever privileges its account has: what they do is said at start. SIGHUP flushes "
             "them."},
    {.name = "skip-plugin-on-failure",
     .type = OPTION_FLAG,
     .offset = AT(skip_plugin_on_failure),
     .help = "Start without the plugins that fail to load or to initialise, but for those that are "
             "locked."},

    {.name = "trace-plugin",
     .type = OPTION_TEXT,
     .offset = AT(trace_plugin),
     .argument = "NAME",
     .help = "A protocol trace plugin, NAME.so in -plugin-dir, one that came with weir, or a path: "
             "it sees "
             "every packet of the "
             "clients' conversations. Its output can disclose data and password hashes."},
    {.name = "trace-user",
     .type = OPTION_TEXT,
     .offset = AT(trace_user),
     .argument = "USER",
     .help = "Trace only sessions of this user, from their first command on."},
    {.name = "trace-host",
     .type = OPTION_TEXT,
     .offset = AT(trace_host),
     .argument = "PATTERN",
     .help = "Trace only sessions from addresses like this pattern, such as 10.%."},

    {.name = "Limits", .type = OPTION_HEADING},
    {.name = "handshake-timeout",
     .type = OPTION_NUMBER,
     .offset = AT(handshake_timeout),
     .argument = "SECONDS",
     .fallback = "10",
     .minimum = 1,
     .maximum = 3600,
     .help = "How long a client may take to log in."},
    {.name = "connect-timeout",
     .type = OPTION_NUMBER,
     .offset = AT(connect_timeout),
     .argument = "SECONDS",
     .fallback = "5",
     .minimum = 1,
     .maximum = 3600,
     .help = "How long the backend may take to accept a connection and greet."},
    {.name = "drain-timeout",
     .type = OPTION_NUMBER,
     .offset = AT(drain_timeout),
     .argument = "SECONDS",
     .fallback = "10",
     .maximum = 86400,
     .help = "How long running statements and open transactions may go on after SIGTERM; a second "
             "signal ends the wait. If some have not ended by then, the exit status is 2."},
    {.name = "hold-timeout",
     .type = OPTION_NUMBER,
     .offset = AT(hold_timeout),
     .argument = "SECONDS",
     .fallback = "300",
     .minimum = 1,
     .maximum = 86400,
     .help = "How long a plugin may keep a client's reply, or its own verdict; then it has failed, "
             "and its on_failure decides. It has also failed when the server ends meanwhile."},
    {.name = "stall-limit",
     .type = OPTION_NUMBER,
     .offset = AT(stall_limit),
     .argument = "MILLISECONDS",
     .fallback = "100",
     .maximum = 3600000,
     .help =
         "Log what a worker does, and in which plugin, when it has not gone on for so long: its "
         "other sessions wait meanwhile. 0: never."},
    {.name = "max-command-bytes",
     .type = OPTION_NUMBER,
     .offset = AT(max_command_bytes),
     .argument = "BYTES",
     .fallback = "67108864",
     .minimum = 1024,
     .maximum = 1073741824,
     .help =
         "Largest command that is accepted. A command is held in memory until plugins have judged "
         "it; a larger one is refused with error 1153 and the session ends."},
    {.name = "max-prepared-bytes",
     .type = OPTION_NUMBER,
     .offset = AT(max_prepared_bytes),
     .argument = "BYTES",
     .fallback = "16777216",
     .minimum = 1024,
     .maximum = 1073741824,
     .help =
         "Text of prepared statements that one session may keep, so that plugins can be told what "
         "is executed; a further PREPARE is refused with error 1461."},

    {.name = "General", .type = OPTION_HEADING},
    {.name = "config",
     .is_argument = true,
     .type = OPTION_TEXT,
     .offset = AT(config),
     .argument = "FILE.toml",
     .help =
         "Configuration file: every option by its name, and [plugin.NAME] sections. The command "
         "line wins."},
    {.name = "log-file",
     .type = OPTION_TEXT,
     .offset = AT(log_file),
     .argument = "FILE",
     .help = "Append the log to a file, which SIGHUP reopens, instead of standard error."},
    {.name = "level",
     .letter = "L",
     .type = OPTION_CHOICE,
     .offset = AT(level),
     .argument = "LEVEL",
     .fallback = "info",
     .choices = levels,
     .help = "The least important lines that are logged."},
    {.name = "version",
     .is_argument = true,
     .letter = "V",
     .type = OPTION_FLAG,
     .offset = AT(version),
     .help = "Print the version and exit."},
    {.name = "help",
     .is_argument = true,
     .letter = "h",
     .type = OPTION_FLAG,
     .offset = AT(help),
     .help = "Print this and exit."},
    {.name = "manual",
     .is_argument = true,
     .type = OPTION_FLAG,
     .offset = AT(manual),
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
