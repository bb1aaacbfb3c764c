/* SPDX-License-Identifier: Apache-2.0
 *
 * Arbitrary bytes as a recording, plain or gzipped, replayed into a trace session. */
#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/capture/trace_capture.h"
#include "trace/protocol/trace_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct st_mysql_client_plugin_TRACE plugin = {.type = MYSQL_CLIENT_TRACE_PLUGIN,
                                                     .name = "fuzz"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct trace_options options = {.keep_limit = 4096, .tls_is_opaque = true};
    const struct trace_session_info info = {.host = "fuzz"};
    struct error error = {""};
    enum wire_direction direction;
    const uint8_t *bytes;
    size_t piece;
    int status;
    char path[64];
    int descriptor = memfd_create("fuzz", 0);
    assert(descriptor >= 0 && write(descriptor, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    struct wirefile *file = wirefile_open(path, &error);
    struct trace_session *session = trace_session_begin(&plugin, &info, &options);
    assert(file && session);
    while ((status = wirefile_next(file, &direction, &bytes, &piece, &error)) == 1)
        trace_session_bytes(session, direction, bytes, piece);
    assert(status == 0 || error.message[0]);
    trace_session_end(session);
    wirefile_close(file);
    close(descriptor);
    return 0;
}
