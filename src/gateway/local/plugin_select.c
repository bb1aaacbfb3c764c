/* SPDX-License-Identifier: Apache-2.0
 *
 * SELECT @@x, and every other statement that reads a variable of a plugin: FORWARD of a text that
 * has literals in place of the names, to be run or prepared. */
#include <assert.h>

#include "gateway/local/local.h"
#include "gateway/local/variables_text.h"

static bool matches(const struct observed *observed, const struct wire_packet *packet)
{
    return variables_match(observed, packet, variables_are_named);
}

/* Writes every statement of the command. Only white space stands after the last one. Returns false
 * and sets *refusal when a variable cannot be read. */
static bool write_text(const struct observed *observed, struct wire_writer *writer,
                       struct plugin_refusal *refusal)
{
    const struct command *command = &observed->command;
    for (size_t i = 0; i < command_statement_count(command); i++) {
        const struct statement *statement = command_statement(command, i);
        if (variables_are_stored(statement->kinds.kind))
            wire_write_bytes(writer, statement->text, statement->size);
        else if (!variables_rewrite(observed, statement_text(statement), &statement->mode,
                                    writer->out, refusal))
            return false;
    }
    return true;
}

/* What stands before the text (the command's byte, query attributes) stays. */
static struct local_action begin(struct local *local, const struct wire_packet *packet)
{
    size_t text_size = local->observed->command.text.size;
    struct plugin_refusal refusal;
    struct wire_writer writer = wire_writer_to(&local->packet, 0);
    assert(text_size < packet->payload_size);
    wire_begin_packet(&writer);
    wire_write_bytes(&writer, packet->payload, packet->payload_size - text_size);
    if (!write_text(local->observed, &writer, &refusal))
        return local_refuse(local, &refusal);
    wire_end_packet(&writer);
    return local_forward(local);
}

const struct local_statement local_plugin_select = {
    .name = "plugin_select",
    .needs = LOCAL_NEEDS_VARIABLES,
    .size = sizeof(struct local),
    .matches = matches,
    .begin = begin,
};
