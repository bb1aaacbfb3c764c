/* SPDX-License-Identifier: Apache-2.0
 *
 * Arbitrary recordings, through weir-replay's exchanges and a session of the gateway.
 *
 * Input: pieces: a byte of direction (its lowest bit), two bytes of size, that many bytes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../../cmd/weir-replay/player.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct plugin_registry *registry;
static FILE *nowhere;

static void set_up(void)
{
    const struct plugin_options options = {.load = NULL};
    struct error error = {""};
    log_set_level(LOG_LEVEL_ERROR);
    registry = plugin_registry_load(&options, &error);
    nowhere = fopen("/dev/null", "w");
    assert(registry && nowhere);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_reader r = wire_reader_of(data, size);
    struct recording recording;
    struct error error = {""};
    if (!registry)
        set_up();
    recording_begin(&recording);
    while (wire_left(&r) > 0) {
        enum wire_direction direction = wire_read_u8(&r) & 1 ? WIRE_FROM_SERVER : WIRE_FROM_CLIENT;
        struct wire_string piece = wire_read_bytes(&r, wire_read_u16(&r));
        if (r.failed)
            break;
        uint8_t *copy = malloc(piece.size ? piece.size : 1);
        memcpy(copy, piece.data, piece.size);
        recording_bytes(&recording, direction, copy, piece.size);
        free(copy);
    }
    (void)!play(&recording, registry, "127.0.0.1", nowhere, &error);
    recording_release(&recording);
    return 0;
}
