/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays exchanges, one after the other. The session is one that connects the backend first, so that
 * the login of the recording is valid as it is.
 *
 * The backend is the recording: a command that reaches it gets the recorded reply. A command that a
 * plugin refuses does not, and its recorded reply is left out. What the gateway itself asks a server
 * is answered here: who is logged in, once; everything else with an error. */
#include "player.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "pair.h"

enum { VIEW_KEEPS = 4096, TEXT_SHOWN = 200, IDENTITY_COLUMNS_ASKED = 8 };

struct player {
    struct pair pair;
    struct recording *recording;
    FILE *out;
    struct wire_tracker view; /* the conversation as the client has it */
    struct strbuf line;       /* about the command that runs */
    uint64_t capabilities;
    struct strbuf user, database;
    bool identity_was_asked;
};

/* ---- what the client reads ---- */

static void add_text(struct strbuf *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size && i < TEXT_SHOWN; i++)
        strbuf_add_byte(
            out, (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : (unsigned char)text[i]);
    if (size > TEXT_SHOWN)
        strbuf_add_text(out, "...");
}

static void add_command(struct player *player, const struct wire_packet *packet)
{
    struct wire_query query;
    strbuf_reset(&player->line);
    strbuf_add_text(&player->line, wire_command_name(packet->command));
    if (packet->command == WIRE_COM_QUERY &&
        wire_decode_query(packet->payload, packet->payload_size, player->view.client_capabilities,
                          &query)) {
        strbuf_add_byte(&player->line, ' ');
        add_text(&player->line, query.text.data, query.text.size);
    } else if (packet->command == WIRE_COM_STMT_PREPARE || packet->command == WIRE_COM_INIT_DB) {
        strbuf_add_byte(&player->line, ' ');
        add_text(&player->line, (const char *)packet->payload + 1, packet->payload_size - 1);
    }
}

static void add_result(struct player *player, const struct wire_packet *packet)
{
    const struct wire_result *result = &player->view.result;
    struct strbuf *line = &player->line;
    struct wire_err err = {0};
    strbuf_add_text(line, ": ");
    if (packet->kind == WIRE_ERR && wire_decode_err(packet->payload, packet->payload_size, &err)) {
        strbuf_printf(line, "ERROR %u (%s): ", err.code, err.sqlstate);
        add_text(line, err.message.data, err.message.size);
    } else if (result->is_result_set) {
        strbuf_printf(line, "%" PRIu64 " row%s", result->rows, result->rows == 1 ? "" : "s");
    } else if (result->affected_rows) {
        strbuf_printf(line, "OK, %" PRIu64 " affected", result->affected_rows);
    } else {
        strbuf_add_text(line, "OK");
    }
}

static void print_line(struct player *player)
{
    fprintf(player->out, "%s\n", player->line.data);
    strbuf_reset(&player->line);
}

static void view_bytes(struct player *player, enum wire_direction direction,
                       const struct strbuf *bytes)
{
    struct wire_input input = {(const uint8_t *)bytes->data,
                               (const uint8_t *)bytes->data + bytes->size};
    struct wire_packet packet;
    while (wire_tracker_next(&player->view, direction, &input, &packet) == WIRE_PACKET) {
        if (packet.kind == WIRE_COMMAND)
            add_command(player, &packet);
        if (packet.ends_result)
            add_result(player, &packet);
        if (packet.ends_reply)
            print_line(player);
    }
}

static void run(struct player *player)
{
    struct strbuf *got = &player->pair.peers[SESSION_CLIENT].got;
    pair_run(&player->pair);
    view_bytes(player, WIRE_FROM_SERVER, got);
    strbuf_reset(got);
}

/* The client waits for a reply, which a plugin keeps back. */
static bool is_kept_waiting(const struct player *player)
{
    uint8_t command;
    enum wire_expect expect = wire_tracker_expects(&player->view, &command);
    return !player->pair.is_over && expect != WIRE_EXPECT_NOTHING &&
           !wire_tracker_expects_client_data(&player->view);
}

static void wait_for_plugin(struct player *player)
{
    if (pair_wait(&player->pair))
        run(player);
}

static void client_sends(struct player *player, const struct strbuf *bytes)
{
    view_bytes(player, WIRE_FROM_CLIENT, bytes);
    pair_send(&player->pair, SESSION_CLIENT, bytes->data, bytes->size);
    run(player);
}

static void backend_sends(struct player *player, const struct strbuf *bytes)
{
    pair_send(&player->pair, SESSION_BACKEND, bytes->data, bytes->size);
    run(player);
}

/* ---- what the gateway asks ---- */

