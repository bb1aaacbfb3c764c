/* SPDX-License-Identifier: Apache-2.0
 *
 * Records for people: one line each, coloured on a terminal. With -json the lines are printed as
 * they stand in the file, so that this is a grep that knows what it looks at. */
#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

#include "commands.h"

#define NORMAL "\033[0m"
#define DIM    "\033[2m"
#define RED    "\033[31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define CYAN   "\033[36m"

struct show {
    bool json, color;
};

static const char *color_of(enum record_event event)
{
    switch (event) {
    case RECORD_ERROR:
    case RECORD_REJECT:
    case RECORD_REFUSED:
    case RECORD_GAP:
        return RED;
    case RECORD_CONNECT:
    case RECORD_DISCONNECT:
    case RECORD_CHANGE_USER:
        return GREEN;
    case RECORD_START:
    case RECORD_STOP:
    case RECORD_REOPEN:
    case RECORD_PLUGIN:
        return YELLOW;
    default:
        return CYAN;
    }
}

/* Control characters would let a statement control the terminal of the log's reader. */
static void print_safely(weir_string text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '\n' || c == '\r' || c == '\t')
            putchar(' ');
        else if (c < 0x20 || c == 0x7f ||
                 (c == 0xc2 && i + 1 < text.size && (unsigned char)text.data[i + 1] < 0xa0))
            putchar('?');
        else
            putchar(c);
    }
}

static void print_outcome(const struct record *record)
{
    const uint64_t *number = record->number;
    if (number[RECORD_NUMBER_error_code] != WEIR_ABSENT && number[RECORD_NUMBER_error_code]) {
        printf(" -- error %llu: ", (unsigned long long)number[RECORD_NUMBER_error_code]);
        weir_string message = record->text[RECORD_TEXT_message];
        print_safely(message.data ? message : record->text[RECORD_TEXT_reason]);
    } else if (number[RECORD_NUMBER_rows] != WEIR_ABSENT) {
        printf(" -- %llu rows, %llu affected, %.3f ms",
               (unsigned long long)number[RECORD_NUMBER_rows],
               (unsigned long long)number[RECORD_NUMBER_affected_rows],
               (double)number[RECORD_NUMBER_duration_us] / 1000);
    } else if (record->text[RECORD_TEXT_reason].data) {
        fputs(" -- ", stdout);
        print_safely(record->text[RECORD_TEXT_reason]);
    }
    if (record->text[RECORD_TEXT_refused_by].data) {
        fputs(" -- refused by ", stdout);
        print_safely(record->text[RECORD_TEXT_refused_by]);
    }
    if (record->text[RECORD_TEXT_plugin].data) {
        fputs(" -- ", stdout);
        print_safely(record->text[RECORD_TEXT_plugin]);
        putchar(' ');
        print_safely(record->text[RECORD_TEXT_detail]);
    }
    if (number[RECORD_NUMBER_lost] != WEIR_ABSENT)
        printf(" -- %llu events lost", (unsigned long long)number[RECORD_NUMBER_lost]);
}

static void show_entry(void *context, const struct entry *entry, const struct lines *lines)
{
    const struct show *show = context;
    const struct record *record = &entry->record;
    if (show->json) {
        puts(lines->line.data);
        return;
    }
    const char *dim = show->color ? DIM : "", *normal = show->color ? NORMAL : "";
    weir_string account = record->text[RECORD_TEXT_account];
    if (!account.data)
        account = record->text[RECORD_TEXT_user];
    printf("%s%s%s %s%-10s%s ", dim, entry->time, normal,
           show->color ? color_of(record->event) : "", entry->event, normal);
    print_safely(account);
    if (record->text[RECORD_TEXT_client_ip].data) {
        putchar('/');
        print_safely(record->text[RECORD_TEXT_client_ip]);
    }
    if (record->text[RECORD_TEXT_database].data) {
        fputs(" [", stdout);
        print_safely(record->text[RECORD_TEXT_database]);
        putchar(']');
    }
    if (record->text[RECORD_TEXT_sql].data) {
        putchar(' ');
        print_safely(record->text[RECORD_TEXT_sql]);
    }
    fputs(dim, stdout);
    print_outcome(record);
    puts(normal);
}

static int show(const struct audit_options *options, const char *const *paths, size_t count,
                bool follow)
{
    struct show how = {.json = options->json,
                       .color = options->color == COLOR_ALWAYS ||
                                (options->color == COLOR_AUTO && isatty(STDOUT_FILENO))};
    return command_walk(options, paths, count, follow, show_entry, &how);
}

int command_show(const struct audit_options *options, const char *const *paths, size_t count)
{
    return show(options, paths, count, false);
}

int command_follow(const struct audit_options *options, const char *const *paths, size_t count)
{
    return show(options, paths, count, true);
}
