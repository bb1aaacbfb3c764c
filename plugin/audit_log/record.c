/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables that are generated from the lists of record.h: one row for each field, in the order
 * in which fields are written, and the name and class of each event. Formats and weir-audit go by
 * these rows, so a new field is one line of the header. */
#include "record.h"

#define TEXT(member)   {.name = #member, .type = RECORD_IS_TEXT, .index = RECORD_TEXT_##member},
#define NUMBER(member) {.name = #member, .type = RECORD_IS_NUMBER, .index = RECORD_NUMBER_##member},
#define LIST(member)   {.name = #member, .type = RECORD_IS_LIST, .index = RECORD_LIST_##member},
const struct record_row record_rows[] = {RECORD_FIELDS(TEXT, NUMBER, LIST)};
const size_t record_row_count = sizeof record_rows / sizeof *record_rows;
#undef TEXT
#undef NUMBER
#undef LIST

#define COUNT(member) +1
const size_t record_session_row_count = 0 RECORD_SESSION_FIELDS(COUNT, COUNT, COUNT);

static const struct {
    const char *name, *class;
} events[] = {
#define X(enumerator, name, class) {name, class},
    RECORD_EVENTS(X)
#undef X
};

_Static_assert(RECORD_TEXT_END <= 64, "record.nulls has a bit for each text");

const char *record_event_name(enum record_event event)
{
    return events[event].name;
}

const char *record_event_class(enum record_event event)
{
    return events[event].class;
}

void record_init(struct record *record, enum record_event event, uint64_t time_ns)
{
    memset(record, 0, sizeof *record);
    record->event = event;
    record->time_ns = time_ns;
    for (size_t i = 0; i < RECORD_NUMBER_END; i++)
        record->number[i] = WEIR_ABSENT;
}
