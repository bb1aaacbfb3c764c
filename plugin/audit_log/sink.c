/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include <stdio.h>
#include <strings.h>

static const struct sink_type *const types[] = {&sink_file, &sink_syslog, &sink_socket};

const struct sink_type *sink_find(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strlen(types[i]->name) == size && strncasecmp(types[i]->name, name, size) == 0)
            return types[i];
    }
    return NULL;
}

int sink_cannot_rotate(struct sink *sink, struct text *name, char problem[PROBLEM_BYTES])
{
    (void)name;
    snprintf(problem, PROBLEM_BYTES, "audit_log_handler is %s: there is no file to rotate",
             sink->type->name);
    return -1;
}
