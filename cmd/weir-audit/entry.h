/* SPDX-License-Identifier: Apache-2.0
 *
 * One line of a log in JSON lines, read back into the record that it was written from. */
#ifndef WEIR_AUDIT_ENTRY_H
#define WEIR_AUDIT_ENTRY_H

#include <jansson.h>

#include "base/base.h"
#include "encode.h"
#include "record.h"

struct entry {
    struct record record; /* borrows from the rest of this struct */
    uint64_t sequence;
    const char *time, *event; /* as written */
    json_t *json;
    struct record_attribute *attributes;
    struct record_parameter *parameters;
    weir_table *tables;
    struct strbuf *exact; /* texts that were no UTF-8, from their base64 */
    size_t exact_count;
};

/* -1: the line is no record. The entry is released in any case by entry_release(). */
int entry_read(struct entry *entry, const char *line, size_t size);
void entry_release(struct entry *entry);

#endif