static void end_rows(const struct player *player, struct wire_writer *writer, uint16_t status)
{
    const struct wire_eof eof = {.status = status};
    wire_encode_rows_end(writer, player->capabilities, &eof);
}

/* in_block: the query is a block, whose result is followed by an OK. */
static void answer_identity(struct player *player, struct strbuf *out, bool in_block)
{
    static const uint16_t more = WIRE_SERVER_MORE_RESULTS_EXISTS;
    const struct wire_column_definition column = {
        .name = wire_text("a"), .charset = 63, .length = 1024, .type = WIRE_TYPE_VAR_STRING};
    const struct wire_string none = {NULL, 0};
    const struct wire_string fields[IDENTITY_COLUMNS_ASKED] = {
        {player->user.data, player->user.size},
        none,
        player->database.size ? (struct wire_string){player->database.data, player->database.size}
                              : none,
        wire_text("STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,"
                  "NO_ENGINE_SUBSTITUTION"),
        wire_text("utf8mb4"),
        in_block ? wire_text("") : none,
        in_block ? wire_text("1") : none,
        in_block ? wire_text("0") : none,
    };
    struct wire_writer writer = wire_writer_to(out, 1);
    wire_encode_column_count(&writer, player->capabilities, IDENTITY_COLUMNS_ASKED);
    for (int i = 0; i < IDENTITY_COLUMNS_ASKED; i++)
        wire_encode_column_definition(&writer, player->capabilities, &column);
    if (!(player->capabilities & WIRE_CAP(CLIENT_DEPRECATE_EOF)))
        end_rows(player, &writer, 2);
    wire_encode_text_row(&writer, fields, IDENTITY_COLUMNS_ASKED);
    end_rows(player, &writer, in_block ? 2 | more : 2);
    if (in_block) {
        const struct wire_ok ok = {.status = 2};
        wire_encode_ok(&writer, player->capabilities, &ok);
    }
}

static bool begins_with(const struct strbuf *text, size_t from, const char *words)
{
    return text->size >= from + strlen(words) &&
           memcmp(text->data + from, words, strlen(words)) == 0;
}

/* The packet at the start of `asked` is a query of the gateway's. */
static void answer_query(struct player *player, const struct strbuf *asked)
{
    struct strbuf answer = STRBUF_INIT;
    bool has_attributes = player->capabilities & WIRE_CAP(CLIENT_QUERY_ATTRIBUTES);
    size_t text = WIRE_HEADER_BYTES + 1 + (has_attributes ? 2 : 0);
    bool in_block = begins_with(asked, text, "BEGIN NOT ATOMIC SELECT CAST(CURRENT_USER()");
    if (!player->identity_was_asked &&
        (in_block || begins_with(asked, text, "SELECT CAST(CURRENT_USER()"))) {
        answer_identity(player, &answer, in_block);
        player->identity_was_asked = true;
    } else {
        struct wire_writer writer = wire_writer_to(&answer, 1);
        const struct wire_err err = {.code = 1105,
                                     .message = wire_text("a replay has no server to ask")};
        wire_encode_err(&writer, player->capabilities, &err);
    }
    backend_sends(player, &answer);
    strbuf_release(&answer);
}

/* Takes what the gateway has sent to the backend. Returns whether `expected` was among it. */
static bool take_from_gateway(struct player *player, const struct strbuf *expected)
{
    struct strbuf *got = &player->pair.peers[SESSION_BACKEND].got;
    bool found = false;
    size_t least, size;
    while ((size = wire_packet_whole((const uint8_t *)got->data, got->size, &least)) > 0) {
        struct strbuf packet = STRBUF_INIT;
        strbuf_add(&packet, got->data, size);
        strbuf_consume(got, size);
        if (expected && packet.size == expected->size &&
            memcmp(packet.data, expected->data, packet.size) == 0)
            found = true;
        else if (packet.data[3] == 0 && packet.size > WIRE_HEADER_BYTES &&
                 packet.data[WIRE_HEADER_BYTES] == WIRE_COM_QUERY)
            answer_query(player, &packet);
        strbuf_release(&packet);
    }
    return found;
}

/* ---- the login ---- */

static const struct recorded_packet *first_of(const struct exchange *exchange,
                                              enum wire_direction direction)
{
    for (size_t i = 0; i < exchange->count; i++)
        if (exchange->packets[i].direction == direction)
            return &exchange->packets[i];
    return NULL;
}

/* The greeting, with no more than what the recorded client took up: so the replies of the recording
 * have the form that the gateway expects. */
