/* SPDX-License-Identifier: Apache-2.0
 *
 * Variables of plugins: their declarations, their values from the manifest, the file and the disk,
 * and setting them with a real plugin that reads, checks and reports. */
#include "workshop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin/package/manifest.h"

#define HEAD "name = \"v\"\nkind = \"Audit\"\nversion = \"1\"\n"

static struct plugin_refusal refusal;

static const char manifest_text[] =
    HEAD "onVariable = \"OnVariable\"\n"
         "onStatus = \"OnStatus\"\n"
         "export = [{extPoint=\"OnGeneralEvent\", impl=\"OnGeneralEvent\"}]\n"
         "[[sysVars]]\nname = \"v_format\"\ntype = \"enum\"\nvalues = [\"jsonl\", "
         "\"old-json\"]\nvalue = \"jsonl\"\n"
         "[[sysVars]]\nname = \"v_limit\"\ntype = \"int\"\nvalue = 5\nmin = 1\nmax = 10\n"
         "scope = \"Global+Session\"\n"
         "[[sysVars]]\nname = \"v_buffer\"\ntype = \"size\"\nvalue = \"1M\"\nmax = \"1G\"\n"
         "[[sysVars]]\nname = \"v_wait\"\ntype = \"duration\"\nvalue = \"250ms\"\n"
         "[[sysVars]]\nname = \"v_on\"\ntype = \"bool\"\nvalue = true\n"
         "[[sysVars]]\nname = \"v_file\"\ntype = \"str\"\nvalue = \"a\"\nmax = 8\n"
         "[[sysVars]]\nname = \"v_fixed\"\ntype = \"int\"\nvalue = -3\nreadonly = true\n"
         "[[sysVars]]\nname = \"v_node\"\ntype = \"int\"\nvalue = 1\nper_node = true\n"
         "[[sysVars]]\nname = \"v_mine\"\ntype = \"str\"\nvalue = \"\"\nscope = \"Session\"\n";

static const char source_text[] =
    "#include <stdio.h>\n#include <string.h>\n#include <weir/plugin.h>\n"
    "static char last[256];\n"
    "weir_verdict OnVariable(weir_session *session, weir_variable_event event, weir_variable *v)\n"
    "{\n"
    "    if (event == WEIR_VARIABLE_CHANGED) {\n"
    "        snprintf(last, sizeof last, \"%s=%s\", v->name.data, v->text.data);\n"
    "        return WEIR_OK;\n"
    "    }\n"
    "    if (v->index == V_FILE && !strcmp(v->text.data, \"bad\")) return weir_fail(\"bad is "
    "bad\");\n"
    "    if (v->index == V_FILE && !strcmp(v->text.data, \"own\")) return weir_refuse(session, "
    "3000, \"HY001\", \"own\");\n"
    "    if (v->index == V_FILE && !strcmp(v->text.data, \"up\")) weir_replace_value(v, \"UP\", "
    "2);\n"
    "    if (v->index == V_FILE && !strcmp(v->text.data, \"long\") && weir_replace_value(v, "
    "\"123456789\", 9)) return WEIR_FAIL;\n"
    "    return WEIR_OK;\n"
    "}\n"
    "weir_verdict OnStatus(weir_session *session, weir_status *status)\n"
    "{\n"
    "    (void)session;\n"
    "    weir_status_number(status, \"v_events\", 18446744073709551615u);\n"
    "    weir_status_text(status, \"v_last\", last, strlen(last));\n"
    "    weir_status_number(status, \"w_foreign\", 1);\n"
    "    return WEIR_OK;\n"
    "}\n"
    "weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char "
    "*command)\n"
    "{\n"
    "    (void)event; (void)command;\n"
    "    return weir_refuse(session, 1, \"HY000\", \"%s %d %lld %lld %lld %lld %s %s %lld %s\",\n"
    "        weir_text_of(V_FORMAT).data, weir_number_of(V_FORMAT) == V_FORMAT_OLD_JSON,\n"
    "        (long long)weir_number_of(V_LIMIT), (long long)weir_number_of(V_BUFFER),\n"
    "        (long long)weir_number_of(V_WAIT), (long long)weir_number_of(V_ON), "
    "weir_text_of(V_FILE).data,\n"
    "        weir_text_of(V_FIXED).data, (long long)weir_session_number_of(session, V_LIMIT),\n"
    "        weir_session_text_of(session, V_MINE).data);\n"
    "}\n";

