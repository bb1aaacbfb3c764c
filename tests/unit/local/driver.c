/* SPDX-License-Identifier: Apache-2.0
 *
 * The backend's side is a tracker that is fed the script, as a session's is. */
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver_plugin.h"

#define BACKEND_ID            77
#define OTHER_SESSION         0x7ffffffeU
#define OWN_SESSION_ELSEWHERE 0x7ffffff3U /* 2147483635 */
#define SESSION_ELSEWHERE     0x7ffffff2U /* 2147483634 */

/* ---- What the process gives a session ---- */

/* Two sessions are at another backend, one of them the asking user's. */
static bool id_find(void *owner, uint32_t id, const char *user, struct session_place *place)
{
    static const struct session_backend elsewhere = {.name = "elsewhere", .number = 1};
    (void)owner, (void)user;
    *place = (struct session_place){.backend = id == OTHER_SESSION ? NULL : &elsewhere,
                                    .backend_id = BACKEND_ID,
                                    .is_same_user = id == OWN_SESSION_ELSEWHERE};
    return id == OTHER_SESSION || id == OWN_SESSION_ELSEWHERE || id == SESSION_ELSEWHERE;
}

static int kill_elsewhere(void *owner, const struct session_backend *backend, const char *statement,
                          struct error *error)
{
    struct driver *driver = owner;
    snprintf(driver->killed, sizeof driver->killed, "%s: %s", backend->name, statement);
    return driver->has_no_account ? error_set(error, "the gateway has no account") : 0;
}

static int trace_load(void *owner, const char *name, struct error *error)
{
    struct driver *driver = owner;
    snprintf(driver->trace_loaded, sizeof driver->trace_loaded, "%s", name);
    return strcmp(name, "missing") == 0 ? error_set(error, "no such plugin") : 0;
}

static void trace_changed(void *owner)
{
    struct driver *driver = owner;
    driver->trace_changes++;
}

static bool backend_describe(void *owner, size_t number, struct session_backend_row *row)
{
    static const struct session_backend_row rows[] = {
        {.name = "one",
         .address = "tcp://a:1",
         .state = "up",
         .since_s = 1,
         .sessions = 2,
         .checks = 3,
         .version = "8.0",
         .tls = "TLSv1.3",
         .role = "standby"},
        {.name = "tcp://b:2", .address = "tcp://b:2", .state = "unknown", .last_error = "refused"}};
    (void)owner;
    if (number >= sizeof rows / sizeof *rows)
        return false;
    *row = rows[number];
    return true;
}

static int backend_change(void *owner, const char *name, enum session_backend_order order,
                          struct error *error)
{
    struct driver *driver = owner;
    if (strcmp(name, "missing") == 0)
        return error_set(error, "there is no backend missing");
    strbuf_printf(&driver->backend_orders, "%d %s;", (int)order, name);
    return 0;
}

static int configuration_reload(void *owner, struct strbuf *notes, struct error *error)
{
    struct driver *driver = owner;
    driver->reloads++;
    if (driver->reload_note)
        strbuf_add_text(notes, driver->reload_note);
    return driver->reload_error ? error_set(error, "%s", driver->reload_error) : 0;
}

static const struct session_operations operations = {.id_find = id_find,
                                                     .kill_elsewhere = kill_elsewhere,
                                                     .backend_describe = backend_describe,
                                                     .backend_change = backend_change,
                                                     .configuration_reload = configuration_reload,
                                                     .trace_load = trace_load,
                                                     .trace_changed = trace_changed};

/* ---- Opening ---- */

static int open_with(struct driver *driver, struct plugin_registry *registry)
{
    struct session_environment *environment = &driver->environment;
    struct client_address address = {.is_unix = true, .client_ip = "", .server_ip = ""};
    session_environment_init(environment);
    environment->operations = &operations;
    environment->owner = driver;
    environment->registry = registry;
    environment->has_plugins = plugin_count(registry) > 0;
    environment->has_variables = plugin_has_variables(registry);
    environment->has_functions = plugin_has_callables(registry);
    environment->trace = &driver->trace;
    environment->max_prepared_bytes = 1 << 20;
    observed_init(&driver->observed, environment, 1, &address);
    driver->observed.capabilities = WIRE_CAP(CLIENT_PROTOCOL_41) | WIRE_CAP(CLIENT_SESSION_TRACK);
    strbuf_init(&driver->queries);
    strbuf_init(&driver->end);
    for (size_t i = 0; i < DRIVER_REPLIES; i++)
        strbuf_init(&driver->replies[i]);
    return 0;
}

