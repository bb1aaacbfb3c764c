/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts that plugins were configured with, and the question which of them a server does not have. It is read alike
 * in each sql_mode and character set, and whatever sql_select_limit is. */
#include <string.h>
#include <weir/account.h>

#include "plugin/host/registry.h"

#define ACCOUNTS_MOST 64 /* that are looked up; more are too many for a message */

void plugin_add_hex(struct strbuf *out, const char *data, size_t size)
{
    strbuf_add_text(out, size ? "0x" : "''");
    for (size_t i = 0; i < size; i++)
        strbuf_printf(out, "%02x", (unsigned char)data[i]);
}

static void add_account(struct strbuf *out, weir_string account, weir_string user, weir_string host)
{
    plugin_add_hex(out, account.data, account.size);
    strbuf_add_text(out, " AS account, ");
    plugin_add_hex(out, user.data, user.size);
    strbuf_add_text(out, " AS user_name, ");
    plugin_add_hex(out, host.data, host.size);
    strbuf_add_text(out, " AS host_name");
}

/* Bytes are compared, so that no collation is mixed with another. */
size_t plugin_ask_for_accounts(struct strbuf *out, const struct strbuf *accounts)
{
    size_t count = 0;
    strbuf_add_text(out, "SELECT wanted.account FROM (");
    for (size_t at = 0; at < accounts->size && count < ACCOUNTS_MOST;) {
        const size_t size = strlen(accounts->data + at);
        const weir_string account = {accounts->data + at, size};
        weir_string user, host;
        at += size + 1;
        if (!account_split(account, &user, &host))
            continue;
        strbuf_add_text(out, count++ ? " UNION SELECT " : "SELECT ");
        add_account(out, account, user, host);
    }
    strbuf_add_text(out, ") AS wanted WHERE NOT EXISTS (SELECT 1 FROM mysql.user AS present WHERE "
                         "CAST(present.User AS BINARY) = wanted.user_name AND "
                         "(CAST(LOWER(present.Host) AS BINARY) = wanted.host_name OR "
                         "CAST(LOWER(present.Host) AS BINARY) LIKE wanted.host_name)) LIMIT 64");
    return count;
}

const struct strbuf *plugin_accounts_at_start(const struct plugin_registry *registry)
{
    return &registry->accounts_at_start;
}