static int open_workshop(void **state)
{
    struct error error = {""};
    if (workshop_open(state))
        return -1;
    workshop_write(*state, "v/manifest.toml", manifest_text);
    workshop_write(*state, "v/v.c", source_text);
    setenv("CFLAGS", "-Wextra -Werror", 1);
    int status = workshop_package(*state, "v", &error);
    unsetenv("CFLAGS");
    if (status)
        print_error("%s\n", error.message);
    return status;
}

/* ---- Declarations ---- */

static void wrong_declarations_are_named_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"name = \"x\"\nvalue = 1", "m:6: key \"sysVars\": name \"x\" doesn't begin with \"v_\""},
        {"name = \"v_\"\nvalue = 1", "doesn't begin with \"v_\""},
        {"name = \"v_X\"\nvalue = 1", "small letters"},
        {"name = \"v_x\"", "m:6: key \"sysVars\": v_x lacks value"},
        {"value = 1", "m:5: key \"sysVars\": an element lacks name"},
        {"name = \"v_x\"\nvalue = 1\nwhat = 2", "m:8: key \"sysVars\": an element has no \"what\"; "
                                                "it has name, value, type, scope, min, max, "
                                                "values, description, readonly and per_node"},
        {"name = \"v_x\"\nvalue = 1\n\ntype = 3",
         "m:9: key \"sysVars\": type must be a string, not an integer"},
        {"name = \"v_x\"\nvalue = [1]", "m:7: key \"sysVars\": value must be a string, a number, "
                                        "true or false, not a list"},
        {"name = \"v_x\"\nvalue = 1\nreadonly = 1",
         "m:8: key \"sysVars\": readonly must be true or false, not an integer"},
        {"name = \"v_x\"\nvalue = 1\nper_node = \"yes\"",
         "m:8: key \"sysVars\": per_node must be true or false, not a string"},
        {"name = \"v_x\"\nvalue = 1\nscope = \"Session\"\nper_node = true",
         "m:9: key \"sysVars\": v_x: per_node is of global values, and scope is \"Session\""},
        {"name = \"v_x\"\nvalue = \"a\"\ntype = \"enum\"\nvalues = [\"a\",\n1]",
         "m:10: key \"sysVars\": values must be a list of strings, and has an integer in it"},
        {"name = \"v_x\"\nvalue = 1\ntype = \"int\"\nmin = 5\nmax = 4",
         "m:10: key \"sysVars\": v_x: max \"4\" is below min"},
        {"name = \"v_x\"\nvalue = \"\"\nmax = 70000",
         "m:8: key \"sysVars\": v_x: max \"70000\" is beyond what the type can hold"},
        {"name = \"v_x\"\nvalue = 1\ntype = \"size\"\nmin = -1",
         "m:9: key \"sysVars\": v_x: min \"-1\" is beyond what the type can hold"},
        {"name = \"v_x\"\nvalue = 1\ntype = \"int\"\nmin = 1.5",
         "m:9: key \"sysVars\": v_x: min \"1.500000000\" is no value of type int"},
        {"name = \"v_x\"\nvalue = 1\ntype = \"int\"\nmin = true",
         "m:9: key \"sysVars\": min must be a number or a string, not true or false"},
        {"name = \"v_x\"\nvalue = 1\ntype = \"float\"", "type \"float\" is none of"},
        {"name = \"v_x\"\nvalue = 1\nscope = \"global\"", "scope \"global\" is none of"},
        {"name = \"v_x\"\nvalue = \"a\"\ntype = \"int\"", "value \"a\" is not of type int"},
        {"name = \"v_x\"\nvalue = 7\ntype = \"int\"\nmax = 6", "out of its bounds"},
        {"name = \"v_x\"\nvalue = 7\ntype = \"int\"\nmax = \"x\"", "max \"x\" is no value"},
        {"name = \"v_x\"\nvalue = \"a\"\ntype = \"enum\"", "needs values"},
        {"name = \"v_x\"\nvalue = \"c\"\ntype = \"enum\"\nvalues = [\"a\"]", "value \"c\""},
        {"name = \"v_x\"\nvalue = \"c\"\nvalues = [\"a\"]", "only type enum"},
        {"name = \"v_x\"\nvalue = true\ntype = \"bool\"\nmin = 0", "type bool has no min"},
        {"name = \"v_x\"\nvalue = 99999999999999\ntype = \"size\"\nmax = \"1T\"",
         "out of its bounds"},
        {"name = \"v_x\"\nvalue = \"9999999T\"\ntype = \"size\"", "not of type size"},
        {"name = \"v_x\"\nvalue = 1\n[[sysVars]]\nname = \"v_x\"\nvalue = 1", "there twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct plugin_manifest manifest;
        struct error error = {""};
        char text[512];
        snprintf(text, sizeof text, HEAD "\n[[sysVars]]\n%s\n", cases[i].text);
        int status = plugin_manifest_parse(&manifest, text, strlen(text), "m", NULL, &error);
        if (status == 0 || !strstr(error.message, cases[i].words))
            fail_msg("%s\ngave: %s", cases[i].text, error.message);
    }
}

