/* SPDX-License-Identifier: Apache-2.0
 *
 * The file sink: modes, torn ends, rotation, reopening, formats, and files that vanish. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit_test.h"
#include "rotate.h"
#include "sink.h"

static char folder[64], path[80];
static struct error failure;
static struct sink_options options;

static int setup(void **state)
{
    (void)state;
    test_folder_make(folder);
    snprintf(path, sizeof path, "%s/audit.log", folder);
    memset(&options, 0, sizeof options);
    options.file = path;
    failure.message[0] = '\0';
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_folder_remove(folder);
    return 0;
}

static struct sink *open_log(const struct format *format, struct sink_end *end)
{
    *end = (struct sink_end){0};
    struct sink *sink = sink_file.open(&options, format, end, &failure);
    if (!sink)
        print_error("%s\n", failure.message);
    return sink;
}

static int write_lines(struct sink *sink, const char *lines)
{
    size_t taken;
    int status = sink_file.commit(sink, lines, strlen(lines), false, &taken, &failure);
    assert_int_equal(taken, status == 0 ? strlen(lines) : 0);
    return status;
}

static struct strbuf content_of(const char *file)
{
    struct strbuf text = {0};
    char block[4096];
    FILE *stream = fopen(file, "r");
    assert_non_null(stream);
    for (size_t got; (got = fread(block, 1, sizeof block, stream)) > 0;)
        strbuf_add(&text, block, got);
    fclose(stream);
    return text;
}

static void assert_content(const char *file, const char *words)
{
    struct strbuf text = content_of(file);
    assert_text(&text, words);
}

static void put_file(const char *content, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    close(fd);
}

#define ONE   "{\"seq\":1,\"x\":1}\n"
#define TWO   "{\"seq\":2,\"x\":1}\n"
#define THREE "{\"seq\":3,\"x\":1}\n"

static void test_a_new_file_is_for_its_owner_only(void **state)
{
    (void)state;
    struct sink_end end;
    struct stat status;
    mode_t mask = umask(0);
    struct sink *sink = open_log(&format_json, &end);
    umask(mask);
    assert_int_equal(end.sequence, 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(write_lines(sink, ONE), 0);
    sink_file.close(sink);
    assert_content(path, ONE);
}

static void test_a_log_goes_on_at_its_end(void **state)
{
    (void)state;
    struct sink_end end;
    char link[CHAIN_TEXT_BYTES];
    put_file(ONE TWO, 0600);
    sink_file.close(open_log(&format_json, &end));
    chain_of(TWO, strlen(TWO) - 1, link);
    assert_int_equal(end.sequence, 2);
    assert_string_equal(end.chain, link);
    assert_int_equal(end.torn_bytes, 0);
}

static void test_a_torn_end_is_cut_off_wherever_it_is_torn(void **state)
{
    (void)state;
    for (size_t torn = 0; torn < strlen(THREE); torn++) {
        struct sink_end end;
        char content[200];
        snprintf(content, sizeof content, "%s%.*s", ONE TWO, (int)torn, THREE);
        put_file(content, 0600);
        sink_file.close(open_log(&format_json, &end));
        assert_int_equal(end.sequence, 2);
        assert_int_equal(end.torn_bytes, torn);
        assert_content(path, ONE TWO);
    }
    struct sink_end end;
    put_file("{\"seq\":1,\"ti", 0600);
    sink_file.close(open_log(&format_json, &end));
    assert_int_equal(end.sequence, 0);
    assert_content(path, "");
}

static void test_long_last_lines_are_found(void **state)
{
    (void)state;
    struct strbuf text = {0};
    struct sink_end end;
    strbuf_add_text(&text, ONE "{\"seq\":2,\"sql\":\"");
    for (int i = 0; i < 300000; i++)
        strbuf_add_byte(&text, 'x');
    strbuf_add_text(&text, "\"}\n");
    strbuf_add(&text, "", 1);
    put_file(text.data, 0600);
    sink_file.close(open_log(&format_json, &end));
    assert_int_equal(end.sequence, 2);
    strbuf_release(&text);
}

static void test_a_foreign_file_is_refused(void **state)
{
    (void)state;
    struct sink_end end = {0};
    put_file("root:x:0:0:root:/root:/bin/sh\n", 0600);
    assert_null(sink_file.open(&options, &format_json, &end, &failure));
    assert_non_null(strstr(failure.message, "is no audit log"));
    assert_content(path, "root:x:0:0:root:/root:/bin/sh\n");
    unlink(path);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_null(sink_file.open(&options, &format_json, &end, &failure));
}

static void test_a_second_server_is_refused(void **state)
{
    (void)state;
    struct sink_end end;
    struct sink *sink = open_log(&format_json, &end);
    assert_null(sink_file.open(&options, &format_json, &end, &failure));
    assert_non_null(strstr(failure.message, "in use by another process"));
    sink_file.close(sink);
}

static void test_rotation_by_size(void **state)
{
    (void)state;
    struct sink_end end;
    struct rotate_list list;
    atomic_store(&options.rotate_on_size, 2 * strlen(ONE));
    struct sink *sink = open_log(&format_json, &end);
    assert_int_equal(write_lines(sink, ONE), 0);
    assert_int_equal(write_lines(sink, TWO), 0);
    assert_int_equal(write_lines(sink, THREE), 0);
    sink_file.close(sink);
    assert_content(path, THREE);
    assert_int_equal(rotate_list(path, &list), 0);
    assert_int_equal(list.count, 1);
    assert_content(list.paths[0], ONE TWO);
    rotate_list_release(&list);
    /* An empty log goes on where the rotated one ended. */
    put_file("", 0600);
    sink_file.close(open_log(&format_json, &end));
    assert_int_equal(end.sequence, 2);
}

