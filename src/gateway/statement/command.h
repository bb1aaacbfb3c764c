/* SPDX-License-Identifier: Apache-2.0
 *
 * A command as it came: what it says, as text and statements. It is held back until plugins have
 * judged it, so everything that they may ask is kept here until it ends. */
#ifndef WEIR_GATEWAY_STATEMENT_COMMAND_H
#define WEIR_GATEWAY_STATEMENT_COMMAND_H

#include "gateway/statement/observed.h"

/* Clears the command before for a new one. */
void command_begin(struct observed *observed, uint8_t code);

/* Reads a command into observed->command, which command_begin() has cleared.
 * command.out_of_memory: it could not be kept. */
void command_read(struct observed *observed, const struct wire_packet *packet);

/* The same without plugins: the kind of the statement, and the beginning of its text for lists of sessions. */
void command_read_kind(struct observed *observed, const struct wire_packet *packet);

/* The text of a COM_QUERY or COM_STMT_PREPARE, from its payload (command byte included, size > 0).
 * The one place where a COM_QUERY is decoded. Borrowed from the payload. */
struct wire_string command_text(const struct observed *observed, const uint8_t *payload,
                                size_t size);

/* What comes after the command byte; nothing after that of an empty packet, which servers take for
 * COM_SLEEP. */
static inline struct wire_reader command_arguments(const struct wire_packet *packet)
{
    return packet->payload_size ? wire_reader_of(packet->payload + 1, packet->payload_size - 1)
                                : wire_reader_of(packet->payload, 0);
}

/* The statement that is being dealt with. Never NULL; its text may be. */
const struct statement *statement_current(const struct observed *observed);

/* Statements of the command, one after the other, whatever plugins were notified of. */
const struct statement *command_statement(const struct command *command, size_t index);
size_t command_statement_count(const struct command *command);

static inline struct sql_span statement_text(const struct statement *statement)
{
    return (struct sql_span){statement->text, statement->size};
}

/* Without plugins: what is kept of the command's text, all its statements; is_whole: that is all of it. */
struct sql_span command_listed_text(const struct observed *observed, bool *is_whole);

void command_release(struct observed *observed);

#endif
