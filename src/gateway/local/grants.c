/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/permission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/question.h"

struct permission {
    const char *const *privileges;
    bool granted;
    void (*known)(struct session *session, bool granted);
};

/* A line of SHOW GRANTS on everything: "GRANT SELECT, RELOAD ON *.* TO ...". */
static bool grants_one(struct wire_string line, const char *const *privileges)
{
    const char *end = memmem(line.data, line.size, " ON *.* TO ", 11);
    size_t size = end ? (size_t)(end - (const char *)line.data) : 0;
    bool granted = memmem(line.data, size, "ALL PRIVILEGES", 14) != NULL;
    for (; !granted && *privileges; privileges++)
        granted = memmem(line.data, size, *privileges, strlen(*privileges)) != NULL;
    return granted;
}

static void on_row(struct session *session, const struct wire_string *values, size_t count)
{
    struct permission *permission = session->permission;
    if (count && values[0].data && grants_one(values[0], permission->privileges))
        permission->granted = true;
}

static void on_done(struct session *session, unsigned error_code)
{
    struct permission permission = *session->permission;
    permission_release(session);
    permission.known(session, !error_code && permission.granted);
}

static const struct question_handlers grants_question = {.row = on_row, .done = on_done};

bool permission_ask(struct session *session, const char *const *privileges,
                    void (*known)(struct session *session, bool granted))
{
    if (!*privileges) {
        known(session, true);
        return true;
    }
    session->permission = calloc(1, sizeof *session->permission);
    if (!session->permission)
        return false;
    *session->permission = (struct permission){.privileges = privileges, .known = known};
    return question_ask(session, "SHOW GRANTS", &grants_question);
}

void permission_denied_words(const char *const *privileges, char *words, size_t room)
{
    struct strbuf list = STRBUF_INIT;
    for (const char *const *one = privileges; *one; one++)
        strbuf_printf(&list, "%s%s", one == privileges ? "" : " or ", *one);
    snprintf(words, room,
             "Access denied; you need (at least one of) the %s privilege(s) for this operation",
             list.data ? list.data : "");
    strbuf_release(&list);
}

void permission_release(struct session *session)
{
    free(session->permission);
    session->permission = NULL;
}