/* Fills one of the files beside the log, and gives it a time of its own; seconds: how long ago. */
static void put_beside(const char *suffix, const char *text, time_t seconds)
{
    char *beside = NULL;
    assert_true(asprintf(&beside, "%s%s", path, suffix) > 0);
    FILE *file = fopen(beside, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
    const struct timespec time = {.tv_sec = 1800000000 - seconds};
    assert_int_equal(utimensat(AT_FDCWD, beside, (struct timespec[]){time, time}, 0), 0);
    free(beside);
}

static void assert_listed(const struct rotate_list *list, const char *const *suffixes, size_t count)
{
    assert_int_equal(list->count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(list->paths[i] + strlen(path), suffixes[i]);
}

static void
test_what_logrotate_has_moved_is_listed_oldest_first_and_is_not_the_plugins(void **state)
{
    (void)state;
    /* Numbers, not names, say which is older. Who began with one way and went on with another is seen from the times. */
    static const char *const oldest_first[] = {
        "-20251231.gz",
        "-20260101",
        "-20260101-1700000000",
        "-2026010223",
        ".20260131T110000.000000Z",
        ".10.gz",
        ".9",
        ".2",
        ".1",
        ".20260131T120000.000000Z.gz",
    };
    static const char *const foreign[] = {".1.xz",
                                          ".1.",
                                          ".",
                                          "-",
                                          ".old",
                                          "-1",
                                          "-2026",
                                          "-20260101x",
                                          ".1x",
                                          "1",
                                          "-20260131T110000.000000Z"};
    struct rotate_list list;
    const size_t count = sizeof oldest_first / sizeof *oldest_first;
    for (size_t i = 0; i < count; i++)
        put_beside(oldest_first[i], "", (time_t)(count - i));
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        put_beside(foreign[i], "", 0);
    assert_int_equal(rotate_list_all(path, &list), 0);
    assert_listed(&list, oldest_first, count);
    rotate_list_release(&list);
    assert_int_equal(rotate_list(path, &list), 0);
    assert_listed(
        &list, (const char *const[]){".20260131T110000.000000Z", ".20260131T120000.000000Z.gz"}, 2);
    rotate_list_release(&list);
}

/* The new file is empty when the gateway was not there while logrotate moved the old one: numbers began again. */
static void test_an_empty_log_goes_on_where_the_one_that_logrotate_has_moved_ended(void **state)
{
    (void)state;
    struct sink_end end;
    put_file("", 0600);
    put_beside(".2", ONE, 2);
    put_beside(".1", TWO, 1);
    sink_file.close(open_log(&format_json, &end));
    assert_int_equal(end.sequence, 2);
    put_beside(".1", "", 1); /* what has no record ends nothing */
    put_beside(".2", ONE, 2);
    sink_file.close(open_log(&format_json, &end));
    assert_int_equal(end.sequence, 1);
}

/* A unit of many lines made a file of any size. */
static void test_a_unit_is_cut_at_lines_where_the_file_is_full(void **state)
{
    (void)state;
    struct sink_end end;
    struct rotate_list list;
    atomic_store(&options.rotate_on_size, 2 * strlen(ONE) + 3);
    struct sink *sink = open_log(&format_json, &end);
    assert_non_null(sink);
    assert_int_equal(write_lines(sink, ONE), 0);
    assert_int_equal(write_lines(sink, TWO THREE ONE TWO THREE), 0);
    assert_int_equal(rotate_list(path, &list), 0);
    assert_int_equal(list.count, 2);
    assert_content(list.paths[0], ONE TWO);
    assert_content(list.paths[1], THREE ONE);
    assert_content(path, TWO THREE);
    rotate_list_release(&list);
    atomic_store(&options.rotate_on_size, 1); /* smaller than any line: a file for each */
    assert_int_equal(write_lines(sink, ONE TWO), 0);
    assert_content(path, TWO);
    sink_file.close(sink);
}

static void test_rotated_files_are_compressed_and_only_some_are_kept(void **state)
{
    (void)state;
    struct sink_end end;
    struct rotate_list list;
    atomic_store(&options.rotate_on_size, 1);
    atomic_store(&options.keep_files, 3);
    atomic_store(&options.compress, true);
    struct sink *sink = open_log(&format_json, &end);
    for (int i = 0; i < 10; i++)
        assert_int_equal(write_lines(sink, ONE), 0);
    for (int tries = 0; tries < 5000; tries++) {
        assert_int_equal(rotate_list(path, &list), 0);
        bool done = list.count == 3 && strstr(list.paths[0], ".gz") &&
                    strstr(list.paths[1], ".gz") && strstr(list.paths[2], ".gz");
        if (done)
            break;
        rotate_list_release(&list);
        usleep(1000);
    }
    assert_int_equal(list.count, 3);
    rotate_list_release(&list);
    sink_file.close(sink);
    put_file("", 0600);
    sink_file.close(open_log(&format_json, &end)); /* reads the compressed one */
    assert_int_equal(end.sequence, 1);
}

static void test_names_that_are_not_ours_are_left_alone(void **state)
{
    (void)state;
    static const char *const names[] = {"audit.log.1",
                                        "audit.log.2.gz",
                                        "audit.log.20260131T235959.12345Z",
                                        "audit.log.20260131T235959.123456Z.bz2",
                                        "audit.logs",
                                        "other"};
    struct rotate_list list;
    char name[200];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        close(open(name, O_WRONLY | O_CREAT, 0600));
    }
    snprintf(name, sizeof name, "%s.20260131T235959.123456Z", path);
    close(open(name, O_WRONLY | O_CREAT, 0600));
    assert_int_equal(rotate_list(path, &list), 0);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.paths[0], name);
    rotate_list_release(&list);
}

