/* SPDX-License-Identifier: Apache-2.0
 *
 * Catching what a plugin throws. Frames of the host that lie between are C and own nothing that an
 * exception would have to free: they are the callbacks that are called here, and nothing else. */
#include "plugin/host/guard.h"

#include <cstdio>
#include <exception>

static weir_verdict failed(const char *what)
{
    char message[512];
    int length = std::snprintf(message, sizeof message, "a C++ exception left it: %s", what);
    size_t size = length < 0 ? 0 : static_cast<size_t>(length);
    plugin_report_failure(nullptr, message, size < sizeof message ? size : sizeof message - 1);
    return WEIR_FAIL;
}

weir_verdict plugin_guard(plugin_callback *callback, void *arguments)
{
    try {
        return callback(arguments);
    } catch (const std::exception &exception) {
        return failed(exception.what());
    } catch (...) {
        return failed("one that is no std::exception");
    }
}
