/* SPDX-License-Identifier: Apache-2.0
 *
 * The session-state block of an OK: what a server with session tracking reports to have changed.
 *
 * A block is a list of entries (type, then data with its length); the data of a system-variables
 * entry is a list of names and values. A relay that asks for more than its client did takes the rest
 * out again, and the bytes of what stays are copied as they are. */
#include <assert.h>

#include "wire/packets.h"

void wire_session_states_begin(struct wire_session_states *states, const uint8_t *block,
                               size_t size)
{
    states->block = wire_reader_of(block, size);
    states->variables = wire_reader_of(NULL, 0);
}

bool wire_session_state_next(struct wire_session_states *states, struct wire_session_state *state)
{
    struct wire_reader *variables = &states->variables;
    *state = (struct wire_session_state){.type = WIRE_SESSION_SYSTEM_VARIABLES};
    while (wire_left(variables) == 0 || variables->failed) {
        if (variables->failed || states->block.failed || wire_left(&states->block) == 0)
            return false;
        state->type = wire_read_u8(&states->block);
        struct wire_string data = wire_read_lenenc_string(&states->block);
        if (states->block.failed)
            return false;
        struct wire_reader inner = wire_reader_of(data.data, data.size);
        switch (state->type) {
        case WIRE_SESSION_SYSTEM_VARIABLES:
            *variables = inner;
            break;
        case WIRE_SESSION_SCHEMA:
        case WIRE_SESSION_STATE_CHANGE:
        case WIRE_SESSION_TRANSACTION_CHARACTERISTICS:
        case WIRE_SESSION_TRANSACTION_STATE:
            state->value = wire_read_lenenc_string(&inner);
            states->block.failed = inner.failed;
            return !inner.failed;
        default:
            state->value = data;
            return true;
        }
    }
    state->name = wire_read_lenenc_string(variables);
    state->value = wire_read_lenenc_string(variables);
    return !variables->failed;
}

/* ---- Reporting less ---- */

/* The pairs of a system-variables entry that are reported, as one entry. */
static void copy_variables(struct wire_writer *writer, struct wire_string data,
                           wire_session_state_filter *is_reported, const void *filter_data)
{
    struct strbuf pairs = STRBUF_INIT;
    struct wire_reader reader = wire_reader_of(data.data, data.size);
    struct wire_session_state state = {.type = WIRE_SESSION_SYSTEM_VARIABLES};
    while (wire_left(&reader) > 0) {
        const uint8_t *from = reader.pos;
        state.name = wire_read_lenenc_string(&reader);
        state.value = wire_read_lenenc_string(&reader);
        if (reader.failed)
            break;
        if (is_reported(&state, filter_data))
            strbuf_add(&pairs, from, (size_t)(reader.pos - from));
    }
    if (pairs.size > 0) {
        wire_write_u8(writer, WIRE_SESSION_SYSTEM_VARIABLES);
        wire_write_lenenc_string(writer, (struct wire_string){pairs.data, pairs.size});
    }
    writer->out->failed = writer->out->failed || pairs.failed;
    strbuf_release(&pairs);
}

static void copy_reported(struct wire_writer *writer, struct wire_string block,
                          wire_session_state_filter *is_reported, const void *filter_data)
{
    struct wire_reader reader = wire_reader_of(block.data, block.size);
    while (wire_left(&reader) > 0) {
        const uint8_t *from = reader.pos;
        struct wire_session_state state = {.type = wire_read_u8(&reader)};
        state.value = wire_read_lenenc_string(&reader);
        if (reader.failed)
            break; /* what cannot be read is left out */
        if (state.type == WIRE_SESSION_SYSTEM_VARIABLES)
            copy_variables(writer, state.value, is_reported, filter_data);
        else if (is_reported(&state, filter_data))
            wire_write_bytes(writer, from, (size_t)(reader.pos - from));
    }
}

void wire_encode_ok_reporting(struct wire_writer *writer, uint64_t capabilities,
                              const struct wire_ok *ok, wire_session_state_filter *is_reported,
                              const void *filter_data)
{
    assert(is_reported);
    struct wire_ok less = *ok;
    struct strbuf block = STRBUF_INIT;
    struct wire_writer states = wire_writer_to(&block, 0);
    if (capabilities & WIRE_CAP(CLIENT_SESSION_TRACK))
        copy_reported(&states, ok->session_state, is_reported, filter_data);
    less.session_state = (struct wire_string){block.data, block.size};
    if (block.size == 0)
        less.status &= (uint16_t)~WIRE_SERVER_SESSION_STATE_CHANGED;
    wire_encode_ok(writer, capabilities, &less);
    writer->out->failed = writer->out->failed || block.failed;
    strbuf_release(&block);
}