static void wrong_functions_are_named_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"name = \"x\"", "m:6: key \"functions\": name \"x\" doesn't begin with \"v_\""},
        {"arguments = 1", "m:5: key \"functions\": an element lacks name"},
        {"name = \"v_x\"\nwhat = 2", "m:7: key \"functions\": an element has no \"what\""},
        {"name = \"v_x\"\narguments = \"1\"",
         "m:7: key \"functions\": arguments must be an integer, not a string"},
        {"name = \"v_x\"\nprivileges = [\"RELOAD\",\n\"SUPERB\"]",
         "m:8: key \"functions\": no server has the privilege \"SUPERB\""},
        {"name = \"v_x\"\narguments = -1", "count from 0 to 8"},
        {"name = \"v_x\"\narguments = 5\noptional = 4", "count from 0 to 8"},
        {"name = \"v_x\"\nprivileges = [1]", "as in SHOW GRANTS"},
        {"name = \"v_x\"\nprivileges = [\"super\"]", "as in SHOW GRANTS"},
        {"name = \"v_x\"\nprivileges = \"SUPER\"", "privileges must be a list"},
        {"name = \"v_x\"\n[[functions]]\nname = \"v_x\"", "there twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct plugin_manifest manifest;
        struct error error = {""};
        char text[512];
        snprintf(text, sizeof text, HEAD "onFunction = \"F\"\n[[functions]]\n%s\n", cases[i].text);
        int status = plugin_manifest_parse(&manifest, text, strlen(text), "m", NULL, &error);
        if (status == 0 || !strstr(error.message, cases[i].words))
            fail_msg("%s\ngave: %s", cases[i].text, error.message);
    }
    struct plugin_manifest manifest;
    struct error error = {""};
    const char *nobody = HEAD "[[functions]]\nname = \"v_x\"\n";
    assert_int_equal(plugin_manifest_parse(&manifest, nobody, strlen(nobody), "m", NULL, &error),
                     -1);
    assert_non_null(strstr(error.message, "there is no onFunction to answer them"));
}

/* ---- Values ---- */

static struct plugin_registry *load(struct workshop *workshop, struct error *error,
                                    const char *(*setting)(void *, const char *, const char *))
{
    error->message[0] = '\0';
    static char folder[128], file[128];
    snprintf(folder, sizeof folder, "%s", workshop_path(workshop, "out"));
    snprintf(file, sizeof file, "%s", workshop_path(workshop, "data/variables.toml"));
    struct plugin_options options = {
        .directory = folder, .load = "v-1", .settings.value = setting, .variables_file = file};
    return plugin_registry_load(&options, error);
}

static struct plugin_registry *load_plain(struct workshop *workshop)
{
    struct error error;
    struct plugin_registry *registry = load(workshop, &error, NULL);
    assert_string_equal(error.message, "");
    assert_non_null(registry);
    return registry;
}

/* What the plugin itself sees. */
static const char *seen(struct plugin_registry *registry, struct weir_session *session)
{
    session->text[WEIR_TEXT_command] = (weir_string){"Query", 5};
    assert_false(general_event(registry, session, WEIR_STARTING));
    return verdict.refusal.message;
}

static const struct plugin_variable *find(struct plugin_registry *registry, const char *name)
{
    const struct plugin_variable *variable = plugin_variable_find(registry, name, strlen(name));
    assert_non_null(variable);
    return variable;
}

