/* SPDX-License-Identifier: Apache-2.0
 *
 * weir-trace's command line. */
#ifndef WEIR_TRACE_OPTIONS_H
#define WEIR_TRACE_OPTIONS_H

#include "base/base.h"
#include "base/options.h"

struct trace_program_options {
    char *plugin, *plugin_dir; /* NULL: the format's */
    char *read_file, *wire_file, *interface;
    char *keylog;
    long port;
    int format; /* enum trace_format */
    bool hex, show_secrets;
    bool summary;
    long top; /* 0: all */
    char *output;
    bool help, manual, version;
};

extern const struct option_table trace_program_table;

#endif
