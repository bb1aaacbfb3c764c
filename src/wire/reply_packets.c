/* SPDX-License-Identifier: Apache-2.0
 *
 * Codecs of what a server answers commands with: OK, ERR and EOF, column counts and definitions,
 * text rows, PREPARE_OK, MariaDB's progress reports. */
#include <string.h>

#include "wire/errors.h"
#include "wire/packets.h"

enum { FIXED_FIELDS_BYTES = 0x0c /* of a column definition */ };

/* The text of an OK. Documentation says that without session tracking it is the rest of the packet;
 * servers have always written it with its length first, so that form wins where it fits exactly.
 */
static struct wire_string read_info(struct wire_reader *r, bool tracks)
{
    struct wire_reader with_length = *r;
    struct wire_string info = wire_read_lenenc_string(&with_length);
    if (!with_length.failed && (tracks || wire_left(&with_length) == 0)) {
        *r = with_length;
        return info;
    }
    return wire_read_rest(r);
}

bool wire_decode_ok(const uint8_t *payload, size_t size, uint64_t capabilities, struct wire_ok *ok)
{
    struct wire_reader r = wire_reader_of(payload, size);
    bool tracks = capabilities & WIRE_CAP(CLIENT_SESSION_TRACK);
    *ok = (struct wire_ok){.header = wire_read_u8(&r)};
    ok->affected_rows = wire_read_lenenc(&r);
    ok->last_insert_id = wire_read_lenenc(&r);
    if (capabilities & WIRE_CAP(CLIENT_PROTOCOL_41)) {
        ok->status = wire_read_u16(&r);
        ok->warnings = wire_read_u16(&r);
    } else if (wire_left(&r) >= 2) {
        ok->status = wire_read_u16(&r);
    }
    if (r.failed)
        return false;
    if (wire_left(&r) > 0)
        ok->info = read_info(&r, tracks);
    if (tracks && ok->status & WIRE_SERVER_SESSION_STATE_CHANGED && wire_left(&r) > 0)
        ok->session_state = wire_read_lenenc_string(&r);
    return !r.failed;
}

void wire_encode_ok(struct wire_writer *writer, uint64_t capabilities, const struct wire_ok *ok)
{
    bool tracks = capabilities & WIRE_CAP(CLIENT_SESSION_TRACK);
    bool changed = tracks && ok->status & WIRE_SERVER_SESSION_STATE_CHANGED;
    wire_begin_packet(writer);
    wire_write_u8(writer, ok->header);
    wire_write_lenenc(writer, ok->affected_rows);
    wire_write_lenenc(writer, ok->last_insert_id);
    wire_write_u16(writer, ok->status);
    if (capabilities & WIRE_CAP(CLIENT_PROTOCOL_41))
        wire_write_u16(writer, ok->warnings);
    if (ok->info.size > 0 || changed)
        wire_write_lenenc_string(writer, ok->info);
    if (changed)
        wire_write_lenenc_string(writer, ok->session_state);
    wire_end_packet(writer);
}

bool wire_decode_err(const uint8_t *payload, size_t size, struct wire_err *err)
{
    struct wire_reader r = wire_reader_of(payload, size);
    *err = (struct wire_err){.sqlstate = "HY000"};
    if (wire_read_u8(&r) != 0xff)
        return false;
    err->code = wire_read_u16(&r);
    if (wire_left(&r) >= 6 && r.pos[0] == '#') {
        memcpy(err->sqlstate, r.pos + 1, 5);
        wire_skip(&r, 6);
    }
    err->message = wire_read_rest(&r);
    return !r.failed;
}

void wire_encode_err(struct wire_writer *writer, uint64_t capabilities, const struct wire_err *err)
{
    const char *sqlstate = err->sqlstate[0] ? err->sqlstate : wire_error_sqlstate(err->code);
    wire_begin_packet(writer);
    wire_write_u8(writer, 0xff);
    wire_write_u16(writer, err->code);
    if (capabilities & WIRE_CAP(CLIENT_PROTOCOL_41)) {
        char marked[6] = {'#', 'H', 'Y', '0', '0', '0'};
        memcpy(marked + 1, sqlstate, strnlen(sqlstate, 5));
        wire_write_bytes(writer, marked, sizeof marked);
    }
    wire_write_string(writer, err->message);
    wire_end_packet(writer);
}

bool wire_decode_eof(const uint8_t *payload, size_t size, struct wire_eof *eof)
{
    struct wire_reader r = wire_reader_of(payload, size);
    *eof = (struct wire_eof){0};
    if (wire_read_u8(&r) != 0xfe)
        return false;
    if (wire_left(&r) == 0)
        return true; /* before 4.1 */
    eof->warnings = wire_read_u16(&r);
    eof->status = wire_read_u16(&r);
    return !r.failed;
}

void wire_encode_eof(struct wire_writer *writer, uint64_t capabilities, const struct wire_eof *eof)
{
    wire_begin_packet(writer);
    wire_write_u8(writer, 0xfe);
    if (capabilities & WIRE_CAP(CLIENT_PROTOCOL_41)) {
        wire_write_u16(writer, eof->warnings);
        wire_write_u16(writer, eof->status);
    }
    wire_end_packet(writer);
}

void wire_encode_rows_end(struct wire_writer *writer, uint64_t capabilities,
                          const struct wire_eof *eof)
{
    const struct wire_ok ok = {.header = 0xfe, .status = eof->status, .warnings = eof->warnings};
    if (capabilities & WIRE_CAP(CLIENT_DEPRECATE_EOF))
        wire_encode_ok(writer, capabilities, &ok);
    else
        wire_encode_eof(writer, capabilities, eof);
}

