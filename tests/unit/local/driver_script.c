/* SPDX-License-Identifier: Apache-2.0
 *
 * The replies of the backend that a test's script holds. */
#include "driver.h"

#include <string.h>

static struct wire_writer next_reply(struct driver *driver)
{
    assert_true(driver->reply_count < DRIVER_REPLIES);
    return wire_writer_to(&driver->replies[driver->reply_count++], 1);
}

void driver_reply_error(struct driver *driver, uint16_t code, const char *message)
{
    struct wire_writer writer = next_reply(driver);
    struct wire_err err = {.code = code, .message = wire_text(message)};
    wire_encode_err(&writer, driver->observed.capabilities, &err);
}

void driver_reply_ok(struct driver *driver, const char *database)
{
    struct wire_writer writer = next_reply(driver);
    struct wire_ok ok = {.status = DRIVER_STATUS, .affected_rows = 3};
    struct strbuf state = STRBUF_INIT;
    struct wire_writer block = wire_writer_to(&state, 0);
    if (database) {
        wire_write_u8(&block, WIRE_SESSION_SCHEMA);
        wire_write_lenenc(&block, strlen(database) + 1);
        wire_write_lenenc_string(&block, wire_text(database));
        ok.status |= WIRE_SERVER_SESSION_STATE_CHANGED;
        ok.session_state = (struct wire_string){state.data, state.size};
    }
    wire_encode_ok(&writer, driver->observed.capabilities, &ok);
    strbuf_release(&state);
}

static void begin_rows(struct driver *driver, struct wire_writer *writer, uint8_t type,
                       size_t columns)
{
    uint64_t capabilities = driver->observed.capabilities;
    struct wire_eof eof = {.status = DRIVER_STATUS};
    struct wire_column_definition column = {.name = wire_text("c"), .type = type};
    *writer = next_reply(driver);
    wire_encode_column_count(writer, capabilities, columns);
    for (size_t i = 0; i < columns; i++)
        wire_encode_column_definition(writer, capabilities, &column);
    wire_encode_eof(writer, capabilities, &eof);
}

static void end_rows(const struct driver *driver, struct wire_writer *writer)
{
    struct wire_eof eof = {.status = DRIVER_STATUS};
    wire_encode_rows_end(writer, driver->observed.capabilities, &eof);
}

void driver_reply_rows(struct driver *driver, uint8_t type, size_t columns,
                       const char *const *values, size_t rows)
{
    struct wire_writer writer;
    begin_rows(driver, &writer, type, columns);
    for (size_t i = 0; i < rows; i++) {
        struct wire_string fields[LOCAL_COLUMNS + 1];
        for (size_t j = 0; j < columns; j++)
            fields[j] = wire_text(values[i * columns + j]);
        wire_encode_text_row(&writer, fields, columns);
    }
    end_rows(driver, &writer);
}

void driver_reply_binary_rows(struct driver *driver, size_t columns, const char *const *values,
                              size_t rows)
{
    struct wire_writer writer;
    begin_rows(driver, &writer, WIRE_TYPE_VAR_STRING, columns);
    for (size_t i = 0; i < rows; i++) {
        wire_begin_packet(&writer);
        wire_write_zeros(&writer, 2);
        for (size_t j = 0; j < columns; j++)
            wire_write_lenenc_string(&writer, wire_text(values[i * columns + j]));
        wire_end_packet(&writer);
    }
    end_rows(driver, &writer);
}
