/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a log is as it was written. Numbers say whether records are missing, twice or in another
 * order; links say whether one was changed; every finding names file and line. Gap records are the
 * log's own words about what it lost, and no finding.
 *
 * What no chain can see is a log whose last records were cut off: for that there is -expect, with
 * the number or link that was last known. */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "format.h"
#include "lines.h"

struct verify {
    const struct lines *lines;
    const struct format *format; /* of the current file */
    const char *path;            /* of the line before */
    uint64_t records, findings, gaps, first, sequence;
    uint64_t unnumbered; /* records in a format that has neither numbers nor links */
    bool has_record;
    char link[CHAIN_TEXT_BYTES];   /* hash of the record before, as it stands */
    char before[CHAIN_TEXT_BYTES]; /* the link that that one carries; "" for none */
    bool saw_expected, ends_in_order;
    const char *expect;
};

static void find(struct verify *verify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void find(struct verify *verify, const char *format, ...)
{
    va_list arguments;
    verify->findings++;
    printf("%s:%lu: ", verify->lines->path, verify->lines->number);
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start() stands above. */
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

/* The numbers are as they must be: true. */
static bool check_number(struct verify *verify, uint64_t sequence)
{
    unsigned long long now = sequence, before = verify->sequence;
    if (!verify->has_record) {
        if (sequence != 1)
            printf("%s:%lu: begins with record %llu; what comes before it is not in these files\n",
                   verify->lines->path, verify->lines->number, now);
        return true;
    }
    if (sequence == verify->sequence + 1)
        return true;
    if (sequence == verify->sequence)
        find(verify, "record %llu stands here twice", now);
    else if (sequence > verify->sequence + 1)
        find(verify, "records %llu to %llu are missing: cut out", before + 1, now - 1);
    else
        find(verify, "record %llu stands behind record %llu: reordered, or another log", now,
             before);
    return false;
}

static void check_link(struct verify *verify, uint64_t sequence, const char *link, bool in_order)
{
    unsigned long long now = sequence;
    if (!verify->has_record) {
        if (sequence == 1 && *link && strcmp(link, chain_beginning) != 0)
            find(verify, "record 1 does not begin a chain: what was before it is cut off");
        return;
    }
    if (!*link) {
        if (*verify->before)
            find(verify, "record %llu has no link, and the one before has: the chain ends here",
                 now);
        return;
    }
    if (strcmp(link, verify->link) == 0)
        return;
    if (!*verify->before && strcmp(link, chain_beginning) == 0)
        return; /* the chain was switched on here */
    if (in_order)
        find(verify, "record %llu was edited, or the link of record %llu: they do not fit", now - 1,
             now);
}

static void check_record(struct verify *verify, const char *line, size_t size, uint64_t sequence,
                         const char *link)
{
    bool in_order = check_number(verify, sequence);
    check_link(verify, sequence, link, in_order);
    if (!verify->has_record)
        verify->first = sequence;
    verify->has_record = true;
    verify->records++;
    verify->sequence = sequence;
    snprintf(verify->before, sizeof verify->before, "%s", link);
    chain_of(line, size, verify->link);
    char number[24];
    snprintf(number, sizeof number, "%llu", (unsigned long long)sequence);
    if (verify->expect &&
        (strcmp(verify->expect, verify->link) == 0 || strcmp(verify->expect, number) == 0))
        verify->saw_expected = true;
    if (memmem(line, size, "\"event\":\"Gap\"", 13) ||
        memmem(line, size, "\"event\":\"gap\"", 13) || memmem(line, size, "Z,Gap,audit", 11)) {
        verify->gaps++;
        printf("%s:%lu: note: record %llu tells of a gap\n", verify->lines->path,
               verify->lines->number, (unsigned long long)sequence);
    }
    verify->ends_in_order = memmem(line, size, "\"event\":\"Stop\"", 14) ||
                            memmem(line, size, "\"event\":\"shutdown\"", 18) ||
                            memmem(line, size, "Z,Stop,audit", 12);
}

/* JSON lines are whole JSON, too: nothing else would detect an edit within the last record. */
static bool is_whole(const struct format *format, const char *line, size_t size)
{
    if (format == &format_csv || !format->has_numbers)
        return true;
    json_t *json = json_loadb(line, size, JSON_ALLOW_NUL, NULL);
    bool whole = json_is_object(json);
    json_decref(json);
    return whole;
}

static void check_line(struct verify *verify, const char *line, size_t size)
{
    char link[CHAIN_TEXT_BYTES];
    uint64_t sequence;
    if (verify->path != verify->lines->path) {
        verify->path = verify->lines->path;
        verify->format = format_of_line(line, size);
        if (!verify->format)
            find(verify, "this is no audit log of a known format, or its beginning is cut off");
    }
    const struct format *format = verify->format ? verify->format : &format_json;
    if (verify->lines->is_torn) {
        find(verify, "the file ends within a record: cut off, or a crash while it was written");
        return;
    }
    if (entry_is_frame(format, line, size))
        return;
    size_t separator = strlen(format->separator);
    if (separator && size > separator &&
        memcmp(line + size - separator, format->separator, separator) == 0)
        size -= separator;
    if (!format->read_prefix(line, size, &sequence, link) || !is_whole(format, line, size))
        find(verify, "this line is no record");
    else if (format->has_numbers)
        check_record(verify, line, size, sequence, link);
    else
        verify->unnumbered++;
}

static int conclude(struct verify *verify)
{
    if (verify->unnumbered)
        printf("%llu records in server_audit, which has neither numbers nor links: nobody can see "
               "whether some are missing or were edited\n",
               (unsigned long long)verify->unnumbered);
    if (verify->expect && !verify->saw_expected) {
        verify->findings++;
        printf("the expected record or link %s is not in these files: the end is cut off\n",
               verify->expect);
    }
    if (verify->findings) {
        printf("%llu findings in %llu records\n", (unsigned long long)verify->findings,
               (unsigned long long)verify->records);
        return EXIT_FAILURE;
    }
    if (verify->unnumbered && !verify->records)
        return EXIT_SUCCESS;
    printf("%llu records, %llu to %llu, %s, %llu gaps told of, %s\n",
           (unsigned long long)verify->records, (unsigned long long)verify->first,
           (unsigned long long)verify->sequence,
           *verify->before ? "chained and intact" : "numbered and complete (there is no chain)",
           (unsigned long long)verify->gaps,
           verify->ends_in_order ? "stopped in order" : "still open, or not stopped in order");
    if (verify->records)
        printf("last link %s\n", verify->link);
    return EXIT_SUCCESS;
}

int command_verify(const struct audit_options *options, const char *const *paths, size_t count)
{
    struct verify verify = {.expect = options->expect};
    struct lines lines;
    struct error error = {""};
    int status;
    lines_init(&lines, paths, count, false);
    verify.lines = &lines;
    while ((status = lines_next(&lines, &error)) > 0)
        check_line(&verify, lines.line.data, lines.line.size);
    lines_release(&lines);
    if (status < 0)
        return command_fail("%s", error.message);
    return conclude(&verify);
}