static int make_greeting(struct player *player, struct strbuf *out, struct error *error)
{
    const struct exchange *login = &player->recording->exchanges[0];
    const struct recorded_packet *server = first_of(login, WIRE_FROM_SERVER);
    const struct recorded_packet *client = first_of(login, WIRE_FROM_CLIENT);
    struct wire_greeting greeting;
    struct wire_handshake_response response = {0};
    if (!server || !client ||
        !wire_decode_greeting((const uint8_t *)server->bytes.data + WIRE_HEADER_BYTES,
                              server->bytes.size - WIRE_HEADER_BYTES, &greeting) ||
        !wire_decode_handshake_response((const uint8_t *)client->bytes.data + WIRE_HEADER_BYTES,
                                        client->bytes.size - WIRE_HEADER_BYTES, &response))
        return error_set(error, "the recording does not begin with a login");
    if (greeting.scramble1.size != 8 || greeting.scramble2.size < 12)
        return error_set(error, "the server of the recording is older than any that is relayed");
    greeting.scramble2.size = 12; /* nobody checks the answer to it */
    player->capabilities = greeting.capabilities & response.capabilities;
    greeting.capabilities = player->capabilities;
    strbuf_add(&player->user, response.user.data, response.user.size);
    strbuf_add_text(&player->user, "@%");
    strbuf_add(&player->database, response.database.data, response.database.size);
    strbuf_add_text(&player->line, "login ");
    add_text(&player->line, response.user.data, response.user.size);
    struct wire_writer writer = wire_writer_to(out, 0);
    wire_encode_greeting(&writer, &greeting);
    return out->failed ? error_set(error, "out of memory") : 0;
}

static int play_login(struct player *player, struct error *error)
{
    const struct exchange *login = &player->recording->exchanges[0];
    struct strbuf greeting = STRBUF_INIT;
    bool greeted = false;
    int status = make_greeting(player, &greeting, error);
    for (size_t i = 0; status == 0 && i < login->count && !player->pair.is_over; i++) {
        const struct recorded_packet *packet = &login->packets[i];
        if (packet->direction == WIRE_FROM_CLIENT) {
            client_sends(player, &packet->bytes);
            if (player->pair.peers[SESSION_BACKEND].got.size == 0 && is_kept_waiting(player))
                wait_for_plugin(player);
        } else {
            backend_sends(player, greeted ? &packet->bytes : &greeting);
            greeted = true;
        }
        (void)take_from_gateway(player, NULL);
    }
    strbuf_release(&greeting);
    return status;
}

/* ---- commands ---- */

static void play_reply(struct player *player, const struct exchange *exchange)
{
    for (size_t i = 1; i < exchange->count && !player->pair.is_over; i++) {
        const struct recorded_packet *packet = &exchange->packets[i];
        if (packet->direction == WIRE_FROM_CLIENT)
            client_sends(player, &packet->bytes);
        else
            backend_sends(player, &packet->bytes);
        (void)take_from_gateway(player, &packet->bytes);
    }
}

static void play_exchange(struct player *player, const struct exchange *exchange)
{
    const struct strbuf *command = &exchange->packets[0].bytes;
    client_sends(player, command);
    bool is_forwarded = take_from_gateway(player, command);
    if (!is_forwarded && is_kept_waiting(player)) {
        wait_for_plugin(player);
        is_forwarded = take_from_gateway(player, command);
    }
    if (is_forwarded) {
        play_reply(player, exchange);
        if (exchange->count > 1 && is_kept_waiting(player))
            wait_for_plugin(player);
    }
    if (player->line.size) /* a command without a reply, or whose reply is missing */
        print_line(player);
}

/* ---- the whole ---- */

static int play_all(struct player *player, struct error *error)
{
    const struct recording *recording = player->recording;
    int status = play_login(player, error);
    for (size_t i = 1; status == 0 && i < recording->count && !player->pair.is_over; i++)
        play_exchange(player, &recording->exchanges[i]);
    if (status == 0 && recording->problem[0] && !player->pair.is_over)
        status = error_set(error, "%s", recording->problem);
    return status;
}

int play(struct recording *recording, struct plugin_registry *registry, const char *client,
         FILE *out, struct error *error)
{
    assert(recording && recording->count && registry && client && out);
    struct player player = {.recording = recording,
                            .out = out,
                            .line = STRBUF_INIT,
                            .user = STRBUF_INIT,
                            .database = STRBUF_INIT};
    if (pair_begin(&player.pair, registry, client) < 0)
        return error_set(error, "out of memory");
    wire_tracker_init(&player.view, WIRE_WANT_ALL, VIEW_KEEPS);
    int status = play_all(&player, error);
    pair_end(&player.pair);
    if (status == 0)
        fprintf(out, "end: %s\n", close_reason_message(player.pair.reason));
    wire_tracker_release(&player.view);
    strbuf_release(&player.line);
    strbuf_release(&player.user);
    strbuf_release(&player.database);
    return status;
}
