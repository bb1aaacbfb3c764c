/* SPDX-License-Identifier: Apache-2.0
 *
 * Which reader a line is for: what the lines of a file are, its opening and closing, and the
 * separators between lines. */
#include "entry.h"

#define SPARE_COPY_BYTES 256 /* names that are put together, beside texts of the line */

bool entry_is_frame(const struct format *format, const char *line, size_t size)
{
    size_t opening = strlen(format->opening), closing = strlen(format->closing);
    return (opening && size == opening - 1 && memcmp(line, format->opening, size) == 0) ||
           (closing && size == closing - 1 && memcmp(line, format->closing, size) == 0);
}

static int column_of(const char *name, size_t size)
{
    static const struct {
        const char *name;
        int column;
    } own[] = {{"seq", COLUMN_SEQUENCE},
               {"prev", COLUMN_LINK},
               {"time", COLUMN_TIME},
               {"event", COLUMN_EVENT}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strlen(own[i].name) == size && memcmp(own[i].name, name, size) == 0)
            return own[i].column;
    for (size_t i = 0; i < record_row_count; i++)
        if (strlen(record_rows[i].name) == size && memcmp(record_rows[i].name, name, size) == 0)
            return (int)i;
    return COLUMN_OTHER;
}

/* The columns of a line of names. */
static void read_columns(struct log_form *form, const char *line, size_t size)
{
    const char *at = line, *end = line + size;
    form->column_count = 0;
    while (at <= end && form->column_count < ENTRY_COLUMNS) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma ? comma : end;
        form->columns[form->column_count++] = column_of(at, (size_t)(stop - at));
        at = stop + 1;
    }
}

static bool is_csv_opening(const char *line, size_t size)
{
    static const char begin[] = "seq,prev,time,";
    return size >= sizeof begin - 1 && memcmp(line, begin, sizeof begin - 1) == 0;
}

void log_form_of_line(struct log_form *form, const char *line, size_t size)
{
    bool is_csv = is_csv_opening(line, size); /* of any version: its columns say what they are */
    const struct format *format = is_csv ? &format_csv : format_of_record(line, size);
    form->format = format ? format : &format_json;
    if (is_csv)
        read_columns(form, line, size);
    else
        read_columns(form, format_csv.opening, strlen(format_csv.opening) - 1);
}

enum entry_kind entry_read(struct entry *entry, const struct log_form *form, const char *line,
                           size_t size)
{
    const struct format *format = form->format;
    size_t separator = strlen(format->separator);
    memset(entry, 0, sizeof *entry);
    if (entry_is_frame(format, line, size) || (format == &format_csv && is_csv_opening(line, size)))
        return ENTRY_FRAME;
    if (separator && size > separator &&
        memcmp(line + size - separator, format->separator, separator) == 0)
        size -= separator;
    entry->copy_room = size + SPARE_COPY_BYTES;
    if (format == &format_json) {
        if (entry_read_quick(entry, line, size))
            return ENTRY_RECORD;
        entry_release(entry);
        entry->copy_room = size + SPARE_COPY_BYTES;
        return entry_read_json(entry, line, size);
    }
    if (format == &format_csv)
        return entry_read_csv(entry, form, line, size);
    if (format == &format_server_audit)
        return entry_read_server_audit(entry, line, size);
    return entry_read_mysql(entry, line, size);
}
