/* SPDX-License-Identifier: Apache-2.0
 *
 * Arbitrary key logs and arbitrary records, through the reader of TLS connections.
 *
 * Input: two bytes of the size of the key log, its text, then pieces: a byte of direction (its lowest
 * bit), two bytes of size, that many bytes. The corpus holds whole connections with their keys. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/tls/trace_tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned sum;

static void swallow(void *context, enum wire_direction direction, const uint8_t *bytes, size_t size)
{
    assert(context == &sum && (unsigned)direction <= WIRE_FROM_SERVER);
    for (size_t i = 0; i < size; i++)
        sum += bytes[i];
}

static struct keylog *open_keylog(const uint8_t *text, size_t size, int *file)
{
    char path[64];
    struct error error = {""};
    *file = memfd_create("keylog", 0);
    assert(*file >= 0 && write(*file, text, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", *file);
    return keylog_open(path, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_reader r = wire_reader_of(data, size);
    struct wire_string text = wire_read_bytes(&r, wire_read_u16(&r));
    int file;
    if (r.failed)
        return 0;
    struct keylog *keylog = open_keylog((const uint8_t *)text.data, text.size, &file);
    struct tls_reader *reader = tls_reader_new(keylog, swallow, &sum);
    while (wire_left(&r) > 0) {
        enum wire_direction direction = wire_read_u8(&r) & 1 ? WIRE_FROM_SERVER : WIRE_FROM_CLIENT;
        struct wire_string piece = wire_read_bytes(&r, wire_read_u16(&r));
        if (r.failed)
            break;
        uint8_t *copy = malloc(piece.size ? piece.size : 1);
        memcpy(copy, piece.data, piece.size);
        tls_reader_bytes(reader, direction, copy, piece.size);
        free(copy);
    }
    tls_reader_end(reader);
    tls_reader_free(reader);
    keylog_close(keylog);
    close(file);
    return 0;
}
