/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as sql_firewall's allow-lists: refused with one sentence that begins with the file's
 * name, or lists that are the same after they have been written and read again. */
#include <stdlib.h>
#include <string.h>

#include "allow_list.h"
#include "input_file.h"

static void compare(const struct allow_lists *lists)
{
    char path[] = "/tmp/fuzz_allow_list.XXXXXX";
    struct error error = {""};
    bool is_torn;
    int descriptor = mkstemp(path);
    assert(descriptor >= 0);
    close(descriptor);
    assert(allow_lists_write(lists, path, NULL, &error));
    struct allow_lists *again = allow_lists_read(path, &is_torn, &error);
    assert(again && !is_torn);
    assert(allow_lists_count(again) == allow_lists_count(lists));
    allow_lists_free(again);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct error error = {""};
    bool is_torn;
    const char *path = input_file(bytes, size);
    struct allow_lists *lists = allow_lists_read(path, &is_torn, &error);
    assert(lists || strncmp(error.message, path, strlen(path)) == 0);
    if (lists && allow_lists_count(lists) > 0)
        compare(lists);
    allow_lists_free(lists);
    return 0;
}
