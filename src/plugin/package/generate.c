/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the C source that pluginpkg compiles into a plugin: the enums and prototypes that the
 * plugin's sources see, and the manifest symbol with its JSON in a section of its own.
 *
 * Texts of the manifest become C string literals here and nowhere else, escaped so that nothing in
 * them can end the literal. The JSON's first member is the API version, which only the compiler knows:
 * a plugin carries the version of the header that it was really compiled with. */
#include "plugin/package/generate.h"

#include <ctype.h>
#include <string.h>

#include "plugin/package/object.h"

size_t plugin_functions(const struct plugin_manifest *manifest,
                        struct plugin_function functions[PLUGIN_FUNCTIONS])
{
    const struct plugin_function all[PLUGIN_FUNCTIONS] = {
#define X(key, member)                                                                             \
    {manifest->keys[PLUGIN_KEY_##key], plugin_key_name(PLUGIN_KEY_##key), PLUGIN_LIFE_PARAMETERS,  \
     #member},
        PLUGIN_LIFE_FUNCTIONS(X)
#undef X
#define X(key, member, parameters)                                                                 \
    {manifest->keys[PLUGIN_KEY_##key], plugin_key_name(PLUGIN_KEY_##key), parameters, #member},
            PLUGIN_VARIABLE_FUNCTIONS(X)
#undef X
#define X(point, name, kind, member, parameters)                                                   \
    {manifest->points[PLUGIN_POINT_##point], "export", parameters, #member},
                PLUGIN_EXTENSION_POINTS(X)
#undef X
    };
    size_t count = 0;
    for (size_t i = 0; i < PLUGIN_FUNCTIONS; i++)
        if (all[i].node)
            functions[count++] = all[i];
    return count;
}

/* As a C string literal in which nothing depends on the compiler's character set. */
static void add_literal(struct strbuf *out, const char *text)
{
    strbuf_add_byte(out, '"');
    for (const char *p = text; *p; p++) {
        unsigned char byte = (unsigned char)*p;
        if (byte == '"' || byte == '\\')
            strbuf_printf(out, "\\%c", byte);
        else if (byte < ' ' || byte > '~' || byte == '?')
            strbuf_printf(out, "\\%03o", byte);
        else
            strbuf_add_byte(out, byte);
    }
    strbuf_add_byte(out, '"');
}

/* As part of a C identifier: audit_log_format is AUDIT_LOG_FORMAT. */
static void add_constant(struct strbuf *out, const char *text)
{
    for (; *text; text++)
        strbuf_add_byte(out, isalnum((unsigned char)*text) && (unsigned char)*text < 128
                                 ? (unsigned char)toupper((unsigned char)*text)
                                 : '_');
}

static void add_variables(const struct plugin_definitions *definitions, struct strbuf *out)
{
    for (size_t i = 0; i < definitions->count; i++) {
        const struct plugin_definition *definition = &definitions->items[i];
        strbuf_add_text(out, "enum {\n    ");
        add_constant(out, definition->name);
        strbuf_printf(out, " = %zu,\n", i);
        for (size_t j = 0; j < json_array_size(definition->values); j++) {
            strbuf_add_text(out, "    ");
            add_constant(out, definition->name);
            strbuf_add_byte(out, '_');
            add_constant(out, plugin_definition_choice(definition, j));
            strbuf_printf(out, " = %zu,\n", j);
        }
        strbuf_add_text(out, "};\n");
    }
}

static void add_callables(const struct plugin_manifest *manifest, struct strbuf *out)
{
    for (size_t i = 0; i < manifest->callable_count; i++) {
        strbuf_add_text(out, i ? "    " : "enum {\n    ");
        add_constant(out, manifest->callables[i].name);
        strbuf_printf(out, "_FUNCTION = %zu,\n", i);
    }
    if (manifest->callable_count)
        strbuf_add_text(out, "};\n");
}

void plugin_generate_prototypes(const struct plugin_manifest *manifest, struct strbuf *out)
{
    add_variables(&manifest->variables, out);
    add_callables(manifest, out);
    struct plugin_function functions[PLUGIN_FUNCTIONS];
    size_t count = plugin_functions(manifest, functions);
    for (size_t i = 0; i < count; i++)
        strbuf_printf(out, "weir_verdict %s(%s);\n", toml_text(functions[i].node, NULL),
                      functions[i].parameters);
}

void plugin_generate_exports(const struct plugin_manifest *manifest, struct strbuf *out)
{
    strbuf_printf(out, "{ global: %s; local: *; };\n",
                  manifest->kind == PLUGIN_KIND_TRACE ? PLUGIN_TRACE_SYMBOL
                                                      : "weir_plugin_manifest");
}

/* The JSON object without its opening brace goes behind a member that only the compiler knows. */
static void add_json(struct strbuf *out, const char *json)
{
    strbuf_add_text(out, "#define AS_TEXT_(x) #x\n"
                         "#define AS_TEXT(x) AS_TEXT_(x)\n"
                         "__attribute__((section(WEIR_MANIFEST_SECTION), used))\n"
                         "static const char json[] =\n"
                         "    \"{\\\"api_version\\\": \" AS_TEXT(WEIR_API_VERSION) \", \"\n    ");
    add_literal(out, json + strspn(json, "{ \n"));
    strbuf_add_text(out, ";\n");
}

/* The defaults; INT64_MIN has no literal of its own in C. */
static void add_numbers(const struct plugin_definitions *definitions, struct strbuf *out)
{
    strbuf_printf(out, "int64_t weir_variable_numbers[%zu] = {0", definitions->count + 1);
    for (size_t i = 0; i < definitions->count; i++)
        strbuf_printf(out, ", [%zu] = (int64_t)%lluULL", i,
                      (unsigned long long)definitions->items[i].initial.number);
    strbuf_add_text(out, "};\n");
}

void plugin_generate_source(const struct plugin_manifest *manifest, const char *json,
                            struct strbuf *out)
{
    struct plugin_function functions[PLUGIN_FUNCTIONS];
    size_t count = plugin_functions(manifest, functions);
    strbuf_add_text(out, "/* Generated by pluginpkg from manifest.toml. */\n"
                         "#include <weir/plugin.h>\n\n");
    add_json(out, json);
    if (manifest->kind == PLUGIN_KIND_TRACE)
        return; /* its sources define the symbol */
    add_numbers(&manifest->variables, out);
    strbuf_add_text(out, "const weir_host_functions *weir_host_table;\n"
                         "const weir_plugin *weir_self;\n"
                         "extern const weir_manifest weir_plugin_manifest;\n"
                         "__attribute__((visibility(\"default\"), used))\n"
                         "const weir_manifest weir_plugin_manifest = {\n"
                         "    .api_version = WEIR_API_VERSION,\n"
                         "    .struct_size = sizeof(weir_manifest),\n");
    static const struct {
        const char *member;
        enum plugin_key key;
    } texts[] = {
        {"name", PLUGIN_KEY_NAME},
        {"kind", PLUGIN_KEY_KIND},
        {"description", PLUGIN_KEY_DESCRIPTION},
        {"version", PLUGIN_KEY_VERSION},
        {"license", PLUGIN_KEY_LICENSE},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        strbuf_printf(out, "    .%s = ", texts[i].member);
        add_literal(out, plugin_manifest_text(manifest, texts[i].key));
        strbuf_add_text(out, ",\n");
    }
    strbuf_add_text(out, "    .json = json,\n"
                         "    .host = &weir_host_table,\n"
                         "    .self = &weir_self,\n"
                         "    .variable_numbers = weir_variable_numbers,\n");
    strbuf_printf(out, "    .variable_count = %zu,\n    .function_count = %zu,\n",
                  manifest->variables.count, manifest->callable_count);
    for (size_t i = 0; i < count; i++)
        strbuf_printf(out, "    .%s = %s,\n", functions[i].member,
                      toml_text(functions[i].node, NULL));
    strbuf_add_text(out, "};\n");
}
