/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_AUDIT_TEST_H
#define TEST_AUDIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"

/* The text is exactly these words; it is released. */
#define assert_text(text, words)                                                                   \
    do {                                                                                           \
        assert_int_equal((text)->size, strlen(words));                                             \
        assert_memory_equal((text)->data, words, (text)->size);                                    \
        strbuf_release(text);                                                                      \
    } while (0)

/* Makes a new temporary folder; test_folder_remove() removes it with what is in it. */
void test_folder_make(char path[64]);
void test_folder_remove(const char *path);

/* Files end at so many bytes, as on a full disk; 0: no limit. */
void test_limit_files(unsigned long bytes);

#endif