static void test_reopening_after_a_rename(void **state)
{
    (void)state;
    struct sink_end end;
    char moved[100];
    snprintf(moved, sizeof moved, "%s/moved", folder);
    struct sink *sink = open_log(&format_json, &end);
    assert_int_equal(write_lines(sink, ONE), 0);
    assert_int_equal(sink_file.reopen(sink, &failure), 0); /* the same file: nothing happens */
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(write_lines(sink, TWO), 0); /* not yet reopened */
    assert_int_equal(sink_file.reopen(sink, &failure), 0);
    assert_int_equal(write_lines(sink, THREE), 0);
    sink_file.close(sink);
    assert_content(moved, ONE TWO);
    assert_content(path, THREE);
}

static void test_a_removed_file_and_a_removed_folder(void **state)
{
    (void)state;
    struct sink_end end;
    struct sink *sink = open_log(&format_json, &end);
    assert_int_equal(write_lines(sink, ONE), 0);
    unlink(path);
    assert_int_equal(write_lines(sink, TWO), 0);
    assert_true(sink->was_removed);
    assert_content(path, TWO);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(write_lines(sink, THREE), -1);
    assert_non_null(strstr(failure.message, "No such file or directory"));
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(write_lines(sink, THREE), 0);
    assert_content(path, THREE);
    sink_file.close(sink);
}

/* A full disk, imitated by a limit on the size of files: the part that fitted is cut off again. */
static void test_a_commit_is_there_whole_or_not_at_all(void **state)
{
    (void)state;
    struct sink_end end;
    struct strbuf many = {0};
    struct sink *sink = open_log(&format_json, &end);
    assert_int_equal(write_lines(sink, ONE), 0);
    for (int i = 0; i < 1000; i++)
        strbuf_add_text(&many, TWO);
    strbuf_add(&many, "", 1);
    test_limit_files(4096);
    assert_int_equal(write_lines(sink, many.data), -1);
    assert_content(path, ONE);
    test_limit_files(0);
    assert_int_equal(write_lines(sink, TWO), 0);
    assert_content(path, ONE TWO);
    sink_file.close(sink);
    strbuf_release(&many);
}

