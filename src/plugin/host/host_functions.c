/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's functions: what a plugin can ask of a session, and say. Facts come from the session;
 * those that cost something come from its source, which remembers them. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "plugin/host/plugin_holds.h"
#include "plugin/host/plugin_store.h"
#include "plugin/host/plugin_variables.h"
#include "wire/wire.h"

static const weir_string absent;

/* A plugin passes what it was given: anything else is a handle of a session that has ended, or was
 * kept from another callback. */
static void check_session(const weir_session *session)
{
    assert(session && session->magic == PLUGIN_SESSION_MAGIC);
}

void plugin_session_init(struct weir_session *session)
{
    assert(session);
    memset(session, 0, sizeof *session);
    session->magic = PLUGIN_SESSION_MAGIC;
    for (size_t i = 0; i < WEIR_NUMBER_FACT_END_; i++)
        session->number[i] = WEIR_ABSENT;
}

void plugin_session_attributes(struct weir_session *session, const uint8_t *block, size_t size)
{
    check_session(session);
    session->attributes = block;
    session->attributes_size = block ? size : 0;
    session->attribute_cursor.index = session->attribute_cursor.offset = 0;
    waypoints_reset(&session->attributes_passed);
}

static weir_string text(const weir_session *session, uint32_t fact)
{
    check_session(session);
    if (fact >= WEIR_TEXT_FACT_END_)
        return absent;
    if (session->text[fact].data || !session->source || !session->source->text)
        return session->text[fact];
    return session->source->text(session->source_data, fact);
}

static uint64_t number(const weir_session *session, uint32_t fact)
{
    check_session(session);
    if (fact >= WEIR_NUMBER_FACT_END_)
        return WEIR_ABSENT;
    if (session->number[fact] != WEIR_ABSENT || !session->source || !session->source->number)
        return session->number[fact];
    return session->source->number(session->source_data, fact);
}

static size_t client_address(const weir_session *session, uint8_t bytes[16])
{
    check_session(session);
    memcpy(bytes, session->client_address, session->client_address_size);
    return session->client_address_size;
}

/* Moves the cursor to the attribute, or to one before it from which the way is not long. */
static void approach_attribute(weir_session *session, size_t index)
{
    size_t near = waypoints_nearest(&session->attributes_passed, index);
    size_t *at = &session->attribute_cursor.index, *offset = &session->attribute_cursor.offset;
    if (*at <= index && *at >= near)
        return;
    *at = near;
    *offset = 0;
    if (near)
        waypoints_take(&session->attributes_passed, near, offset, sizeof *offset);
}

static int attribute(const weir_session *session, size_t index, weir_string *name,
                     weir_string *value)
{
    check_session(session);
    if (session->source && session->source->attribute)
        return session->source->attribute(session->source_data, index, name, value);
    if (!session->attributes)
        return 0;
    struct weir_session *own = (struct weir_session *)session; /* the host's, and it is not const */
    approach_attribute(own, index);
    size_t at = own->attribute_cursor.index, offset = own->attribute_cursor.offset;
    struct wire_reader reader =
        wire_reader_of(session->attributes + offset, session->attributes_size - offset);
    struct wire_string key, content;
    while (wire_attribute_next(&reader, &key, &content)) {
        if (at == index) {
            *name = (weir_string){(const char *)key.data, key.size};
            *value = (weir_string){(const char *)content.data, content.size};
            return 1;
        }
        own->attribute_cursor.index = ++at;
        own->attribute_cursor.offset = (size_t)(reader.pos - session->attributes);
        waypoints_pass(&own->attributes_passed, at, &own->attribute_cursor.offset,
                       sizeof own->attribute_cursor.offset);
    }
    return 0;
}

static int proxy_value(const weir_session *session, uint32_t type, weir_string *value)
{
    check_session(session);
    const struct wire_string all = {session->proxy_values, session->proxy_values_size};
    struct wire_string found;
    if (!all.data || type > UINT8_MAX || !wire_proxy_tlv_find(all, (uint8_t)type, &found))
        return 0;
    *value = (weir_string){found.data, found.size};
    return 1;
}

static int parameter(const weir_session *session, size_t index, weir_parameter *answer)
{
    check_session(session);
    const struct plugin_facts_source *source = session->source;
    return source && source->parameter ? source->parameter(session->source_data, index, answer) : 0;
}

static int parameter_origin(const weir_session *session, size_t index,
                            weir_parameter_origin *answer)
{
    check_session(session);
    weir_parameter_origin found = {.struct_size = sizeof found};
    size_t room = answer->struct_size < sizeof found ? answer->struct_size : sizeof found;
    const struct plugin_facts_source *source = session->source;
    if (!source || !source->parameter_origin ||
        !source->parameter_origin(session->source_data, index, &found))
        return 0;
    memcpy(answer, &found, room);
    return 1;
}

