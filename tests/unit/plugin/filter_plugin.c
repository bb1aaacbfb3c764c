/* SPDX-License-Identifier: Apache-2.0
 *
 * ip_filter for tests: packaged as it is in plugin/ip_filter, its settings, and clients that come and leave. */
#include "filter_plugin.h"

#include <arpa/inet.h>
#include <string.h>

const char *ban_after; /* that setting; NULL: not set */

const char *setting(void *user, const char *plugin, const char *key)
{
    (void)plugin;
    if (strcmp(key, "ban_after") == 0)
        return ban_after;
    return strcmp(key, "file") == 0 ? user : NULL;
}

/* Packages the plugin in plugin/ip_filter itself. */
void package(const struct workshop *workshop)
{
    struct strbuf report = STRBUF_INIT;
    struct error error = {""};
    struct plugin_package_options options = {.folder = TEST_IP_FILTER,
                                             .output_folder = workshop_path(workshop, "out"),
                                             .include = TEST_INCLUDE};
    assert_int_equal(plugin_package(&options, &report, &error), 0);
    strbuf_release(&report);
    assert_string_equal(error.message, "");
}

struct plugin_registry *load_from(const struct workshop *workshop, const char *out,
                                  struct plugin_storage *storage)
{
    struct error error = {""};
    const struct plugin_options options = {.directory = workshop_path(workshop, "%s", out),
                                           .load = "ip_filter-1",
                                           .settings.value = setting,
                                           .storage = storage};
    struct plugin_registry *registry = plugin_registry_load(&options, &error);
    assert_string_equal(error.message, "");
    return registry;
}

struct weir_session client(const char *address)
{
    struct weir_session session;
    plugin_session_init(&session);
    session.text[WEIR_TEXT_client_ip] = (weir_string){address, strlen(address)};
    bool is_ipv6 = strchr(address, ':') != NULL;
    session.client_address_size = *address ? is_ipv6 ? 16 : 4 : 0;
    if (*address)
        assert_int_equal(inet_pton(is_ipv6 ? AF_INET6 : AF_INET, address, session.client_address),
                         1);
    return session;
}

struct weir_session user_at(const char *user, const char *address)
{
    struct weir_session session = client(address);
    session.text[WEIR_TEXT_user] = (weir_string){user, strlen(user)};
    return session;
}

/* Whether the client gets in; it leaves again. */
bool visits(struct plugin_registry *registry, const char *user, const char *address)
{
    struct weir_session session = user_at(user, address);
    bool passed = connection_event(registry, &session, WEIR_PRE_AUTH);
    connection_event(registry, &session, passed ? WEIR_DISCONNECT : WEIR_REJECT);
    return passed;
}