/* 0, or the number of the error. */
static unsigned set(struct plugin_registry *registry, struct weir_session *session,
                    enum plugin_set_scope scope, const char *name, enum plugin_input_kind kind,
                    const char *text)
{
    struct plugin_input input = {kind, text, strlen(text)};
    const struct plugin_variable *variable = find(registry, name);
    struct error error = {""};
    memset(&refusal, 0, sizeof refusal);
    if (!plugin_variable_may_set(variable, scope, &refusal))
        return refusal.code;
    struct plugin_assignment *assignment =
        plugin_variable_prepare(variable, scope, &input, &refusal);
    if (!assignment)
        return refusal.code;
    if (!plugin_assignments_validate(session, &assignment, 1, &refusal)) {
        plugin_assignment_free(assignment);
        return refusal.code;
    }
    int status = plugin_variables_set(registry, session, &assignment, 1, &error);
    plugin_assignment_free(assignment);
    assert_string_equal(error.message, "");
    assert_int_equal(status, 0);
    return 0;
}

static void a_plugin_sees_its_defaults_and_what_is_set(void **state)
{
    struct plugin_registry *registry = load_plain(*state);
    struct weir_session session;
    plugin_session_init(&session);
    plugin_session_values_begin(registry, &session);
    assert_string_equal(seen(registry, &session), "jsonl 0 5 1048576 250000000 1 a -3 5 ");
    assert_int_equal(
        set(registry, &session, PLUGIN_SET_GLOBAL, "V_Format", PLUGIN_INPUT_TEXT, "OLD-json"), 0);
    assert_int_equal(
        set(registry, &session, PLUGIN_SET_GLOBAL, "v_limit", PLUGIN_INPUT_INTEGER, "7"), 0);
    assert_int_equal(
        set(registry, &session, PLUGIN_SET_PERSIST, "v_buffer", PLUGIN_INPUT_TEXT, "64k"), 0);
    assert_int_equal(
        set(registry, &session, PLUGIN_SET_GLOBAL, "v_wait", PLUGIN_INPUT_DECIMAL, "1.5"), 0);
    assert_int_equal(set(registry, &session, PLUGIN_SET_GLOBAL, "v_on", PLUGIN_INPUT_TEXT, "off"),
                     0);
    assert_int_equal(set(registry, &session, PLUGIN_SET_SESSION, "v_mine", PLUGIN_INPUT_TEXT, "x"),
                     0);
    assert_string_equal(seen(registry, &session), "old-json 1 7 65536 1500000000 0 a -3 5 x");
    assert_int_equal(
        set(registry, &session, PLUGIN_SET_SESSION, "v_limit", PLUGIN_INPUT_DEFAULT, ""), 0);
    assert_string_equal(seen(registry, &session), "old-json 1 7 65536 1500000000 0 a -3 7 x");
    plugin_session_values_begin(registry, &session); /* a reset */
    assert_string_equal(seen(registry, &session), "old-json 1 7 65536 1500000000 0 a -3 7 ");
    struct plugin_shown shown = plugin_variable_shown(find(registry, "v_wait"), NULL);
    assert_string_equal(shown.text.data, "1.500000");
    assert_string_equal(plugin_variable_shown(find(registry, "v_on"), NULL).number.data, "0");
    plugin_session_values_end(&session);
    plugin_registry_shutdown(registry);
}

static void what_was_set_survives_and_wins_over_the_file(void **state)
{
    struct plugin_registry *registry = load_plain(*state);
    struct weir_session session;
    plugin_session_init(&session);
    plugin_session_values_begin(registry, &session);
    set(registry, &session, PLUGIN_SET_GLOBAL, "v_file", PLUGIN_INPUT_TEXT, "q\"\\\n\x01");
    set(registry, &session, PLUGIN_SET_PERSIST_ONLY, "v_fixed", PLUGIN_INPUT_INTEGER, "4");
    assert_string_equal(plugin_variable_shown(find(registry, "v_fixed"), NULL).text.data, "-3");
    plugin_session_values_end(&session);
    plugin_registry_shutdown(registry);
    registry = load_plain(*state);
    assert_string_equal(plugin_variable_shown(find(registry, "v_file"), NULL).text.data,
                        "q\"\\\n\x01");
    assert_string_equal(plugin_variable_shown(find(registry, "v_fixed"), NULL).text.data, "4");
    set(registry, NULL, PLUGIN_SET_GLOBAL, "v_file", PLUGIN_INPUT_DEFAULT, "");
    assert_string_equal(plugin_variable_shown(find(registry, "v_file"), NULL).text.data, "a");
    assert_null(strstr(workshop_read(*state, "data/variables.toml"), "v_file"));
    assert_int_equal(workshop_count(*state, "data"), 1);
    plugin_registry_shutdown(registry);
}

