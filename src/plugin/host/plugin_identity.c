/* SPDX-License-Identifier: Apache-2.0
 *
 * What a shared object's manifest says, read from its JSON before any of its code runs: may this
 * host load it? Keys that this host doesn't know are a newer pluginpkg's and no mistake; a plugin
 * that cannot do without what they ask for has require_version. */
#include <string.h>

#include "plugin/declared/plugin_declared.h"
#include "plugin/host/registry.h"

static int check_version(const struct plugin_identity *identity, json_int_t api_version,
                         const char *path, struct error *error)
{
    if (api_version > WEIR_API_VERSION)
        return error_set(
            error,
            "%s: built for version %lld of the plugin API, and this server has version "
            "%d; update weir, or package the plugin with this weir's pluginpkg",
            path, (long long)api_version, WEIR_API_VERSION);
    unsigned long want[3], have[3];
    if (!identity->require_version || !*identity->require_version)
        return 0;
    if (!plugin_version_parse(WEIR_VERSION, have) ||
        !plugin_version_parse(identity->require_version, want))
        return error_set(error, "%s: require_version \"%s\" cannot be compared with weir %s", path,
                         identity->require_version, WEIR_VERSION);
    for (int i = 0; i < 3 && have[i] <= want[i]; i++) {
        if (have[i] < want[i])
            return error_set(error, "%s: plugin %s needs weir %s or newer, and this is weir %s",
                             path, identity->name, identity->require_version, WEIR_VERSION);
    }
    return 0;
}

static unsigned needs_of(json_t *list)
{
    unsigned needs = 0;
    size_t index;
    json_t *element;
    json_array_foreach(list, index, element)
    {
        const char *text = json_string_value(element);
#define X(name, bit)                                                                               \
    if (text && strcmp(text, name) == 0)                                                           \
        needs |= (bit);
        PLUGIN_NEEDS(X)
#undef X
    }
    return needs;
}

int plugin_identity_read(struct plugin_identity *identity, const char *text, const char *path,
                         struct error *error)
{
    json_error_t problem;
    json_int_t api_version = 0;
    const char *on_failure = "refuse";
    json_t *needs = NULL, *disable_privileges = NULL;
    memset(identity, 0, sizeof *identity);
    identity->license = "";
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
    if (!json ||
        json_unpack_ex(
            json, &problem, 0, "{s:I, s:s, s:s, s:s, s?s, s?s, s?s, s?o, s?o, s?o, s?o, s?o}",
            "api_version", &api_version, "name", &identity->name, "kind", &identity->kind,
            "version", &identity->version, "license", &identity->license, "require_version",
            &identity->require_version, "on_failure", &on_failure, "needs", &needs, "sysVars",
            &identity->variables, "functions", &identity->functions, "disable_privilege",
            &disable_privileges, "statusVars", &identity->status) != 0) {
        error_set(error, "%s: its manifest is damaged (%s); package the plugin again", path,
                  problem.text);
    } else if (disable_privileges &&
               plugin_privileges_read(identity->disable_privileges, disable_privileges,
                                      "disable_privilege", error) < 0) {
        error_prefix(error, "%s", path);
    } else if (check_version(identity, api_version, path, error) == 0) {
        identity->json = json;
        identity->refuses_on_failure = strcmp(on_failure, "allow") != 0;
        identity->needs = needs_of(needs);
        return 0;
    }
    json_decref(json);
    memset(identity, 0, sizeof *identity);
    return -1;
}
