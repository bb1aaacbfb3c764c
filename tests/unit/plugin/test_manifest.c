/* SPDX-License-Identifier: Apache-2.0
 *
 * manifest.toml: every way to be wrong has its own sentence, with file, line and key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/package/generate.h"
#include "plugin/package/manifest.h"
#include "plugin/package/plugin_package.h"

#define HEAD   "name = \"p\"\nkind = \"Audit\"\nversion = \"1\"\n" /* three lines that are right */
#define STATUS HEAD "onStatus = \"S\"\n[[statusVars]]\n"

static void every_mistake_has_its_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "m.toml:1: key \"name\": missing; the manifest must have it"},
        {"name = \"p\"\nkind = \"Audit\"\n",
         "m.toml:1: key \"version\": missing; the manifest must have it"},
        {HEAD "colour = \"red\"\n",
         "m.toml:4: key \"colour\": unknown; pluginpkg --help lists the keys of a manifest"},
        {HEAD "oninit = \"OnInit\"\n",
         "m.toml:4: key \"oninit\": unknown; pluginpkg --help lists the keys of a manifest"},
        {"name = 1\n", "m.toml:1: key \"name\": must be a string, not an integer"},
        {"name = [\"p\"]\n", "m.toml:1: key \"name\": must be a string, not a list"},
        {"name = \"a-b\"\n",
         "m.toml:1: key \"name\": \"a-b\" has a '-' in it, which separates name and "
         "version in NAME-VERSION.so; use '_'"},
        {"name = \"\"\n",
         "m.toml:1: key \"name\": \"\" is not a C identifier of at most 64 letters, "
         "digits and '_'"},
        {"name = \"1a\"\n", "m.toml:1: key \"name\": \"1a\" is not a C identifier of at most 64 "
                            "letters, digits and '_'"},
        {"name = \"a/b\"\n", "m.toml:1: key \"name\": \"a/b\" is not a C identifier of at most 64 "
                             "letters, digits and '_'"},
        {"name = \"p\\u0000\"\n", "m.toml:1: key \"name\": has a NUL byte in it"},
        {"name = \"q\"\n",
         "m.toml:1: key \"name\": \"q\" differs from the name of its folder, \"p\"; "
         "rename one of them"},
        {"name = \"p\"\nkind = \"Audi\"\n", "m.toml:2: key \"kind\": \"Audi\" is not one of Audit, "
                                            "Authentication, Schema, Daemon, Trace"},
        {"version = 1\n", "m.toml:1: key \"version\": must be a string, not an integer"},
        {"version = \"1-2\"\n",
         "m.toml:1: key \"version\": \"1-2\" is not a version such as \"1\" or "
         "\"1.4.2\": a digit, then digits, letters, '.' and '_'"},
        {"version = \"../1\"\n",
         "m.toml:1: key \"version\": \"../1\" is not a version such as \"1\" or "
         "\"1.4.2\": a digit, then digits, letters, '.' and '_'"},
        {HEAD "onInit = true\n", "m.toml:4: key \"onInit\": must be a string, not true or false"},
        {HEAD "onInit = \"On Init\"\n",
         "m.toml:4: key \"onInit\": \"On Init\" is not the name of a C function"},
        {HEAD "onFlush = \"\"\n",
         "m.toml:4: key \"onFlush\": \"\" is not the name of a C function"},
        {HEAD "validate = \"weir_self\"\n",
         "m.toml:4: key \"validate\": \"weir_self\" is a name of weir's own; choose another"},
        {HEAD "export = \"x\"\n", "m.toml:4: key \"export\": must be a list, not a string"},
        {HEAD "export = [\n1]\n", "m.toml:5: key \"export\": an element must be "
                                  "{extPoint=\"...\", impl=\"...\"}, not an integer"},
        {HEAD "export = [{extPoint=\"OnGeneralEvent\"}]\n",
         "m.toml:4: key \"export\": an element lacks impl; write {extPoint=\"...\", impl=\"...\"}"},
        {HEAD "export = [{impl=\"F\"}]\n",
         "m.toml:4: key \"export\": an element lacks extPoint; write "
         "{extPoint=\"...\", impl=\"...\"}"},
        {HEAD "export = [{extPoint=1, impl=\"F\"}]\n",
         "m.toml:4: key \"export\": extPoint must be a string, not an integer"},
        {HEAD "export = [{extPoint=\"OnGeneralEvent\", impl=\"F\", x=1}]\n",
         "m.toml:4: key \"export\": an element has extPoint and impl, not \"x\""},
        {HEAD "export = [\n{extPoint=\"OnStatement\", impl=\"F\"}]\n",
         "m.toml:5: key \"export\": there is no extPoint \"OnStatement\"; there are "
         "OnConnectionEvent, OnGeneralEvent, OnParseEvent, OnGlobalVariableEvent and "
         "OnPluginEvent"},
        {HEAD "export = [{extPoint=\"OnGeneralEvent\", impl=\"A-B\"}]\n",
         "m.toml:4: key \"export\": impl \"A-B\" is not the name of a C function"},
        {HEAD "export = [{extPoint=\"OnParseEvent\", impl=\"F\"},\n"
              "{extPoint=\"OnParseEvent\", impl=\"G\"}]\n",
         "m.toml:5: key \"export\": extPoint \"OnParseEvent\" is exported twice"},
        {"name = \"p\"\nversion = \"1\"\nexport = [{extPoint=\"OnParseEvent\", impl=\"F\"}]\n"
         "kind = \"Daemon\"\n",
         "m.toml:3: key \"export\": kind Daemon has no extPoint \"OnParseEvent\"; in weir only "
         "Audit "
         "has any"},
        {HEAD "disable_privilege = [\"SUPERB\"]\n",
         "m.toml:4: key \"disable_privilege\": no server has a privilege \"SUPERB\""},
        {HEAD "on_failure = \"ignore\"\n",
         "m.toml:4: key \"on_failure\": \"ignore\" is neither \"refuse\" nor \"allow\""},
        {HEAD "require_version = \"new\"\n", "m.toml:4: key \"require_version\": \"new\" is not a "
                                             "version of weir such as \"0.1\" or \"0.1.2\""},
        {HEAD "require_version = \"1.2.3.4\"\n", "m.toml:4: key \"require_version\": \"1.2.3.4\" "
                                                 "is not a version of weir such as \"0.1\" or "
                                                 "\"0.1.2\""},
        {HEAD "needs = [\"account\", \"money\"]\n",
         "m.toml:4: key \"needs\": weir has no \"money\" to offer; it has \"account\""},
        {HEAD "needs = [1]\n",
         "m.toml:4: key \"needs\": must be a list of strings, and has an integer in it"},
        {HEAD "[[statusVars]]\nname = \"p_a\"\nkind = \"gauge\"\n",
         "m.toml:4: key \"statusVars\": there is no onStatus to give them"},
        {STATUS "name = \"p_a\"\n", "m.toml:6: key \"statusVars\": p_a lacks kind"},
        {STATUS "name = \"p_a\"\nkind = \"rate\"\n",
         "m.toml:6: key \"statusVars\": p_a: kind \"rate\" is neither \"counter\", which only "
         "rises, "
         "nor \"gauge\""},
        {STATUS "name = \"p_a\"\nkind = \"gauge\"\nunit = \"ms\"\n",
         "m.toml:6: key \"statusVars\": p_a: unit \"ms\" is neither \"bytes\" nor \"seconds\""},
        {STATUS "name = \"q_a\"\nkind = \"gauge\"\n",
         "m.toml:6: key \"statusVars\": name \"q_a\" doesn't begin with \"p_\", the plugin's name "
         "and '_'"},
        {STATUS "name = \"p_a\"\nkind = \"gauge\"\nhelp = \"x\"\n",
         "m.toml:8: key \"statusVars\": an element has no \"help\"; it has name, kind, unit and "
         "description"},
        {STATUS "name = \"p_a\"\nkind = \"gauge\"\ndescription = \"a\\nb\"\n",
         "m.toml:6: key \"statusVars\": p_a: a description is one line, without backslashes"},
        {STATUS "name = \"p_a\"\nkind = \"gauge\"\n[[statusVars]]\nname = \"p_a\"\nkind = "
                "\"counter\"\n",
         "m.toml:9: key \"statusVars\": name \"p_a\" is there twice"},
        {HEAD "objects = [\"\"]\n", "m.toml:4: key \"objects\": has an empty string in it"},
        {HEAD "name = \"p\"\n", "m.toml:4: "},
        {HEAD "libraries = [\n", "m.toml:"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct plugin_manifest manifest;
        struct error error = {""};
        int status = plugin_manifest_parse(&manifest, rows[i].text, strlen(rows[i].text), "m.toml",
                                           "p", &error);
        assert_int_equal(status, -1);
        if (strchr(rows[i].message, '"'))
            assert_string_equal(error.message, rows[i].message);
        else /* the parser's own words follow */
            assert_memory_equal(error.message, rows[i].message, strlen(rows[i].message));
        assert_null(manifest.document);
    }
}