#define MYSQL_ONE "{\"id\":1,\"x\":1}"
#define MYSQL_TWO "{\"id\":2,\"x\":1}"

static void test_mysql_json_is_an_array_whenever_it_is_closed(void **state)
{
    (void)state;
    struct sink_end end;
    struct sink *sink = open_log(&format_mysql_json, &end);
    sink_file.close(sink);
    assert_content(path, "[\n]\n");
    sink = open_log(&format_mysql_json, &end);
    assert_int_equal(write_lines(sink, MYSQL_ONE ",\n"), 0);
    assert_content(path, "[\n" MYSQL_ONE ",\n");
    sink_file.close(sink);
    assert_content(path, "[\n" MYSQL_ONE "\n]\n");
    sink = open_log(&format_mysql_json, &end);
    assert_int_equal(end.sequence, 1);
    assert_int_equal(write_lines(sink, MYSQL_TWO ",\n"), 0);
    sink_file.close(sink);
    assert_content(path, "[\n" MYSQL_ONE ",\n" MYSQL_TWO "\n]\n");
}

/* "]" at the end of another line is not the array's end. */
static void test_a_closing_within_a_line_is_none(void **state)
{
    (void)state;
    struct sink_end end;
    put_file("[\n{\"id\":1,\"class\":\"audit\"},\n{]\n", 0600);
    struct sink *sink = open_log(&format_mysql_json, &end);
    assert_non_null(sink);
    assert_int_equal(end.sequence, 1);
    assert_int_equal(end.torn_bytes, 0);
    assert_int_equal(write_lines(sink, "{\"id\":2,\"class\":\"audit\"},\n"), 0);
    assert_content(path,
                   "[\n{\"id\":1,\"class\":\"audit\"},\n{]\n{\"id\":2,\"class\":\"audit\"},\n");
    sink_file.close(sink);
}

static void test_rotation_on_demand_names_the_old_file(void **state)
{
    (void)state;
    struct sink_end end;
    struct strbuf name = {0};
    struct sink *sink = open_log(&format_json, &end);
    write_lines(sink, "{\"seq\":1,\"a\":1}\n");
    assert_int_equal(sink_file.rotate(sink, &name, &failure), 0);
    strbuf_add_byte(&name, '\0');
    assert_content(name.data, "{\"seq\":1,\"a\":1}\n");
    assert_content(path, "");
    strbuf_release(&name);
    sink_file.close(sink);
}

static void test_another_format_begins_another_file(void **state)
{
    (void)state;
    struct sink_end end;
    struct rotate_list list;
    put_file(ONE TWO, 0600);
    struct sink *sink = open_log(&format_mysql_json, &end);
    assert_int_equal(end.sequence, 2);
    assert_int_equal(write_lines(sink, MYSQL_ONE ",\n"), 0);
    assert_int_equal(sink_file.set_format(sink, &format_csv, &failure), 0);
    sink_file.close(sink);
    assert_content(path, format_csv.opening);
    assert_int_equal(rotate_list(path, &list), 0);
    assert_int_equal(list.count, 2);
    assert_content(list.paths[0], ONE TWO);
    assert_content(list.paths[1], "[\n" MYSQL_ONE "\n]\n");
    rotate_list_release(&list);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_closing_within_a_line_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rotation_on_demand_names_the_old_file, setup,
                                        teardown),
        TEST(test_a_new_file_is_for_its_owner_only),
        TEST(test_a_log_goes_on_at_its_end),
        TEST(test_a_torn_end_is_cut_off_wherever_it_is_torn),
        TEST(test_long_last_lines_are_found),
        TEST(test_a_foreign_file_is_refused),
        TEST(test_a_second_server_is_refused),
        TEST(test_rotation_by_size),
        TEST(test_a_unit_is_cut_at_lines_where_the_file_is_full),
        TEST(test_rotated_files_are_compressed_and_only_some_are_kept),
        TEST(test_what_logrotate_has_moved_is_listed_oldest_first_and_is_not_the_plugins),
        TEST(test_an_empty_log_goes_on_where_the_one_that_logrotate_has_moved_ended),
        TEST(test_names_that_are_not_ours_are_left_alone),
        TEST(test_reopening_after_a_rename),
        TEST(test_a_removed_file_and_a_removed_folder),
        TEST(test_a_commit_is_there_whole_or_not_at_all),
        TEST(test_mysql_json_is_an_array_whenever_it_is_closed),
        TEST(test_another_format_begins_another_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
