/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may do what the gateway itself answers: what a row of SHOW GRANTS grants, and the message of
 * the error when none does. The rows come from the backend, for the session's user, so that roles
 * count. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "gateway/local/local.h"

/* A row about everything: "GRANT SELECT, RELOAD ON *.* TO ...". */
bool local_grants(struct wire_string line, const char *const *privileges)
{
    static const char everything[] = " ON *.* TO ";
    if (!line.data)
        return false;
    const char *end = memmem(line.data, line.size, everything, sizeof everything - 1);
    size_t size = end ? (size_t)(end - line.data) : 0;
    bool granted = memmem(line.data, size, "ALL PRIVILEGES", 14) != NULL;
    for (; !granted && *privileges; privileges++)
        granted = memmem(line.data, size, *privileges, strlen(*privileges)) != NULL;
    return granted;
}

void local_denied_message(const char *const *privileges, char *message, size_t room)
{
    assert(*privileges);
    struct strbuf list = STRBUF_INIT;
    for (const char *const *one = privileges; *one; one++)
        strbuf_printf(&list, "%s%s", one == privileges ? "" : " or ", *one);
    snprintf(message, room,
             "Access denied; you need (at least one of) the %s privilege(s) for this operation",
             list.data);
    strbuf_release(&list);
}