static struct plugin_manifest parse(const char *text)
{
    struct plugin_manifest manifest;
    struct error error = {""};
    int status = plugin_manifest_parse(&manifest, text, strlen(text), "m.toml", "p", &error);
    assert_string_equal(error.message, "");
    assert_int_equal(status, 0);
    return manifest;
}

static void what_is_right_is_read(void **state)
{
    (void)state;
    struct plugin_manifest manifest = parse(
        "name = \"p\"\nkind = \"Audit\"\nversion = \"1.4\"\nlicense = \"MIT\"\nonInit = \"Go\"\n"
        "needs = [\"account\"]\nrequire_version = \"0.1\"\n"
        "export = [{extPoint = \"OnParseEvent\", impl = \"P\"}]\n");
    assert_string_equal(plugin_manifest_text(&manifest, PLUGIN_KEY_NAME), "p");
    assert_string_equal(plugin_manifest_text(&manifest, PLUGIN_KEY_VERSION), "1.4");
    assert_string_equal(plugin_manifest_text(&manifest, PLUGIN_KEY_DESCRIPTION), "");
    assert_int_equal(manifest.kind, PLUGIN_KIND_AUDIT);
    struct plugin_function functions[PLUGIN_FUNCTIONS];
    assert_int_equal(plugin_functions(&manifest, functions), 2);
    assert_string_equal(toml_text(functions[0].node, NULL), "Go");
    assert_string_equal(functions[0].member, "on_init");
    assert_string_equal(toml_text(functions[1].node, NULL), "P");
    assert_string_equal(functions[1].member, "on_parse_event");
    plugin_manifest_release(&manifest);
}