int driver_open(void **state)
{
    struct driver *driver = calloc(1, sizeof *driver);
    struct error error = {""};
    char folder[128];
    void *workshop = NULL;
    if (workshop_open(&workshop) != 0)
        return -1;
    driver->workshop = workshop;
    *state = driver;
    workshop_write(workshop, "v/manifest.toml", driver_plugin_manifest);
    workshop_write(workshop, "v/v.c", driver_plugin_source);
    snprintf(folder, sizeof folder, "%s", workshop_path(workshop, "out"));
    struct plugin_options options = {.directory = folder, .load = "v-1"};
    struct plugin_registry *registry = NULL;
    if (workshop_package(workshop, "v", &error) == 0)
        registry = plugin_registry_load(&options, &error);
    if (!registry)
        print_error("%s\n", error.message);
    return registry ? open_with(driver, registry) : -1;
}

int driver_open_plain(void **state)
{
    struct driver *driver = calloc(1, sizeof *driver);
    struct plugin_options options = {.directory = "/nowhere"};
    struct error error;
    *state = driver;
    return open_with(driver, plugin_registry_load(&options, &error));
}

int driver_close(void **state)
{
    struct driver *driver = *state;
    void *workshop = driver->workshop;
    driver_reset(driver);
    observed_release(&driver->observed);
    session_environment_release(&driver->environment);
    plugin_registry_shutdown(driver->environment.registry);
    free(driver);
    return workshop ? workshop_close(&workshop) : 0;
}

void driver_reset(struct driver *driver)
{
    for (size_t i = 0; i < DRIVER_REPLIES; i++)
        strbuf_release(&driver->replies[i]);
    driver->reply_count = 0;
    driver->grants = NULL;
    driver->is_shutting_down = false;
    driver->trace_changes = 0;
    strbuf_release(&driver->queries);
    strbuf_release(&driver->end);
}

/* ---- QUERY ---- */

static void begin_conversation(const struct driver *driver, struct wire_tracker *tracker,
                               const struct strbuf *command)
{
    struct wire_packet packet;
    struct wire_input input = {(const uint8_t *)command->data,
                               (const uint8_t *)command->data + command->size};
    uint64_t capabilities = driver->observed.capabilities;
    wire_tracker_resume(tracker, WIRE_WANT_ALL, 1 << 20, capabilities, capabilities, DRIVER_STATUS);
    assert_int_equal(wire_tracker_next(tracker, WIRE_FROM_CLIENT, &input, &packet), WIRE_PACKET);
    assert_ptr_equal(input.pos, input.end);
}

static const struct strbuf *read_reply(struct driver *driver)
{
    if (driver->replies_read == driver->reply_count)
        fail_msg("no reply is left for:\n%s", driver->queries.data);
    return &driver->replies[driver->replies_read++];
}

static void give_row(struct local *local, const struct local_action *action,
                     const struct wire_packet *packet)
{
    struct wire_string values[LOCAL_COLUMNS];
    struct wire_reader reader = wire_reader_of(packet->payload, packet->payload_size);
    size_t count = 0;
    while (count < LOCAL_COLUMNS && wire_text_field_next(&reader, &values[count]))
        count++;
    action->row(local, values, count);
}