/* ---- Those that the nodes of a cluster share ---- */

#define PLACE "/weir/w/variables/x@7"

/* Takes them, and returns why the last one was not taken; NULL: it was. */
static const char *take(struct plugin_registry *registry, struct plugin_cluster_value *values,
                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i].place = PLACE;
    plugin_variables_take(registry, values, count);
    return values[count - 1].is_taken ? NULL : values[count - 1].refusal.message;
}

static const char *take_one(struct plugin_registry *registry, const char *name, const char *text)
{
    static struct plugin_cluster_value value;
    value = (struct plugin_cluster_value){.name = name, .text = text};
    return take(registry, &value, 1);
}

static void expect_origin(struct plugin_registry *registry, const char *name,
                          enum plugin_value_source source, const char *value, const char *path)
{
    struct plugin_variable_origin origin;
    plugin_variable_origin(find(registry, name), &origin);
    assert_int_equal(origin.source, source);
    assert_string_equal(origin.value.data, value);
    if (path)
        assert_string_equal(origin.path.data, path);
    plugin_variable_origin_release(&origin);
}

static void the_clusters_values_count_more_and_are_kept(void **state)
{
    struct plugin_registry *registry = load_plain(*state);
    set(registry, NULL, PLUGIN_SET_GLOBAL, "v_file", PLUGIN_INPUT_TEXT, "mine");
    expect_origin(registry, "v_file", PLUGIN_SOURCE_PERSISTED, "mine", NULL);
    assert_null(take_one(registry, "v_file", "theirs"));
    expect_origin(registry, "v_file", PLUGIN_SOURCE_CLUSTER, "theirs", PLACE);
    assert_null(take_one(registry, "v_format", "jsonl")); /* as it is */
    expect_origin(registry, "v_format", PLUGIN_SOURCE_CLUSTER, "jsonl", PLACE);
    assert_null(take_one(registry, "w_unknown", "1"));
    plugin_registry_shutdown(registry);
    registry = load_plain(*state); /* without the cluster */
    expect_origin(registry, "v_file", PLUGIN_SOURCE_PERSISTED, "theirs", NULL);
    expect_origin(registry, "v_format", PLUGIN_SOURCE_PERSISTED, "jsonl", NULL);
    assert_null(take_one(registry, "v_file", NULL));
    assert_null(take_one(registry, "v_format", NULL));
    expect_origin(registry, "v_file", PLUGIN_SOURCE_DEFAULT, "a", "");
    assert_null(strstr(workshop_read(*state, "data/variables.toml"), "v_format"));
    assert_null(take_one(registry, "v_file", "theirs"));
    set(registry, NULL, PLUGIN_SET_GLOBAL, "v_file", PLUGIN_INPUT_TEXT, "mine");
    expect_origin(registry, "v_file", PLUGIN_SOURCE_PERSISTED, "mine", NULL);
    set(registry, NULL, PLUGIN_SET_GLOBAL, "v_file", PLUGIN_INPUT_DEFAULT, "");
    plugin_registry_shutdown(registry);
}

static void what_cannot_be_taken_says_why_and_leaves_the_old_value(void **state)
{
    struct plugin_registry *registry = load_plain(*state);
    assert_non_null(strstr(take_one(registry, "v_file", "bad"), "bad is bad"));
    assert_non_null(strstr(take_one(registry, "v_limit", "99"), "can't be set to the value of"));
    assert_string_equal(take_one(registry, "v_node", "3"), "each node has its own v_node");
    assert_string_equal(take_one(registry, "v_fixed", "3"), "each node has its own v_fixed");
    assert_string_equal(take_one(registry, "v_mine", "3"), "each node has its own v_mine");
    expect_origin(registry, "v_file", PLUGIN_SOURCE_DEFAULT, "a", "");
    struct plugin_cluster_value values[] = {{.name = "v_limit", .text = "9"},
                                            {.name = "v_file", .text = "bad"}};
    assert_non_null(take(registry, values, 2));
    assert_true(values[0].is_taken);
    expect_origin(registry, "v_limit", PLUGIN_SOURCE_CLUSTER, "9", PLACE);
    expect_origin(registry, "v_file", PLUGIN_SOURCE_DEFAULT, "a", "");
    assert_null(take_one(registry, "v_file", "up"));
    expect_origin(registry, "v_file", PLUGIN_SOURCE_CLUSTER, "UP", PLACE);
    assert_null(take_one(registry, "v_limit", NULL));
    assert_null(take_one(registry, "v_file", NULL));
    plugin_registry_shutdown(registry);
}

