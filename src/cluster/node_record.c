/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of nodes, by jansson, which checks that texts are UTF-8 without a NUL. What has control characters in it is
 * no record: a row of a table is one line. */
#include "cluster/node_record.h"

#include <string.h>

#include "cluster/json_text.h"

static json_t *plugins_of(const struct node_record *record)
{
    json_t *list = json_array();
    for (size_t i = 0; i < record->plugin_count; i++) {
        const struct node_plugin *plugin = &record->plugins[i];
        json_t *one = json_object();
        json_object_set_new(one, "name", json_text_of(plugin->name));
        json_object_set_new(one, "version", json_text_of(plugin->version));
        json_object_set_new(one, "state", json_text_of(plugin->state));
        json_object_set_new(one, "flush", json_text_of(plugin->flush));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *refusals_of(const struct node_record *record)
{
    json_t *list = json_array();
    for (size_t i = 0; i < record->refusal_count; i++) {
        json_t *one = json_object();
        json_object_set_new(one, "variable", json_text_of(record->refusals[i].variable));
        json_object_set_new(one, "why", json_text_of(record->refusals[i].why));
        json_array_append_new(list, one);
    }
    return list;
}

void node_record_write(struct strbuf *out, const struct node_record *record)
{
    assert(record->plugin_count <= NODE_RECORD_PLUGINS &&
           record->refusal_count <= NODE_RECORD_REFUSALS);
    json_t *root = json_object();
    json_object_set_new(root, "address", json_text_of(record->address));
    json_object_set_new(root, "version", json_text_of(record->version));
    json_object_set_new(root, "since", json_integer(record->since_s));
    json_object_set_new(root, "sessions", json_integer(record->sessions));
    json_object_set_new(root, "plugins", plugins_of(record));
    json_object_set_new(root, "refusals", refusals_of(record));
    json_text_write(out, root);
}

/* Borrowed from the object. */
static const char *text_at(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    for (const char *at = text; at && *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return "";
    return text ? text : "";
}

static void read_plugins(struct node_record *record, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list) && i < NODE_RECORD_PLUGINS; i++) {
        const json_t *one = json_array_get(list, i);
        record->plugins[record->plugin_count++] =
            (struct node_plugin){.name = text_at(one, "name"),
                                 .version = text_at(one, "version"),
                                 .state = text_at(one, "state"),
                                 .flush = text_at(one, "flush")};
    }
}

static void read_refusals(struct node_record *record, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list) && i < NODE_RECORD_REFUSALS; i++) {
        const json_t *one = json_array_get(list, i);
        record->refusals[record->refusal_count++] =
            (struct node_refusal){.variable = text_at(one, "variable"), .why = text_at(one, "why")};
    }
}

bool node_record_read(struct node_record *record, struct store_bytes bytes)
{
    json_error_t error;
    json_t *root = json_loadb(bytes.data, bytes.size, JSON_REJECT_DUPLICATES, &error);
    *record = (struct node_record){.owned = root};
    if (!json_is_object(root)) {
        node_record_release(record);
        return false;
    }
    record->address = text_at(root, "address");
    record->version = text_at(root, "version");
    record->since_s = json_integer_value(json_object_get(root, "since"));
    record->sessions = json_integer_value(json_object_get(root, "sessions"));
    read_plugins(record, json_object_get(root, "plugins"));
    read_refusals(record, json_object_get(root, "refusals"));
    return true;
}

void node_record_release(struct node_record *record)
{
    json_decref(record->owned);
    *record = (struct node_record){.owned = NULL};
}

bool node_record_has(const struct node_record *record, const char *plugin)
{
    for (size_t i = 0; i < record->plugin_count; i++)
        if (strcmp(record->plugins[i].name, plugin) == 0)
            return true;
    return false;
}
