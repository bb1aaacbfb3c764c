/* SPDX-License-Identifier: Apache-2.0
 *
 * What sinks have in common: the answer of those that write to no file when a rotation is asked
 * for. The sinks themselves are sink_file.c, sink_syslog.c and sink_socket.c. */
#include "sink.h"

#include <stdio.h>

int sink_cannot_rotate(struct sink *sink, struct strbuf *name, struct error *error)
{
    (void)name;
    error_set(error, "audit_log_handler is %s: there is no file to rotate", sink->type->name);
    return -1;
}
