/* SPDX-License-Identifier: Apache-2.0
 *
 * Complaints about a plugin: each message once a second, repetitions counted, none lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "plugin/host/complaints.h"

#define SECOND 1000000000U

static char path[] = "/tmp/weir-complaints-XXXXXX";

static int open_log(void **state)
{
    struct error error;
    int file = mkstemp(path);
    *state = calloc(1, sizeof(struct complaints));
    complaints_init(*state);
    return file < 0 || close(file) || log_open(path, &error);
}

static int close_log(void **state)
{
    free(*state);
    return unlink(path);
}

/* The log so far, without times, from where it was last asked for. */
static const char *logged(void)
{
    static char text[8192];
    static long offset;
    size_t size = 0;
    FILE *file = fopen(path, "r");
    char line[1024];
    text[0] = '\0';
    fseek(file, offset, SEEK_SET);
    while (size < sizeof text && fgets(line, sizeof line, file))
        size +=
            (size_t)snprintf(text + size, sizeof text - size, "%s", strstr(line, "plugin: ") + 8);
    offset = ftell(file);
    fclose(file);
    return text;
}

static void repetitions_are_counted_and_hide_no_other_message(void **state)
{
    struct complaints *complaints = *state;
    for (int i = 0; i < 5; i++)
        complaints_add(complaints, "p", SECOND + (unsigned)i, "one");
    complaints_add(complaints, "p", SECOND + 9, "two");
    assert_string_equal(logged(), "p one\np two\n");
    complaints_add(complaints, "p", 2U * SECOND, "one");
    assert_string_equal(logged(), "p one (4 more times)\np one\n");
    complaints_add(complaints, "p", 2U * SECOND + 1, "one");
    complaints_add(complaints, "p", 4LU * SECOND, "two");
    assert_string_equal(logged(), "p one (1 more times)\np two\n");
}

static void more_messages_than_places_lose_no_count(void **state)
{
    struct complaints *complaints = *state;
    char message[32];
    for (int i = 0; i < 2 * COMPLAINTS_KEPT; i++) {
        snprintf(message, sizeof message, "number %d", i);
        complaints_add(complaints, "q", 9LU * SECOND + (unsigned)i, message);
        complaints_add(complaints, "q", 9LU * SECOND + (unsigned)i, message);
    }
    complaints_end(complaints, "q");
    const char *log = logged();
    for (int i = 0; i < 2 * COMPLAINTS_KEPT; i++) {
        snprintf(message, sizeof message, "q number %d\n", i);
        assert_non_null(strstr(log, message));
        snprintf(message, sizeof message, "q number %d (1 more times)\n", i);
        assert_non_null(strstr(log, message));
    }
}

static void a_long_message_is_cut_and_counted_as_itself(void **state)
{
    char message[2 * COMPLAINT_BYTES];
    memset(message, 'x', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    complaints_add(*state, "r", 90LU * SECOND, message);
    complaints_add(*state, "r", 90LU * SECOND, message);
    assert_int_equal(strlen(logged()), strlen("r \n") + COMPLAINT_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repetitions_are_counted_and_hide_no_other_message),
        cmocka_unit_test(more_messages_than_places_lose_no_count),
        cmocka_unit_test(a_long_message_is_cut_and_counted_as_itself),
    };
    return cmocka_run_group_tests(tests, open_log, close_log);
}
