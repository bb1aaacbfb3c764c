/* SPDX-License-Identifier: Apache-2.0
 *
 * The questions of a check, and the answers that are wanted. */
#include "gateway/upstream/account_check.h"

#include <stdio.h>
#include <string.h>

#include "gateway/upstream/account_notice.h"

#define VALUE_BYTES 256

/* wanted NULL: any answer will do. */
static int expect(struct account_session *session, const char *statement, const char *wanted,
                  struct error *error)
{
    char value[VALUE_BYTES];
    if (account_session_ask(session, statement, value, sizeof value, error))
        return -1;
    if (wanted && strcmp(value, wanted) != 0)
        return error_set(error, "its check \"%s\" says \"%s\", not \"%s\"", statement,
                         log_foreign(value, strlen(value)), wanted);
    return 0;
}

/* Synced, and with a quorum. */
static int check_galera(struct account_session *session, struct error *error)
{
    int status = expect(session, "SHOW GLOBAL STATUS LIKE 'wsrep_ready'", "ON", error);
    if (status == 0)
        status = expect(session, "SHOW GLOBAL STATUS LIKE 'wsrep_local_state'", "4", error);
    return status;
}

static int find_role(struct account_session *session, char role[UPSTREAM_NAME_BYTES],
                     struct error *error)
{
    char value[VALUE_BYTES];
    if (account_session_ask(session, "SELECT @@global.read_only", value, sizeof value, error))
        return -1;
    const bool is_writable = strcmp(value, "0") == 0 || strcmp(value, "OFF") == 0;
    snprintf(role, UPSTREAM_NAME_BYTES, "%s", is_writable ? "primary" : "standby");
    return 0;
}

int account_check(const struct upstream_options *options, const struct account_target *target,
                  bool notices, char role[UPSTREAM_NAME_BYTES], struct error *error)
{
    const struct upstream_checks *checks = &options->checks;
    struct account_session *session = account_session_open(target, error);
    int status = session ? 0 : -1;
    role[0] = 0;
    if (status == 0 && checks->query)
        status = expect(session, checks->query, checks->expected, error);
    if (status == 0 && checks->galera)
        status = check_galera(session, error);
    if (status == 0 && options->role && strcmp(options->role, ROLE_AUTOMATIC) == 0)
        status = find_role(session, role, error);
    if (status == 0 && notices && !target->sends_proxy_header)
        account_notice(session, target->label);
    if (status == 0 && notices && options->accounts_question)
        account_notice_missing(session, options->accounts_question, target->label);
    account_session_close(session);
    return status;
}
