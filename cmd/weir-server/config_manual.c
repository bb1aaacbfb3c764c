/* SPDX-License-Identifier: Apache-2.0
 *
 * weir.toml(5): what the configuration file looks like, and its keys from the tables that read it. */
#include "config_manual.h"

#include "backends.h"
#include "options.h"

static const char head[] =
    ".TH weir.toml 5 \"\" \"weir " WEIR_VERSION "\" \"weir\"\n"
    ".nh\n"
    ".SH NAME\n"
    "weir.toml \\- configuration of weir\\-server\n"
    ".SH SYNOPSIS\n"
    ".B weir\\-server \\-config\n"
    ".I FILE.toml\n"
    ".SH DESCRIPTION\n"
    "The file is in TOML. Every option of\n"
    ".BR weir\\-server (1)\n"
    "but those that only print something is a key of it, under the same name and without the dash. "
    "The\n"
    "keys stand at the top, before the first section.\n"
    "The command line wins over the environment, the environment over the file, and the file over "
    "the\n"
    "default.\n"
    ".PP\n"
    "What is misspelt or has a wrong value stops the start; the message says file, line and key, "
    "and the\n"
    "name that is most like it.\n"
    ".B weir\\-server \\-sample\n"
    "prints a file with every key and its default. The package of Debian brings that as\n"
    ".IR /etc/weir/weir.toml .\n"
    ".SH KEYS\n";

static const char backends[] = ".SH BACKENDS\n"
                               "In place of the key\n"
                               ".BR backend ,\n"
                               "each of several backends can have a table\n"
                               ".B [[backend]]\n"
                               "of its own, with these keys:\n";

static const char tail[] = ".SH PLUGINS\n"
                           "A section\n"
                           ".B [plugin.NAME]\n"
                           "is for the plugin of this name, without its version: the variables of "
                           "its manifest, without the\n"
                           "plugin's name in front, and what else it asks for.\n"
                           "A value that\n"
                           ".B SET GLOBAL\n"
                           "or\n"
                           ".B SET PERSIST\n"
                           "has kept wins over the file;\n"
                           ".B ADMIN SHOW VARIABLES\n"
                           "says where each value comes from.\n"
                           ".SH EXAMPLES\n"
                           ".EX\n"
                           "host = \"0.0.0.0\"\n"
                           "plugin\\-load = \"ip_filter\\-1,audit_log\\-1\"\n"
                           "\n"
                           "[[backend]]\n"
                           "name = \"first\"\n"
                           "address = \"tcp://10.0.0.5:3306\"\n"
                           "\n"
                           "[[backend]]\n"
                           "name = \"spare\"\n"
                           "address = \"tcp://10.0.0.6:3306\"\n"
                           "role = \"standby\"\n"
                           "\n"
                           "[plugin.audit_log]\n"
                           "strategy = \"SYNCHRONOUS\"\n"
                           ".EE\n"
                           ".SH SEE ALSO\n"
                           ".BR weir\\-server (1),\n"
                           ".BR weir (7)\n";

void config_manual_print(FILE *out)
{
    fputs(head, out);
    options_print_keys(&server_option_table, out);
    fputs(backends, out);
    options_print_keys(&backend_option_table, out);
    fputs(tail, out);
}
