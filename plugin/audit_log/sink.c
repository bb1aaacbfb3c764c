/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include <stdio.h>

int sink_cannot_rotate(struct sink *sink, struct strbuf *name, struct error *error)
{
    (void)name;
    error_set(error, "audit_log_handler is %s: there is no file to rotate", sink->type->name);
    return -1;
}