static struct local_action query(struct driver *driver, struct local *local,
                                 const struct local_action *action)
{
    struct strbuf text = STRBUF_INIT;
    struct wire_writer writer = wire_writer_to(&text, 0);
    struct wire_tracker tracker;
    struct wire_packet packet;
    struct local_outcome outcome = {0};
    strbuf_printf(&driver->queries, "%s\n", action->text);
    wire_begin_packet(&writer);
    wire_write_u8(&writer, WIRE_COM_QUERY);
    wire_write_bytes(&writer, action->text, strlen(action->text));
    wire_end_packet(&writer);
    begin_conversation(driver, &tracker, &text);
    const struct strbuf *reply = read_reply(driver);
    struct wire_input input = {(const uint8_t *)reply->data,
                               (const uint8_t *)reply->data + reply->size};
    while (wire_tracker_next(&tracker, WIRE_FROM_SERVER, &input, &packet) == WIRE_PACKET) {
        if (action->packet)
            action->packet(local, &packet, &tracker.result);
        if (packet.kind == WIRE_ROW && action->row)
            give_row(local, action, &packet);
        if (packet.kind == WIRE_ERR)
            outcome.error_code = tracker.result.error_code;
    }
    assert_null(tracker.broken);
    outcome.result = &tracker.result;
    struct local_action next = action->next(local, &outcome);
    wire_tracker_release(&tracker);
    strbuf_release(&text);
    return next;
}

/* ---- PRIVILEGE ---- */

static struct local_action privilege(struct driver *driver, struct local *local,
                                     const struct local_action *action)
{
    struct local_outcome outcome = {0};
    struct wire_string row = wire_text(driver->grants);
    char message[256];
    if (!*action->privileges)
        return action->next(local, &outcome);
    strbuf_add_text(&driver->queries, "SHOW GRANTS\n");
    if (local_grants(row, action->privileges))
        return action->next(local, &outcome);
    local_denied_message(action->privileges, message, sizeof message);
    return local_fail(local, WIRE_ER_SPECIFIC_ACCESS_DENIED_ERROR, "%s", message);
}

/* ---- FORWARD ---- */

/* The rows of a reply as the client reads them, which must be numbered as the protocol wants. */
static void print_reply(struct driver *driver, const struct local *local,
                        const struct wire_result *result)
{
    struct wire_tracker client;
    struct wire_packet packet;
    const char *separator = "; reads ";
    struct wire_input input = {(const uint8_t *)local->reply.data,
                               (const uint8_t *)local->reply.data + local->reply.size};
    bool is_binary = local->observed->command.code == WIRE_COM_STMT_EXECUTE;
    begin_conversation(driver, &client, &local->packet);
    while (wire_tracker_next(&client, WIRE_FROM_SERVER, &input, &packet) == WIRE_PACKET) {
        struct wire_reader reader = wire_reader_of(packet.payload, packet.payload_size);
        struct wire_string field;
        if (packet.kind != WIRE_ROW)
            continue;
        strbuf_add_text(&driver->end, separator);
        if (is_binary)
            wire_skip(&reader, 2);
        for (const char *comma = ""; wire_text_field_next(&reader, &field); comma = ",")
            strbuf_printf(&driver->end, "%s%.*s", comma, (int)field.size, field.data);
        separator = ";";
    }
    assert_null(client.broken);
    assert_true(wire_tracker_is_idle(&client));
    assert_int_equal(client.result.rows, result->rows);
    assert_int_equal(client.result.bytes, result->bytes);
    wire_tracker_release(&client);
}

static void forward(struct driver *driver, struct local *local, const struct local_action *action)
{
    struct wire_tracker tracker;
    struct wire_packet packet;
    strbuf_add_text(&driver->end, "forward ");
    strbuf_add(&driver->end, local->packet.data + WIRE_HEADER_BYTES + 1,
               local->packet.size - WIRE_HEADER_BYTES - 1);
    begin_conversation(driver, &tracker, &local->packet);
    if (action->reply_packet) {
        const struct strbuf *reply = read_reply(driver);
        struct wire_input input = {(const uint8_t *)reply->data,
                                   (const uint8_t *)reply->data + reply->size};
        while (wire_tracker_next(&tracker, WIRE_FROM_SERVER, &input, &packet) == WIRE_PACKET)
            action->reply_packet(local, &packet, &tracker.result);
        assert_null(tracker.broken);
        print_reply(driver, local, &tracker.result);
    }
    wire_tracker_release(&tracker);
}

/* ---- ANSWER ---- */

static void print_cells(struct strbuf *out, const char *const *cells, size_t count)
{
    for (size_t i = 0; i < count; i++)
        strbuf_printf(out, "%s%s", i ? "," : "", cells[i] ? cells[i] : "NULL");
}

