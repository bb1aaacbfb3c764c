/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as ip_filter's file of rules: refused with one sentence that begins with the file's
 * name, or right enough to decide about addresses, which are the input's own last bytes. */
#include <string.h>

#include "input_file.h"
#include "networks.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct error error = {""};
    char **databases;
    const char *path = input_file(bytes, size);
    struct networks *networks = networks_read(path, &error);
    assert(networks || strncmp(error.message, path, strlen(path)) == 0);
    for (size_t length = 4; networks && length <= 16; length += 12) {
        struct client client = {.size = length, .user = (const char *)bytes, .country = "DE"};
        client.user_size = size < 8 ? size : 8;
        size_t known = size < length ? size : length;
        if (known)
            memcpy(client.address, bytes + size - known, known);
        client.now.tm_wday = (int)(size % 7);
        client.now.tm_hour = (int)(size % 24);
        networks_pass(networks, &client, &databases);
        for (size_t i = 0; databases && databases[i]; i++)
            assert(*databases[i]);
    }
    networks_free(networks);
    return 0;
}