static void on_failure_has_a_default_of_the_kind(void **state)
{
    (void)state;
    struct plugin_manifest audit = parse(HEAD);
    assert_string_equal(plugin_manifest_text(&audit, PLUGIN_KEY_ON_FAILURE), "refuse");
    plugin_manifest_release(&audit);
    struct plugin_manifest daemon = parse("name = \"p\"\nkind = \"Daemon\"\nversion = \"1\"\n");
    assert_string_equal(plugin_manifest_text(&daemon, PLUGIN_KEY_ON_FAILURE), "allow");
    plugin_manifest_release(&daemon);
    struct plugin_manifest explicit = parse(HEAD "on_failure = \"allow\"\n");
    json_t *json = plugin_manifest_json(&explicit);
    char *text = json_dumps(json, JSON_SORT_KEYS);
    assert_string_equal(text, "{\"kind\": \"Audit\", \"name\": \"p\", \"on_failure\": \"allow\", "
                              "\"version\": \"1\"}");
    free(text);
    json_decref(json);
    plugin_manifest_release(&explicit);
}

static void texts_survive_the_way_into_c(void **state)
{
    (void)state;
    struct plugin_manifest manifest =
        parse(HEAD "description = \"\\\"q\\\" \\\\ ?\\u003f/ \\u00e4 \\n%d\"\n");
    struct strbuf source = STRBUF_INIT;
    plugin_generate_source(&manifest, "{\"a\": 1}", &source);
    assert_non_null(
        strstr(source.data, ".description = \"\\\"q\\\" \\\\ \\077\\077/ \\303\\244 \\012%d\""));
    strbuf_release(&source);
    plugin_manifest_release(&manifest);
}

static void help_names_every_key(void **state)
{
    (void)state;
    struct strbuf help = STRBUF_INIT;
    plugin_manifest_describe(&help);
    for (int key = 0; key < PLUGIN_KEY_END; key++)
        assert_non_null(strstr(help.data, plugin_key_name((enum plugin_key)key)));
    strbuf_release(&help);
}

static void the_guide_names_every_key(void **state)
{
    (void)state;
    struct strbuf guide = STRBUF_INIT;
    FILE *file = fopen(TEST_GUIDE, "r");
    char line[1024];
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        strbuf_add_text(&guide, line);
    fclose(file);
    for (int key = 0; key < PLUGIN_KEY_END; key++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "`%s`", plugin_key_name((enum plugin_key)key));
        if (!strstr(guide.data, quoted))
            fail_msg("docs/plugin-guide.md says nothing about %s", quoted);
    }
    strbuf_release(&guide);
}

static void versions_are_one_to_three_numbers(void **state)
{
    (void)state;
    unsigned long parts[3];
    assert_true(plugin_version_parse("1", parts));
    assert_true(plugin_version_parse("0.10", parts));
    assert_int_equal(parts[1], 10);
    assert_int_equal(parts[2], 0);
    assert_true(plugin_version_parse("1.2.3", parts));
    assert_int_equal(parts[2], 3);
    static const char *const wrong[] = {
        "", ".", "1.", "1.2.3.4", "v1", "-1", "1.x", " 1", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(plugin_version_parse(wrong[i], parts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_has_its_sentence),
        cmocka_unit_test(what_is_right_is_read),
        cmocka_unit_test(on_failure_has_a_default_of_the_kind),
        cmocka_unit_test(texts_survive_the_way_into_c),
        cmocka_unit_test(help_names_every_key),
        cmocka_unit_test(the_guide_names_every_key),
        cmocka_unit_test(versions_are_one_to_three_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