static int table(const weir_session *session, size_t index, weir_table *answer)
{
    check_session(session);
    const struct plugin_facts_source *source = session->source;
    return source && source->table ? source->table(session->source_data, index, answer) : 0;
}

static int routine(const weir_session *session, size_t index, weir_routine *answer)
{
    check_session(session);
    const struct plugin_facts_source *source = session->source;
    return source && source->routine ? source->routine(session->source_data, index, answer) : 0;
}

static int part(const weir_session *session, size_t index, weir_part *answer)
{
    check_session(session);
    const struct plugin_facts_source *source = session->source;
    return source && source->part ? source->part(session->source_data, index, answer) : 0;
}

static weir_string part_text(const weir_session *session, size_t index, uint32_t fact)
{
    check_session(session);
    const struct plugin_facts_source *source = session->source;
    return source && source->part_text ? source->part_text(session->source_data, index, fact)
                                       : absent;
}

static void refuse(weir_session *session, uint32_t error_code, const char *sqlstate,
                   const char *message, size_t message_size)
{
    if (!session) { /* OnVariable, while the server starts */
        plugin_report_failure(NULL, message, message_size);
        return;
    }
    check_session(session);
    struct plugin_running *running = plugin_running_here(session);
    if (!running)
        return;
    running->gave_reason = true;
    if (running->refusal)
        plugin_refusal_set(running->refusal, running->plugin, error_code, sqlstate, message,
                           message_size);
}

static void *session_data(const weir_session *session, const weir_plugin *plugin)
{
    check_session(session);
    return session->data[plugin->index];
}

static void set_session_data(weir_session *session, const weir_plugin *plugin, void *data)
{
    check_session(session);
    session->data[plugin->index] = data;
}

static void write_log(const weir_plugin *plugin, int level, const char *message, size_t size)
{
    static const enum log_level levels[] = {
        [WEIR_LOG_ERROR] = LOG_LEVEL_ERROR,
        [WEIR_LOG_WARN] = LOG_LEVEL_WARN,
        [WEIR_LOG_INFO] = LOG_LEVEL_INFO,
        [WEIR_LOG_DEBUG] = LOG_LEVEL_DEBUG,
    };
    size_t count = sizeof levels / sizeof *levels;
    log_write(levels[level >= 0 && (size_t)level < count ? (size_t)level : count - 1], "plugin",
              "%s: %.*s", plugin->identity.name, (int)size, message);
    if (level == WEIR_LOG_WARN)
        plugin_note_warning(message, size);
}

static weir_string setting(const weir_plugin *plugin, const char *name)
{
    const struct plugin_options *options = &plugin->registry->options;
    const char *value =
        options->settings.value
            ? options->settings.value(options->settings.user, plugin->identity.name, name)
            : NULL;
    return value ? (weir_string){value, strlen(value)} : absent;
}

static weir_string library(const weir_plugin *plugin)
{
    return (weir_string){plugin->library, strlen(plugin->library)};
}

static weir_string data_directory(const weir_plugin *plugin)
{
    const char *path = plugin->registry->data_directory;
    return path ? (weir_string){path, strlen(path)} : absent;
}

static weir_string known_name(const weir_plugin *plugin, uint32_t list, size_t index)
{
    const struct plugin_options *options = &plugin->registry->options;
    const char *name = options->known_name ? options->known_name(list, index) : NULL;
    return name ? (weir_string){name, strlen(name)} : absent;
}

const weir_host_functions plugin_host = {
    .api_version = WEIR_API_VERSION,
    .struct_size = sizeof(weir_host_functions),
    .text = text,
    .number = number,
    .client_address = client_address,
    .attribute = attribute,
    .parameter = parameter,
    .table = table,
    .refuse = refuse,
    .session_data = session_data,
    .set_session_data = set_session_data,
    .log = write_log,
    .setting = setting,
    .report_failure = plugin_report_failure,
    .library = library,
    .hold = plugin_host_hold,
    .release = plugin_host_release,
    .variable_text = plugin_host_variable_text,
    .session_number = plugin_host_session_number,
    .session_text = plugin_host_session_text,
    .replace_value = plugin_host_replace_value,
    .add_status = plugin_host_add_status,
    .part = part,
    .part_text = part_text,
    .data_directory = data_directory,
    .return_text = plugin_host_return_text,
    .hold_verdict = plugin_host_hold_verdict,
    .decide = plugin_host_decide,
    .parameter_origin = parameter_origin,
    .pending_value = plugin_host_pending_value,
    .known_name = known_name,
    .limit_statement = plugin_host_limit_statement,
    .routine = routine,
    .choose_backend = plugin_host_choose_backend,
    .proxy_value = proxy_value,
    .expect_account = plugin_expect_account,
    .store_call = plugin_host_store_call,
    .store_watch = plugin_host_store_watch,
};
