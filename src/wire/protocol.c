/* SPDX-License-Identifier: Apache-2.0
 *
 * Look-ups in the lists of protocol.h. The per-packet ones are indexed arrays. */
#include "wire/protocol.h"

static const struct {
    const char *name;
    enum wire_reply_shape shape;
    enum wire_error_place place;
} commands[256] = {
#define X(code, enumerator, name, shape, place)                                                    \
    [code] = {name, WIRE_REPLY_##shape, WIRE_ERROR_##place},
    WIRE_COMMANDS(X)
#undef X
};

#define X(code, enumerator, name, shape, place)                                                    \
    _Static_assert((WIRE_REPLY_##shape == WIRE_REPLY_NONE) ==                                      \
                       (WIRE_ERROR_##place != WIRE_ERROR_IN_REPLY),                                \
                   name ": an error is in the reply where there is one");
WIRE_COMMANDS(X)
#undef X

const char *wire_command_name(uint8_t code)
{
    return commands[code].name ? commands[code].name : "Unknown";
}

enum wire_reply_shape wire_command_reply_shape(uint8_t code)
{
    return commands[code].name ? commands[code].shape : WIRE_REPLY_ONE;
}

enum wire_error_place wire_command_error_place(uint8_t code)
{
    return commands[code].name ? commands[code].place : WIRE_ERROR_IN_REPLY;
}

uint64_t wire_relayed_capabilities(void)
{
    static const uint64_t mask = 0
#define X(bit, name, relayed) | ((uint64_t)(relayed) << (bit))
        WIRE_CAPABILITIES(X)
#undef X
        ;
    return mask;
}

const char *wire_capability_insisted_on(uint64_t set, uint64_t offered, const char **remedy)
{
    static const struct {
        uint64_t mask;
        const char *name, *remedy;
    } insistences[] = {
#define X(name, remedy) {WIRE_CAP(name), #name, remedy},
        WIRE_INSISTENCES(X)
#undef X
    };
    for (size_t i = 0; i < sizeof insistences / sizeof *insistences; i++)
        if (set & ~offered & insistences[i].mask) {
            *remedy = insistences[i].remedy;
            return insistences[i].name;
        }
    return NULL;
}

const char *wire_capability_name(unsigned bit)
{
    static const char *const names[64] = {
#define X(number, name, relayed) [number] = #name,
        WIRE_CAPABILITIES(X)
#undef X
    };
    return bit < 64 ? names[bit] : NULL;
}

static const struct wire_field_type_info field_types[256] = {
#define X(code, name, layout, width) [code] = {#name, layout, width},
    WIRE_FIELD_TYPES(X)
#undef X
};

const struct wire_field_type_info *wire_field_type_info(uint8_t type)
{
    return field_types[type].name ? &field_types[type] : NULL;
}

const char *wire_session_state_name(uint64_t type)
{
    switch (type) {
#define X(code, enumerator, name)                                                                  \
    case code:                                                                                     \
        return name;
        WIRE_SESSION_STATES(X)
#undef X
    default:
        return "unknown";
    }
}
