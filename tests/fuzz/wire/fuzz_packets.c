/* SPDX-License-Identifier: Apache-2.0
 *
 * Arbitrary bytes through every decoder and iterator. Input: a byte that selects the decoder, eight
 * of capabilities, the payload. Whatever is decoded must lie within the payload. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct payload {
    const uint8_t *bytes;
    size_t size;
    uint64_t capabilities;
};

static void inside(const struct payload *p, struct wire_string text)
{
    const uint8_t *start = (const uint8_t *)text.data;
    if (text.size == 0)
        return;
    assert(start >= p->bytes && start <= p->bytes + p->size);
    assert(text.size <= (size_t)(p->bytes + p->size - start));
}

static void try_login(const struct payload *p)
{
    struct wire_greeting greeting;
    struct wire_handshake_response response;
    struct wire_change_user change;
    struct wire_auth_switch request;
    struct wire_string name, value;
    if (wire_decode_greeting(p->bytes, p->size, &greeting)) {
        inside(p, greeting.server_version);
        inside(p, greeting.scramble2);
        inside(p, greeting.plugin);
    }
    if (wire_decode_handshake_response(p->bytes, p->size, &response)) {
        inside(p, response.user);
        inside(p, response.auth_response);
        inside(p, response.database);
        inside(p, response.plugin);
        inside(p, response.attributes);
        struct wire_reader r = wire_reader_of(response.attributes.data, response.attributes.size);
        while (wire_attribute_next(&r, &name, &value)) {
            inside(p, name);
            inside(p, value);
        }
    }
    if (wire_decode_change_user(p->bytes, p->size, p->capabilities, &change)) {
        inside(p, change.user);
        inside(p, change.database);
        inside(p, change.attributes);
    }
    if (wire_decode_auth_switch(p->bytes, p->size, &request))
        inside(p, request.data);
}

static void try_replies(const struct payload *p)
{
    struct wire_ok ok;
    struct wire_err err;
    struct wire_eof eof;
    struct wire_column_count count;
    struct wire_column_definition column;
    struct wire_prepare_ok prepare;
    struct wire_progress progress;
    struct wire_session_states states;
    struct wire_session_state change;
    struct wire_string field;
    if (wire_decode_ok(p->bytes, p->size, p->capabilities, &ok)) {
        inside(p, ok.info);
        inside(p, ok.session_state);
        wire_session_states_begin(&states, (const uint8_t *)ok.session_state.data,
                                  ok.session_state.size);
        while (wire_session_state_next(&states, &change)) {
            inside(p, change.name);
            inside(p, change.value);
        }
    }
    wire_session_states_begin(&states, p->bytes, p->size);
    while (wire_session_state_next(&states, &change))
        inside(p, change.value);
    if (wire_decode_err(p->bytes, p->size, &err))
        inside(p, err.message);
    unsigned decoded = wire_decode_eof(p->bytes, p->size, &eof);
    decoded += wire_decode_column_count(p->bytes, p->size, p->capabilities, &count);
    if (wire_decode_column_definition(p->bytes, p->size, p->capabilities, &column)) {
        inside(p, column.name);
        inside(p, column.extended);
    }
    decoded += wire_decode_prepare_ok(p->bytes, p->size, p->capabilities, &prepare);
    assert(decoded <= 3);
    if (wire_decode_progress(p->bytes, p->size, &progress))
        inside(p, progress.info);
    struct wire_reader row = wire_reader_of(p->bytes, p->size);
    while (wire_text_field_next(&row, &field))
        inside(p, field);
}

static void walk(const struct payload *p, struct wire_parameters *parameters)
{
    struct wire_parameter parameter;
    struct strbuf text = STRBUF_INIT;
    while (wire_parameter_next(parameters, &parameter)) {
        inside(p, parameter.raw);
        inside(p, parameter.name);
        if (wire_parameter_text(&parameter, &text))
            assert(!text.failed);
        strbuf_reset(&text);
    }
    strbuf_release(&text);
}

static void try_parameters(const struct payload *p)
{
    static const uint8_t long_data[] = {0x24};
    struct wire_query query;
    struct wire_execute execute;
    struct wire_bulk_execute bulk;
    struct wire_string remembered = {(const char *)p->bytes, p->size < 12 ? p->size : 12};
    if (wire_decode_query(p->bytes, p->size, p->capabilities, &query)) {
        inside(p, query.text);
        walk(p, &query.attributes);
    }
    for (uint32_t prepared = 0; prepared < 7; prepared += 3) {
        if (wire_execute_begin(&execute, p->bytes, p->size, p->capabilities, prepared, remembered,
                               long_data))
            walk(p, &execute.parameters);
        if (wire_bulk_execute_begin(&bulk, p->bytes, p->size, prepared, remembered))
            walk(p, &bulk.parameters);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 9)
        return 0;
    struct payload p = {.size = size - 9};
    uint8_t *copy = malloc(p.size ? p.size : 1);
    memcpy(&p.capabilities, data + 1, sizeof p.capabilities);
    memcpy(copy, data + 9, p.size);
    p.bytes = copy;
    switch (data[0] % 3) {
    case 0:
        try_login(&p);
        break;
    case 1:
        try_replies(&p);
        break;
    default:
        try_parameters(&p);
        break;
    }
    free(copy);
    return 0;
}
