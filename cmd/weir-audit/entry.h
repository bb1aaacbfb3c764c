/* SPDX-License-Identifier: Apache-2.0
 *
 * One line of a log, in any format that audit_log writes, read back into the record that it was
 * written from. What a format does not have is absent. A line for one use of a table, which some
 * formats have, is an entry of its own: RECORD_TABLE. */
#ifndef WEIR_AUDIT_ENTRY_H
#define WEIR_AUDIT_ENTRY_H

#include <jansson.h>
#include <weir/clock.h>

#include "base/base.h"
#include "encode.h"
#include "format.h"
#include "record.h"

#define ENTRY_COLUMNS 128 /* most columns of a CSV */

/* What a file's lines are. */
struct log_form {
    const struct format *format;
    /* CSV: what each column is, as an index into record_rows, or one of these. */
    size_t column_count;
    int columns[ENTRY_COLUMNS];
};
enum {
    COLUMN_SEQUENCE = -1,
    COLUMN_LINK = -2,
    COLUMN_TIME = -3,
    COLUMN_EVENT = -4,
    COLUMN_OTHER = -5
};

/* Finds out what the lines of a file are, from its first one. Unknown lines count as JSON. */
void log_form_of_line(struct log_form *form, const char *line, size_t size);

struct entry {
    struct record record; /* borrows from the rest of this struct */
    uint64_t sequence;    /* 0: the format has none */
    const char *event;    /* the record's */
    char time[CLOCK_RFC3339_BYTES];
    json_t *json;
    struct record_attribute *attributes;
    struct record_parameter *parameters;
    weir_table *tables, table;
    weir_routine *routines;
    bool has_exact; /* there may be texts in base64 */
    /* Texts that stand in the line in another spelling: all together fit into this. */
    char *copies;
    size_t copied, copy_room;
};

enum entry_kind {
    ENTRY_NONE = -1, /* the line is no record */
    ENTRY_RECORD = 0,
    ENTRY_FRAME = 1, /* a file's opening or closing */
};

/* The entry is released in any case by entry_release(). */
enum entry_kind entry_read(struct entry *entry, const struct log_form *form, const char *line,
                           size_t size);
void entry_release(struct entry *entry);

/* For the readers of formats. */
void entry_begin(struct entry *entry, int event, uint64_t time_ns);
int entry_event_of(const char *name); /* -1: there is none */
/* Room for a text of at most `size` bytes; entry_copied() says how many it has become. */
char *entry_copy(struct entry *entry, size_t size);
weir_string entry_copied(struct entry *entry, const char *begin, size_t size);
/* The member `name` of a JSON object, from base64 where that stands beside it; absent when it is no
 * string. */
weir_string entry_member(struct entry *entry, json_t *object, const char *name);
void entry_read_list(struct entry *entry, unsigned list, json_t *value);
uint64_t entry_read_number(const json_t *value);

enum entry_kind entry_read_json(struct entry *entry, const char *line, size_t size);
/* The same for lines as audit_log writes nearly all of them, much faster. false: this line is not one
 * of them, and the entry is to be released; it may be a record all the same. */
bool entry_read_quick(struct entry *entry, const char *line, size_t size);
enum entry_kind entry_read_mysql(struct entry *entry, const char *line, size_t size);
enum entry_kind entry_read_csv(struct entry *entry, const struct log_form *form, const char *line,
                               size_t size);
enum entry_kind entry_read_server_audit(struct entry *entry, const char *line, size_t size);

/* Whether this line is the opening or closing of a file in the format. */
bool entry_is_frame(const struct format *format, const char *line, size_t size);

#endif