static void print_answer(struct driver *driver, const struct local_answer *answer)
{
    struct strbuf *out = &driver->end;
    const char *state = answer->error.sqlstate;
    switch (answer->kind) {
    case LOCAL_ERROR:
        if (!*state || strcmp(state, wire_error_sqlstate((uint16_t)answer->error.code)) == 0)
            strbuf_printf(out, "error %u %s", answer->error.code, answer->error.message);
        else
            strbuf_printf(out, "error %u %s %s", answer->error.code, state, answer->error.message);
        break;
    case LOCAL_OK:
        strbuf_add_text(out, "ok");
        break;
    case LOCAL_ROWS:
        strbuf_add_text(out, "rows ");
        print_cells(out, answer->columns, answer->column_count);
        for (size_t i = 0; i < answer->row_count; i++) {
            strbuf_add_byte(out, ';');
            print_cells(out, answer->values + i * answer->column_count, answer->column_count);
        }
        break;
    case LOCAL_PAYLOAD:
        assert_int_equal(*(const uint8_t *)answer->payload, 0);
        strbuf_printf(out, "payload %zu", answer->payload_size);
        break;
    }
    if (answer->took_effect)
        strbuf_add_text(out, "; took effect");
}

/* ---- Running ---- */

/* Carries actions out until the statement ends, or `most` of them. Returns whether it ended. */
static bool perform(struct driver *driver, struct local *local, struct local_action action,
                    size_t most)
{
    struct local_outcome worked = {.cancelled = driver->is_shutting_down};
    for (; most > 0; most--) {
        action = local_conclude(local, action);
        switch (action.kind) {
        case LOCAL_QUERY:
            action = query(driver, local, &action);
            break;
        case LOCAL_PRIVILEGE:
            action = privilege(driver, local, &action);
            break;
        case LOCAL_WORK:
            if (!driver->is_shutting_down)
                local_do_work(local, action.work);
            action = action.next(local, &worked);
            break;
        case LOCAL_FORWARD:
            forward(driver, local, &action);
            return true;
        case LOCAL_ANSWER:
            print_answer(driver, &local->answer);
            return true;
        }
    }
    return false;
}

/* The payload is gone once begin() has returned, as a session's may be. */
static bool run(struct driver *driver, const struct wire_packet *command, size_t most)
{
    struct observed *observed = &driver->observed;
    struct wire_packet packet = *command;
    uint8_t *payload = malloc(packet.payload_size);
    memcpy(payload, packet.payload, packet.payload_size);
    packet.payload = payload;
    driver->replies_read = 0;
    strbuf_reset(&driver->queries);
    strbuf_reset(&driver->end);
    observed->prepare_refused = false;
    command_begin(observed, packet.command);
    if (has_plugins(observed))
        command_read(observed, &packet);
    else
        command_read_kind(observed, &packet);
    const struct local_statement *statement = local_find(observed, &packet);
    struct local *local = statement ? local_begin(statement, observed) : NULL;
    struct local_action action = {.kind = LOCAL_ANSWER};
    if (local && most > 0)
        action = statement->begin(local, &packet);
    free(payload);
    bool ended = !local || (most > 0 && perform(driver, local, action, most - 1));
    if (!local)
        strbuf_add_text(&driver->end, "none");
    local_end(local);
    return ended;
}

const char *driver_command(struct driver *driver, uint8_t command, const void *argument,
                           size_t size)
{
    struct strbuf payload = STRBUF_INIT;
    strbuf_add_byte(&payload, command);
    strbuf_add(&payload, argument, size);
    struct wire_packet packet = {.kind = WIRE_COMMAND,
                                 .direction = WIRE_FROM_CLIENT,
                                 .command = command,
                                 .payload = (const uint8_t *)payload.data,
                                 .payload_size = payload.size,
                                 .total_size = payload.size};
    size_t most = 0;
    while (!run(driver, &packet, most)) /* abandoned after each action, the last time not */
        most++;
    strbuf_release(&payload);
    return driver->end.data;
}

const char *driver_query(struct driver *driver, const char *text)
{
    return driver_command(driver, WIRE_COM_QUERY, text, strlen(text));
}

const char *driver_prepare(struct driver *driver, const char *text)
{
    return driver_command(driver, WIRE_COM_STMT_PREPARE, text, strlen(text));
}
