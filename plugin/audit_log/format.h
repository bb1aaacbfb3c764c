/* SPDX-License-Identifier: Apache-2.0
 *
 * Formats: how a record looks in the log. A format writes bodies; the journal puts a prefix with
 * sequence number and chain before each, since only it knows the order. So a line of the log is
 * prefix, body, newline, and what is hashed for the chain is prefix and body.
 *
 * A body never has a newline in it: newlines separate the bodies of one record. */
#ifndef AUDIT_LOG_FORMAT_H
#define AUDIT_LOG_FORMAT_H

#include "chain.h"
#include "encode.h"
#include "record.h"

struct format {
    const char *name;      /* as in the setting */
    const char *opening;   /* first line of a file, with its newline; "" for none */
    const char *separator; /* between two lines, before the newline: "," or "" */
    const char *closing;   /* last line of a file that is closed in order, or "" */
    bool has_numbers;      /* lines carry sequence numbers, and a chain where that is on */

    /* Adds the fields that are the same for a whole session, to be given back as
     * record->session_part. NULL: the format has no use for it. */
    void (*write_session)(struct strbuf *text, const struct record *record);

    /* Adds the record's bodies, each with a newline at its end. */
    void (*write)(struct strbuf *text, const struct record *record);

    /* Adds the prefix of a line. chain: NULL without. */
    void (*write_prefix)(struct strbuf *text, uint64_t sequence,
                         const char chain[CHAIN_TEXT_BYTES]);

    /* Reads the sequence number of a line, and its chain ("" when it has none). line has no
     * newline, and no separator. false: the line is no record: opening, closing, or foreign. */
    bool (*read_prefix)(const char *line, size_t size, uint64_t *sequence,
                        char chain[CHAIN_TEXT_BYTES]);
};

extern const struct format format_json, format_mysql_json, format_csv, format_server_audit,
    format_percona_json;

/* Their names, for messages. */
#define FORMAT_NAMES "json, mysql_json, csv, server_audit, percona_json"

/* NULL: there is none of this name. Upper and lower case are the same. */
const struct format *format_find(const char *name, size_t size);

/* Recognises the format of a file by its first line; NULL: unknown. */
const struct format *format_of_line(const char *line, size_t size);

/* The same for any line of a file whose beginning is not there. */
const struct format *format_of_record(const char *line, size_t size);

/* Adds lists as JSON arrays and objects, for the formats' common use. */
void format_add_attributes(struct strbuf *text, const struct record *record);
void format_add_parameters(struct strbuf *text, const struct record *record);
void format_add_tables(struct strbuf *text, const struct record *record);
void format_add_routines(struct strbuf *text, const struct record *record);

/* The prefix of the JSON formats: opening (`{"seq":`), number, chain, comma. */
void format_add_prefix(struct strbuf *text, const char *opening, uint64_t sequence,
                       const char chain[CHAIN_TEXT_BYTES]);
bool format_read_prefix(const char *line, size_t size, const char *opening, uint64_t *sequence,
                        char chain[CHAIN_TEXT_BYTES]);

/* "read", "write", "ddl": the names of table access bits, for i = 0, 1, 2. */
extern const char *const format_access_names[3];

#endif