static enum plugin_share share_of(struct plugin_registry *registry, const char *name,
                                  enum plugin_set_scope scope, enum plugin_input_kind kind)
{
    const struct plugin_input input = {kind, "1", 1};
    const char *said_name, *text;
    struct plugin_assignment *assignment =
        plugin_variable_prepare(find(registry, name), scope, &input, &refusal);
    assert_non_null(assignment);
    const enum plugin_share share = plugin_assignment_share(assignment, &said_name, &text);
    assert_string_equal(said_name, name);
    assert_true(kind == PLUGIN_INPUT_DEFAULT ? !text : strcmp(text, "1") == 0);
    plugin_assignment_free(assignment);
    return share;
}

static void what_is_a_sessions_or_a_nodes_own_is_not_shared(void **state)
{
    struct plugin_registry *registry = load_plain(*state);
    const enum plugin_input_kind number = PLUGIN_INPUT_INTEGER, none = PLUGIN_INPUT_DEFAULT;
    assert_int_equal(share_of(registry, "v_limit", PLUGIN_SET_GLOBAL, number), PLUGIN_SHARE_VALUE);
    assert_int_equal(share_of(registry, "v_limit", PLUGIN_SET_GLOBAL, none), PLUGIN_SHARE_VALUE);
    assert_int_equal(share_of(registry, "v_limit", PLUGIN_SET_PERSIST, number), PLUGIN_SHARE_VALUE);
    assert_int_equal(share_of(registry, "v_limit", PLUGIN_SET_PERSIST_ONLY, number),
                     PLUGIN_SHARE_NEXT_START);
    assert_int_equal(share_of(registry, "v_limit", PLUGIN_SET_SESSION, number),
                     PLUGIN_SHARE_NOTHING);
    assert_int_equal(share_of(registry, "v_node", PLUGIN_SET_GLOBAL, number), PLUGIN_SHARE_NOTHING);
    assert_int_equal(share_of(registry, "v_fixed", PLUGIN_SET_PERSIST_ONLY, number),
                     PLUGIN_SHARE_NOTHING);
    plugin_registry_shutdown(registry);
}

