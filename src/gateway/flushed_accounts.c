/* SPDX-License-Identifier: Apache-2.0
 *
 * Each account is asked for once: what was said at the start is not said again with each SIGHUP. */
#include "gateway/flushed_accounts.h"

#include <string.h>

#include "gateway/backends.h"

static bool has(const struct strbuf *accounts, const char *account)
{
    for (size_t at = 0; at < accounts->size; at += strlen(accounts->data + at) + 1)
        if (strcmp(accounts->data + at, account) == 0)
            return true;
    return false;
}

/* Adds those that are not in `named` to both. */
static void add_new(struct strbuf *fresh, struct strbuf *named, const struct strbuf *accounts)
{
    for (size_t at = 0; at < accounts->size; at += strlen(accounts->data + at) + 1) {
        const char *account = accounts->data + at;
        if (has(named, account))
            continue;
        strbuf_add(named, account, strlen(account) + 1);
        strbuf_add(fresh, account, strlen(account) + 1);
    }
}

void flush_plugins_and_ask(struct gateway *gateway, struct strbuf *named)
{
    const struct plugin_registry *registry = gateway->registry;
    struct strbuf accounts = STRBUF_INIT, fresh = STRBUF_INIT, question = STRBUF_INIT;
    plugin_collect_warnings(NULL, &accounts);
    for (size_t i = 0; i < plugin_count(registry); i++) {
        struct error error = {""};
        const char *name = plugin_row_at(registry, i).name;
        if (plugin_can_flush(registry, i) && plugin_flush(gateway->registry, NULL, name, &error))
            log_error("plugin", "SIGHUP: %s", error.message);
    }
    plugin_collect_warnings(NULL, NULL);
    add_new(&fresh, named, &accounts);
    if (plugin_ask_for_accounts(&question, &fresh) > 0 && !question.failed)
        backends_notice_missing(gateway, question.data);
    strbuf_release(&accounts);
    strbuf_release(&fresh);
    strbuf_release(&question);
}