/* Both families put the byte after the count. */
static bool has_metadata_byte(uint64_t capabilities)
{
    return capabilities &
           (WIRE_CAP(CLIENT_OPTIONAL_RESULTSET_METADATA) | WIRE_CAP(MARIADB_CLIENT_CACHE_METADATA));
}

bool wire_decode_column_count(const uint8_t *payload, size_t size, uint64_t capabilities,
                              struct wire_column_count *count)
{
    struct wire_reader r = wire_reader_of(payload, size);
    count->columns = wire_read_lenenc(&r);
    count->definitions_follow = true;
    if (has_metadata_byte(capabilities) && wire_left(&r) > 0)
        count->definitions_follow = wire_read_u8(&r) != 0;
    return !r.failed;
}

void wire_encode_column_count(struct wire_writer *writer, uint64_t capabilities, uint64_t columns)
{
    wire_begin_packet(writer);
    wire_write_lenenc(writer, columns);
    if (has_metadata_byte(capabilities))
        wire_write_u8(writer, 1);
    wire_end_packet(writer);
}

bool wire_decode_column_definition(const uint8_t *payload, size_t size, uint64_t capabilities,
                                   struct wire_column_definition *column)
{
    struct wire_reader r = wire_reader_of(payload, size);
    *column = (struct wire_column_definition){0};
    wire_read_lenenc_string(&r); /* catalog: always "def" */
    column->schema = wire_read_lenenc_string(&r);
    column->table = wire_read_lenenc_string(&r);
    column->org_table = wire_read_lenenc_string(&r);
    column->name = wire_read_lenenc_string(&r);
    column->org_name = wire_read_lenenc_string(&r);
    if (capabilities & WIRE_CAP(MARIADB_CLIENT_EXTENDED_METADATA))
        column->extended = wire_read_lenenc_string(&r);
    uint64_t fixed = wire_read_lenenc(&r);
    column->charset = wire_read_u16(&r);
    column->length = wire_read_u32(&r);
    column->type = wire_read_u8(&r);
    column->flags = wire_read_u16(&r);
    column->decimals = wire_read_u8(&r);
    return !r.failed && fixed >= FIXED_FIELDS_BYTES - 2;
}

void wire_encode_column_definition(struct wire_writer *writer, uint64_t capabilities,
                                   const struct wire_column_definition *column)
{
    wire_begin_packet(writer);
    wire_write_lenenc_string(writer, wire_text("def"));
    wire_write_lenenc_string(writer, column->schema);
    wire_write_lenenc_string(writer, column->table);
    wire_write_lenenc_string(writer, column->org_table);
    wire_write_lenenc_string(writer, column->name);
    wire_write_lenenc_string(writer, column->org_name);
    if (capabilities & WIRE_CAP(MARIADB_CLIENT_EXTENDED_METADATA))
        wire_write_lenenc_string(writer, column->extended);
    wire_write_lenenc(writer, FIXED_FIELDS_BYTES);
    wire_write_u16(writer, column->charset);
    wire_write_u32(writer, column->length);
    wire_write_u8(writer, column->type);
    wire_write_u16(writer, column->flags);
    wire_write_u8(writer, column->decimals);
    wire_write_zeros(writer, 2);
    wire_end_packet(writer);
}

bool wire_text_field_next(struct wire_reader *reader, struct wire_string *field)
{
    if (reader->failed || wire_left(reader) == 0)
        return false;
    if (*reader->pos == 0xfb) {
        reader->pos++;
        *field = (struct wire_string){NULL, 0};
    } else {
        *field = wire_read_lenenc_string(reader);
    }
    return !reader->failed;
}

void wire_encode_text_row(struct wire_writer *writer, const struct wire_string *fields,
                          size_t count)
{
    wire_begin_packet(writer);
    for (size_t i = 0; i < count; i++)
        if (fields[i].data)
            wire_write_lenenc_string(writer, fields[i]);
        else
            wire_write_u8(writer, 0xfb);
    wire_end_packet(writer);
}

bool wire_decode_prepare_ok(const uint8_t *payload, size_t size, uint64_t capabilities,
                            struct wire_prepare_ok *prepare)
{
    struct wire_reader r = wire_reader_of(payload, size);
    *prepare = (struct wire_prepare_ok){.definitions_follow = true};
    if (wire_read_u8(&r) != 0)
        return false;
    prepare->statement_id = wire_read_u32(&r);
    prepare->columns = wire_read_u16(&r);
    prepare->parameters = wire_read_u16(&r);
    if (r.failed)
        return false;
    if (wire_left(&r) >= 3) {
        wire_skip(&r, 1);
        prepare->warnings = wire_read_u16(&r);
    }
    if (capabilities & WIRE_CAP(CLIENT_OPTIONAL_RESULTSET_METADATA) && wire_left(&r) > 0)
        prepare->definitions_follow = wire_read_u8(&r) != 0;
    return true;
}

bool wire_decode_progress(const uint8_t *payload, size_t size, struct wire_progress *progress)
{
    struct wire_reader r = wire_reader_of(payload, size);
    *progress = (struct wire_progress){0};
    if (wire_read_u24(&r) != 0xffffff)
        return false;
    wire_skip(&r, 1); /* number of strings: always 1 */
    progress->stage = wire_read_u8(&r);
    progress->max_stage = wire_read_u8(&r);
    progress->progress = wire_read_u24(&r);
    progress->info = wire_read_lenenc_string(&r);
    return !r.failed;
}
