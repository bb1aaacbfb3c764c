/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions that MariaDB, MySQL and TiDB understand. One is of accounts whose host fits the gateway's, as the server has
 * resolved it or as an address, and that have a privilege which the same user does not have as 'user'@'%', or whose user has no such
 * account, so that nobody could log in from afar. Those whose host is a netmask are not looked at, nor
 * privileges on single tables. */
#include "gateway/upstream/account_notice.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define VALUE_BYTES 1024

/* Those of one view of privileges that the near account has and the far one lacks. */
#define MORE_IN(view, and_alike)                                                                   \
    "EXISTS (SELECT 1 FROM information_schema." view " AS has WHERE "                              \
    "has.GRANTEE = CONCAT('''', near.User, '''@''', near.Host, '''') AND "                         \
    "has.PRIVILEGE_TYPE <> 'USAGE' AND NOT EXISTS (SELECT 1 FROM information_schema." view         \
    " AS lacks WHERE lacks.GRANTEE = CONCAT('''', near.User, '''@''%%''') AND "                    \
    "lacks.PRIVILEGE_TYPE = has.PRIVILEGE_TYPE" and_alike "))"

static const char question[] = /* of the gateway's address */
    "SELECT GROUP_CONCAT(CONCAT(near.User, '@', near.Host) ORDER BY near.User, near.Host "
    "SEPARATOR ', ') FROM mysql.user AS near WHERE near.Host <> '%%' AND "
    "(SUBSTRING_INDEX(USER(), '@', -1) LIKE near.Host OR '%s' LIKE near.Host) AND near.User NOT IN "
    "('mariadb.sys', 'mysql.sys', 'mysql.session', 'mysql.infoschema', SUBSTRING_INDEX(USER(), "
    "'@', 1)) AND "
    "(NOT EXISTS (SELECT 1 FROM mysql.user AS far WHERE far.User = near.User AND far.Host = '%%') "
    "OR " MORE_IN("USER_PRIVILEGES", "") " OR " MORE_IN(
        "SCHEMA_PRIVILEGES", " AND lacks.TABLE_SCHEMA = has.TABLE_SCHEMA") ")";

void account_notice(struct account_session *session, const char *label)
{
    char accounts[VALUE_BYTES], host[INET6_ADDRSTRLEN], text[sizeof question + sizeof host];
    struct error error;
    account_session_own_host(session, host);
    snprintf(text, sizeof text, question, host);
    if (account_session_ask(session, text, accounts, sizeof accounts, &error))
        log_info("backend",
                 "%s: whether it has accounts that may more from the gateway's host is not known; "
                 "give the account of -backend-check-user SELECT on mysql.*: %s",
                 label, error.message);
    else if (accounts[0])
        log_warn("backend",
                 "%s: clients from everywhere match these accounts, which may more than the same "
                 "users from elsewhere: %s. Drop them, or tell it the client's address by "
                 "-proxy-protocol",
                 label, log_foreign(accounts, strlen(accounts)));
}

void account_notice_missing(struct account_session *session, const char *rows_question,
                            const char *label)
{
    char accounts[VALUE_BYTES];
    struct error error;
    struct strbuf text = STRBUF_INIT;
    strbuf_printf(&text,
                  "SELECT GROUP_CONCAT(missing.account ORDER BY missing.account SEPARATOR ', ') "
                  "FROM (%s) AS missing",
                  rows_question);
    if (text.failed)
        log_warn("backend", "%s: no memory to look for accounts that are configured", label);
    else if (account_session_ask(session, text.data, accounts, sizeof accounts, &error))
        log_info("backend",
                 "%s: whether it has the accounts that plugins' rules and settings name is not "
                 "known; give the account of -backend-check-user SELECT on mysql.*: %s",
                 label, error.message);
    else if (accounts[0])
        log_warn("backend",
                 "%s: plugins' rules and settings name accounts that it does not have, and that "
                 "match nobody: %s. Correct their spelling, or create them",
                 label, log_foreign(accounts, strlen(accounts)));
    strbuf_release(&text);
}