static void errors_have_the_servers_numbers_and_words(void **state)
{
    static const struct {
        enum plugin_set_scope scope;
        const char *name;
        enum plugin_input_kind kind;
        const char *text;
        unsigned code;
        const char *words;
    } cases[] = {
        {PLUGIN_SET_GLOBAL, "v_limit", PLUGIN_INPUT_TEXT, "5", 1232,
         "Incorrect argument type to variable 'v_limit'"},
        {PLUGIN_SET_GLOBAL, "v_limit", PLUGIN_INPUT_DECIMAL, "5.5", 1232, NULL},
        {PLUGIN_SET_GLOBAL, "v_limit", PLUGIN_INPUT_NULL, "", 1232, NULL},
        {PLUGIN_SET_GLOBAL, "v_limit", PLUGIN_INPUT_INTEGER, "0", 1231,
         "Variable 'v_limit' can't be set to the value of '0'"},
        {PLUGIN_SET_GLOBAL, "v_limit", PLUGIN_INPUT_INTEGER, "99999999999999999999", 1231, NULL},
        {PLUGIN_SET_GLOBAL, "v_on", PLUGIN_INPUT_TEXT, "maybe", 1231,
         "Variable 'v_on' can't be set to the value of 'maybe'"},
        {PLUGIN_SET_GLOBAL, "v_on", PLUGIN_INPUT_INTEGER, "2", 1231, NULL},
        {PLUGIN_SET_GLOBAL, "v_on", PLUGIN_INPUT_DECIMAL, "1.0", 1232, NULL},
        {PLUGIN_SET_GLOBAL, "v_on", PLUGIN_INPUT_NULL, "", 1231,
         "Variable 'v_on' can't be set to the value of 'NULL'"},
        {PLUGIN_SET_GLOBAL, "v_format", PLUGIN_INPUT_TEXT, "json", 1231, NULL},
        {PLUGIN_SET_GLOBAL, "v_format", PLUGIN_INPUT_INTEGER, "2", 1231, NULL},
        {PLUGIN_SET_GLOBAL, "v_buffer", PLUGIN_INPUT_TEXT, "1X", 1232, NULL},
        {PLUGIN_SET_GLOBAL, "v_buffer", PLUGIN_INPUT_TEXT, "2G", 1231, NULL},
        {PLUGIN_SET_GLOBAL, "v_wait", PLUGIN_INPUT_INTEGER, "-1", 1231, NULL},
        {PLUGIN_SET_GLOBAL, "v_file", PLUGIN_INPUT_INTEGER, "5", 1232, NULL},
        {PLUGIN_SET_GLOBAL, "v_file", PLUGIN_INPUT_TEXT, "123456789", 1231, NULL},
        {PLUGIN_SET_GLOBAL, "v_file", PLUGIN_INPUT_TEXT, "bad", 1231,
         "Variable 'v_file' can't be set to the value of 'bad': bad is bad"},
        {PLUGIN_SET_GLOBAL, "v_file", PLUGIN_INPUT_TEXT, "own", 3000, "own"},
        {PLUGIN_SET_GLOBAL, "v_file", PLUGIN_INPUT_TEXT, "long", 0, ""},
        {PLUGIN_SET_GLOBAL, "v_fixed", PLUGIN_INPUT_INTEGER, "1", 1238,
         "Variable 'v_fixed' is a read only variable"},
        {PLUGIN_SET_SESSION, "v_file", PLUGIN_INPUT_TEXT, "a", 1229,
         "Variable 'v_file' is a GLOBAL variable and should be set with SET GLOBAL"},
        {PLUGIN_SET_GLOBAL, "v_mine", PLUGIN_INPUT_TEXT, "a", 1228,
         "Variable 'v_mine' is a SESSION variable and can't be used with SET GLOBAL"},
    };
    struct plugin_registry *registry = load_plain(*state);
    struct weir_session session;
    plugin_session_init(&session);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned code =
            set(registry, &session, cases[i].scope, cases[i].name, cases[i].kind, cases[i].text);
        if (code != cases[i].code)
            fail_msg("case %zu gave %u", i, code);
        if (cases[i].words)
            assert_string_equal(refusal.message, cases[i].words);
    }
    set(registry, &session, PLUGIN_SET_GLOBAL, "v_file", PLUGIN_INPUT_TEXT, "up");
    assert_string_equal(plugin_variable_shown(find(registry, "v_file"), NULL).text.data, "UP");
    set(registry, &session, PLUGIN_SET_GLOBAL, "v_file", PLUGIN_INPUT_DEFAULT, "");
    plugin_registry_shutdown(registry);
}

static const char *wrong_setting(void *user, const char *plugin, const char *key)
{
    (void)user, (void)plugin;
    return strcmp(key, "limit") == 0 ? "many" : NULL;
}

static const char *refused_setting(void *user, const char *plugin, const char *key)
{
    (void)user, (void)plugin;
    return strcmp(key, "file") == 0 ? "bad" : NULL;
}

static const char *right_setting(void *user, const char *plugin, const char *key)
{
    (void)user, (void)plugin;
    if (strcmp(key, "wait") == 0)
        return "2m";
    return strcmp(key, "file") == 0 ? "up" : NULL;
}

