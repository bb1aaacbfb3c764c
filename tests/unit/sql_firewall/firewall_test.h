/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of sql_firewall share: a server's answers, a folder, and statements. */
#ifndef TEST_FIREWALL_TEST_H
#define TEST_FIREWALL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "allow_list.h"
#include "rules.h"
#include "statement.h"
#include "text_session.h"

/* cmocka's setup and teardown: *state is the name of a new folder, of at most 60 bytes. */
int test_folder_make(void **state);
int test_folder_remove(void **state);

/* A path in it, until the fourth call after this. */
const char *test_path(void **state, const char *name);
void test_write(const char *path, const char *text, size_t size);

/* Reads a rules file of this text, which must be right. Returns owned. */
struct rules *test_read_rules(void **state, const char *text);
char *test_read(const char *path); /* returns owned, NUL-terminated */

/* A statement of app@% in the database shop; borrows the text. Ended by text_session_close(). */
void test_statement(struct text_session *session, struct statement *statement, const char *text,
                    size_t size);

/* Makes a key of a number. */
struct key test_key(unsigned number);

#endif
