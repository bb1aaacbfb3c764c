/* SPDX-License-Identifier: Apache-2.0
 *
 * Records for people: one line each, coloured on a terminal. With -json the lines are printed as
 * they stand in the file, so that this is a grep that knows what it looks at. */
#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

#include "commands.h"
#include "fields.h"

#define NORMAL "\033[0m"
#define DIM    "\033[2m"
#define RED    "\033[31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define CYAN   "\033[36m"

struct show {
    bool json, color, wide;
    const struct fields *fields; /* NULL: a line for people */
    struct strbuf text;
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

/* The same; what separates columns stays. */
static void print_columns(weir_string text)
{
    const char *at = text.data, *end = text.data ? text.data + text.size : NULL;
    while (at < end) {
        const char *tab = memchr(at, '\t', (size_t)(end - at));
        print_safely((weir_string){at, (size_t)((tab ? tab : end) - at)});
        if (tab)
            putchar('\t');
        at = tab ? tab + 1 : end;
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

/* Who it was, in full: both ids, the program and the user of the client's system. */
static void print_who(const struct record *record)
{
    const uint64_t *number = record->number;
    if (number[RECORD_NUMBER_connection_id] != WEIR_ABSENT)
        printf("#%llu", (unsigned long long)number[RECORD_NUMBER_connection_id]);
    if (number[RECORD_NUMBER_backend_connection_id] != WEIR_ABSENT)
        printf("/%llu", (unsigned long long)number[RECORD_NUMBER_backend_connection_id]);
    putchar(' ');
    static const enum record_text texts[] = {RECORD_TEXT_program, RECORD_TEXT_os_user};
    static const char *const names[] = {"program", "os_user"};
    for (size_t i = 0; i < 2; i++) {
        if (!record->text[texts[i]].data)
            continue;
        printf("%s=", names[i]);
        print_safely(record->text[texts[i]]);
        putchar(' ');
    }
}

static void print_tables(const struct record *record)
{
    for (size_t i = 0; i < record->table_count; i++) {
        putchar(' ');
        print_safely(record->tables[i].schema);
        putchar('.');
        print_safely(record->tables[i].name);
    }
}

static void show_line(const struct show *show, const struct entry *entry)
{
    const struct record *record = &entry->record;
    const char *dim = show->color ? DIM : "", *normal = show->color ? NORMAL : "";
    weir_string account = record->text[RECORD_TEXT_account];
    if (!account.data)
        account = record->text[RECORD_TEXT_user];
    printf("%s%s%s %s%-10s%s ", dim, entry->time, normal,
           show->color ? color_of(record->event) : "", entry->event, normal);
    if (show->wide)
        print_who(record);
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
    if (record->event == RECORD_TABLE)
        print_tables(record);
    fputs(dim, stdout);
    print_outcome(record);
    puts(normal);
}

static void show_entry(void *context, const struct entry *entry, weir_string line)
{
    struct show *show = context;
    if (show->json) {
        fwrite(line.data, 1, line.size, stdout);
        putchar('\n');
    } else if (show->fields) {
        strbuf_reset(&show->text);
        fields_add(show->fields, entry, &show->text);
        print_columns((weir_string){show->text.data, show->text.size});
        putchar('\n');
    } else {
        show_line(show, entry);
    }
}

static int show(const struct audit_options *options, const char *const *paths, size_t count,
                bool follow)
{
    struct fields fields;
    struct error error;
    struct show how = {.json = options->json,
                       .wide = options->wide,
                       .color = options->color == COLOR_ALWAYS ||
                                (options->color == COLOR_AUTO && isatty(STDOUT_FILENO))};
    if (options->format && fields_parse(&fields, options->format, &error) < 0) {
        command_fail("%s", error.message);
        return COMMAND_USAGE;
    }
    how.fields = options->format ? &fields : NULL;
    int status = command_walk(options, paths, count, follow, show_entry, &how);
    strbuf_release(&how.text);
    return status;
}

int command_show(const struct audit_options *options, const char *const *paths, size_t count)
{
    return show(options, paths, count, false);
}

int command_follow(const struct audit_options *options, const char *const *paths, size_t count)
{
    return show(options, paths, count, true);
}
