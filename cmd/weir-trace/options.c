/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of weir-trace's options; --help and the manual page are printed from it. */
#include "options.h"

#include "trace/protocol/trace_protocol.h"

static const char *const formats[] = {
#define X(enumerator, name, plugin) name,
    TRACE_FORMATS(X)
#undef X
        NULL};

#define AT(field) offsetof(struct trace_program_options, field)

static const struct option_row rows[] = {
    {.name = "What is traced", .type = OPTION_HEADING},
    {.name = "r",
     .type = OPTION_TEXT,
     .offset = AT(read_file),
     .letter = "read",
     .argument = "FILE",
     .help = "A network capture, pcap or pcapng."},
    {.name = "wire",
     .type = OPTION_TEXT,
     .offset = AT(wire_file),
     .argument = "FILE",
     .help = "A recording as lines of JSON ({\"dir\": \"c2s\", \"hex\": \"...\"}), plain or "
             "gzipped."},
    {.name = "i",
     .type = OPTION_TEXT,
     .offset = AT(interface),
     .letter = "interface",
     .argument = "NAME",
     .help = "A network interface, until interrupted. Needs the right to capture (CAP_NET_RAW)."},
    {.name = "port",
     .type = OPTION_NUMBER,
     .offset = AT(port),
     .argument = "PORT",
     .fallback = "0",
     .minimum = 0,
     .maximum = 65535,
     .help = "The server's TCP port in captures: all of its connections are shown, from the "
             "beginning. 0: conversations are found on any port, by the server's greeting, or by a "
             "command and its reply where the beginning is missing."},
    {.name = "keylog",
     .type = OPTION_TEXT,
     .offset = AT(keylog),
     .argument = "FILE",
     .environment = "SSLKEYLOGFILE",
     .help =
         "The secrets of TLS connections in captures and recordings, as clients write them when "
         "SSLKEYLOGFILE is set: TLS 1.2 and 1.3 with AES-GCM or ChaCha20-Poly1305. Without "
         "them a conversation is shown up to its request for TLS."},
    {.name = "How it is shown", .type = OPTION_HEADING},
    {.name = "plugin",
     .type = OPTION_TEXT,
     .offset = AT(plugin),
     .argument = "NAME",
     .help =
         "The trace plugin that is given the events, in place of a format: a name in the plugin "
         "directory, or a path with a '/'."},
    {.name = "plugin-dir",
     .type = OPTION_TEXT,
     .offset = AT(plugin_dir),
     .argument = "DIR",
     .environment = "MARIADB_PLUGIN_DIR",
     .help = "Where trace plugins are. Default: lib/weir/plugin beside the program's own folder."},
    {.name = "format",
     .type = OPTION_CHOICE,
     .offset = AT(format),
     .argument = "NAME",
     .fallback = "text",
     .choices = formats,
     .help = "text: one line an event, decoded. test_trace: as MySQL's test plugin prints. json: "
             "one object a callback."},
    {.name = "summary",
     .type = OPTION_FLAG,
     .offset = AT(summary),
     .help = "Captures and recordings: not the events but which statements ran, by digest and by "
             "client: how often, for how long from the command to the end of its reply (median, "
             "95th percentile, longest), with how many rows and errors. With --format json as one "
             "object."},
    {.name = "top",
     .type = OPTION_NUMBER,
     .offset = AT(top),
     .argument = "N",
     .fallback = "20",
     .minimum = 0,
     .maximum = 1000000,
     .help = "--summary: the N statements, and clients, that took longest. 0: all."},
    {.name = "hex",
     .type = OPTION_FLAG,
     .offset = AT(hex),
     .help = "text: show the first 64 bytes of each packet too."},
    {.name = "show-secrets",
     .type = OPTION_FLAG,
     .offset = AT(show_secrets),
     .help = "Show what authenticates users, and passwords in statements and error messages, which "
             "are masked otherwise. With --format test_trace statements are shown as they are in "
             "any case, as MySQL's test plugin does."},
    {.name = "o",
     .type = OPTION_TEXT,
     .offset = AT(output),
     .letter = "output",
     .argument = "FILE",
     .help = "Where to write. Default: standard output; standard error when a program is run."},
    {.name = "Help", .type = OPTION_HEADING},
    {.name = "help", .type = OPTION_FLAG, .offset = AT(help), .help = "This text."},
    {.name = "manual",
     .type = OPTION_FLAG,
     .offset = AT(manual),
     .help = "The manual page, in roff."},
    {.name = "V",
     .type = OPTION_FLAG,
     .offset = AT(version),
     .letter = "version",
     .help = "The version."},
};

const struct option_table trace_program_table = {
    .program = "weir-trace",
    .synopsis = "show what a MySQL client and its server say to each other",
    .operands = "[-- PROGRAM ARGS...]",
    .description =
        "weir-trace shows conversations of the MySQL protocol as the events of MySQL's protocol "
        "tracing: of a program that it runs and that uses MariaDB Connector/C (weir-trace -- "
        "mariadb "
        "-e 'select 1'), of a network capture, or of a recording.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};
