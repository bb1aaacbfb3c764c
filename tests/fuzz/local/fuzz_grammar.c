/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of weir's own statements, on any text: what is taken from it lies in it. */
#include <stdlib.h>

#include "gateway/local/grammar_backends.h"
#include "gateway/local/grammar_plugins.h"
#include "gateway/local/grammar_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct sql_span span, struct sql_span text)
{
    if (span.at && (span.at < text.at || span.at + span.size > text.at + text.size))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sql_span text = {(const char *)data, size}, name;
    struct sql_mode mode = {0};
    struct grammar_show_plugins show;
    struct grammar_plugins plugins;
    struct grammar_trace trace;
    struct grammar_backends backends;
    if (grammar_show_plugins(text, &mode, &show))
        check_inside(show.pattern, text);
    if (grammar_plugins(text, &mode, &plugins))
        while (grammar_plugins_next(&plugins, &name))
            check_inside(name, text);
    if (grammar_trace(text, &mode, &trace)) {
        check_inside(trace.plugin, text);
        check_inside(trace.user, text);
        check_inside(trace.host, text);
    }
    if (grammar_backends(text, &mode, &backends))
        while (grammar_backends_next(&backends, &name))
            check_inside(name, text);
    return 0;
}
