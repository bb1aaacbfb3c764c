/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_FILTER_TEST_H
#define TEST_FILTER_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "networks.h"

/* Reads rules from a temporary file. NULL: the problem, without the file's name. */
static inline struct networks *test_read(const char *text, size_t size, struct error *error)
{
    char path[] = "/tmp/test_ip_filter.XXXXXX";
    struct error whole = {""};
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, size), size);
    close(descriptor);
    struct networks *networks = networks_read(path, &whole);
    unlink(path);
    if (!networks)
        assert_memory_equal(whole.message, path, strlen(path));
    error_set(error, "%s", networks ? "" : whole.message + strlen(path));
    return networks;
}

#endif