static void a_wrong_file_stops_the_start_in_words(void **state)
{
    struct error error;
    workshop_write(*state, "data/variables.toml", "# nothing\n");
    assert_null(load(*state, &error, wrong_setting));
    assert_non_null(strstr(error.message, "[plugin.v] v_limit = \"many\""));
    assert_null(load(*state, &error, refused_setting));
    assert_non_null(strstr(error.message, "bad is bad"));
    struct plugin_registry *registry = load(*state, &error, right_setting);
    assert_non_null(registry);
    assert_string_equal(plugin_variable_shown(find(registry, "v_wait"), NULL).text.data,
                        "120.000000");
    assert_string_equal(plugin_variable_shown(find(registry, "v_file"), NULL).text.data, "UP");
    plugin_registry_shutdown(registry);
    workshop_write(*state, "data/variables.toml", "v_limit = \"400\"\n");
    assert_null(load(*state, &error, NULL));
    assert_non_null(strstr(error.message, "variables.toml v_limit"));
    workshop_write(*state, "data/variables.toml", "other_plugins = \"kept\"\n");
    registry = load_plain(*state);
    set(registry, NULL, PLUGIN_SET_GLOBAL, "v_limit", PLUGIN_INPUT_INTEGER, "2");
    assert_non_null(
        strstr(workshop_read(*state, "data/variables.toml"), "other_plugins = \"kept\"\n"));
    plugin_registry_shutdown(registry);
    workshop_write(*state, "data/variables.toml", "# nothing\n");
}

static void what_cannot_be_written_does_not_take_effect(void **state)
{
    struct plugin_registry *registry = load_plain(*state);
    struct plugin_input input = {PLUGIN_INPUT_INTEGER, "9", 1};
    struct error error;
    char moved[128];
    snprintf(moved, sizeof moved, "%s", workshop_path(*state, "moved"));
    assert_int_equal(rename(workshop_path(*state, "data"), moved), 0);
    workshop_write(*state, "data", "a file where the folder was");
    struct plugin_assignment *assignment =
        plugin_variable_prepare(find(registry, "v_limit"), PLUGIN_SET_GLOBAL, &input, &refusal);
    assert_int_equal(plugin_variables_set(registry, NULL, &assignment, 1, &error), -1);
    assert_string_equal(plugin_variable_shown(find(registry, "v_limit"), NULL).text.data, "5");
    plugin_assignment_free(assignment);
    unlink(workshop_path(*state, "data"));
    rename(moved, workshop_path(*state, "data"));
    plugin_registry_shutdown(registry);
}

static void add_row(void *user, weir_string name, weir_string value)
{
    strbuf_printf(user, "%.*s=%.*s\n", WEIR_STRING_ARGS(name), WEIR_STRING_ARGS(value));
}

static void a_plugin_reports_its_status(void **state)
{
    struct plugin_registry *registry = load_plain(*state);
    struct strbuf rows = STRBUF_INIT;
    set(registry, NULL, PLUGIN_SET_GLOBAL, "v_limit", PLUGIN_INPUT_INTEGER, "3");
    plugin_status(registry, NULL, add_row, &rows);
    assert_string_equal(rows.data, "V_events=18446744073709551615\nV_last=v_limit=3\n");
    strbuf_release(&rows);
    plugin_registry_shutdown(registry);
}

static void names_are_found_in_any_case_and_nothing_else(void **state)
{
    struct plugin_registry *registry = load_plain(*state);
    assert_int_equal(plugin_variable_count(registry), 9);
    assert_null(plugin_variable_find(registry, "v_limi", 6));
    assert_null(plugin_variable_find(registry, "v_limits", 8));
    assert_non_null(plugin_variable_find(registry, "V_LIMITS", 7));
    assert_true(plugin_variable_may_be_in(registry, "select @@V_x", 12));
    assert_false(plugin_variable_may_be_in(registry, "select @@w_x", 12));
    assert_false(plugin_variable_may_be_in(registry, "", 0));
    plugin_registry_shutdown(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_declarations_are_named_with_their_line),
        cmocka_unit_test(wrong_functions_are_named_with_their_line),
        cmocka_unit_test(a_plugin_sees_its_defaults_and_what_is_set),
        cmocka_unit_test(a_wrong_file_stops_the_start_in_words),
        cmocka_unit_test(what_was_set_survives_and_wins_over_the_file),
        cmocka_unit_test(the_clusters_values_count_more_and_are_kept),
        cmocka_unit_test(what_cannot_be_taken_says_why_and_leaves_the_old_value),
        cmocka_unit_test(what_is_a_sessions_or_a_nodes_own_is_not_shared),
        cmocka_unit_test(errors_have_the_servers_numbers_and_words),
        cmocka_unit_test(what_cannot_be_written_does_not_take_effect),
        cmocka_unit_test(a_plugin_reports_its_status),
        cmocka_unit_test(names_are_found_in_any_case_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, open_workshop, workshop_close);
}
