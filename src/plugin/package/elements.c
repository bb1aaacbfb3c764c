/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks elements against the tables of their keys. */
#include "plugin/package/elements.h"

#include <assert.h>
#include <string.h>

enum value_type { TEXT, SCALAR, BOUND, LIST, FLAG, COUNT, PRIVILEGES };

struct element_key {
    const char *name;
    bool required;
    enum value_type type;
    const char *must_be;
};

struct element_table {
    const char *list; /* the manifest's key */
    const struct element_key *keys;
    size_t count;
};

struct checking {
    const struct toml_document *document;
    const struct element_table *table;
    struct error *error;
};

static const struct element_key variable_keys[] = {
#define X(name, required, type, must_be) {name, required, type, must_be},
    PLUGIN_VARIABLE_KEYS(X)
#undef X
};

static const struct element_key callable_keys[] = {
#define X(name, required, type, must_be) {name, required, type, must_be},
    PLUGIN_CALLABLE_KEYS(X)
#undef X
};

static const struct element_key status_keys[] = {
#define X(name, required, type, must_be) {name, required, type, must_be},
    PLUGIN_STATUS_KEYS(X)
#undef X
};

static const struct element_table tables[] = {
    [PLUGIN_ELEMENTS_VARIABLES] = {"sysVars", variable_keys,
                                   sizeof variable_keys / sizeof *variable_keys},
    [PLUGIN_ELEMENTS_CALLABLES] = {"functions", callable_keys,
                                   sizeof callable_keys / sizeof *callable_keys},
    [PLUGIN_ELEMENTS_STATUS] = {"statusVars", status_keys,
                                sizeof status_keys / sizeof *status_keys},
};

static bool fits(enum value_type wanted, enum toml_type type)
{
    switch (wanted) {
    case TEXT:
        return type == TOML_STRING;
    case SCALAR:
        return type == TOML_STRING || type == TOML_INTEGER || type == TOML_FLOAT ||
               type == TOML_BOOLEAN;
    case BOUND:
        return type == TOML_STRING || type == TOML_INTEGER || type == TOML_FLOAT;
    case FLAG:
        return type == TOML_BOOLEAN;
    case COUNT:
        return type == TOML_INTEGER;
    case LIST:
    case PRIVILEGES:
        return type == TOML_ARRAY;
    }
    return false;
}

static const struct element_key *find_key(const struct element_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->keys[i].name, name) == 0)
            return &table->keys[i];
    return NULL;
}

/* "name, value, type and scope" */
static void list_keys(const struct element_table *table, struct strbuf *out)
{
    for (size_t i = 0; i < table->count; i++)
        strbuf_printf(out, "%s%s",
                      i == 0                  ? ""
                      : i + 1 == table->count ? " and "
                                              : ", ",
                      table->keys[i].name);
}

static int refuse_key(const struct checking *checking, const struct toml_node *node)
{
    struct strbuf known = STRBUF_INIT;
    list_keys(checking->table, &known);
    int status = toml_error(checking->document, node, checking->error,
                            "key \"%s\": an element has no \"%s\"; it has %s",
                            checking->table->list, toml_key(node), known.data);
    strbuf_release(&known);
    return status;
}

static int check_texts(const struct checking *checking, const struct toml_node *list,
                       const struct element_key *key)
{
    for (size_t i = 0; i < toml_count(list); i++) {
        const struct toml_node *text = toml_at(list, i);
        if (toml_type(text) != TOML_STRING)
            return toml_error(checking->document, text, checking->error,
                              "key \"%s\": %s must be %s, and has %s in it", checking->table->list,
                              key->name, key->must_be, toml_type_name(toml_type(text)));
        if (key->type == PRIVILEGES && !plugin_privilege_is_known(toml_text(text, NULL)))
            return toml_error(checking->document, text, checking->error,
                              "key \"%s\": no server has the privilege \"%s\"; it is written as "
                              "in SHOW GRANTS: \"SUPER\"",
                              checking->table->list, toml_text(text, NULL));
    }
    return 0;
}

static int check_key(const struct checking *checking, const struct toml_node *node)
{
    const struct element_key *key = find_key(checking->table, toml_key(node));
    if (!key)
        return refuse_key(checking, node);
    if (!fits(key->type, toml_type(node)))
        return toml_error(checking->document, node, checking->error,
                          "key \"%s\": %s must be %s, not %s", checking->table->list, key->name,
                          key->must_be, toml_type_name(toml_type(node)));
    if (toml_type(node) == TOML_STRING) {
        size_t size;
        const char *text = toml_text(node, &size);
        if (strlen(text) != size)
            return toml_error(checking->document, node, checking->error,
                              "key \"%s\": %s has a NUL byte in it", checking->table->list,
                              key->name);
    }
    return toml_type(node) == TOML_ARRAY ? check_texts(checking, node, key) : 0;
}

static int check_element(const struct checking *checking, const struct toml_node *element)
{
    const struct element_table *table = checking->table;
    if (toml_type(element) != TOML_TABLE)
        return toml_error(checking->document, element, checking->error,
                          "key \"%s\": an element is a table, [[%s]], not %s", table->list,
                          table->list, toml_type_name(toml_type(element)));
    for (size_t i = 0; i < toml_count(element); i++)
        if (check_key(checking, toml_at(element, i)) < 0)
            return -1;
    for (size_t i = 0; i < table->count; i++) {
        const struct toml_node *name = toml_get(element, "name");
        if (table->keys[i].required && !toml_get(element, table->keys[i].name))
            return toml_error(checking->document, name ? name : element, checking->error,
                              "key \"%s\": %s lacks %s", table->list,
                              name ? toml_text(name, NULL) : "an element", table->keys[i].name);
    }
    return 0;
}

int plugin_elements_check(const struct toml_document *document, const struct toml_node *list,
                          enum plugin_elements elements, struct error *error)
{
    assert(document && list && (unsigned)elements <= PLUGIN_ELEMENTS_STATUS);
    const struct checking checking = {document, &tables[elements], error};
    for (size_t i = 0; i < toml_count(list); i++)
        if (check_element(&checking, toml_at(list, i)) < 0)
            return -1;
    return 0;
}
