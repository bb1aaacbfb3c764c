/* SPDX-License-Identifier: Apache-2.0
 *
 * From every format that the plugin writes to every other, by the plugin's own code. Numbers are
 * kept where a record stays one line; the chain is left out, since its links are hashes of other
 * lines. */
#include <stdio.h>

#include "commands.h"
#include "format.h"

struct convert {
    const struct format *format;
    struct strbuf bodies, lines;
    bool has_written;
};

/* Separators stand between lines: the one of a line is written when the next one comes. */
static void convert_entry(void *context, const struct entry *entry, weir_string line)
{
    struct convert *convert = context;
    (void)line;
    strbuf_reset(&convert->bodies);
    strbuf_reset(&convert->lines);
    convert->format->write(&convert->bodies, &entry->record);
    const char *at = convert->bodies.data, *end = at + convert->bodies.size;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (convert->has_written) {
            strbuf_add_text(&convert->lines, convert->format->separator);
            strbuf_add_byte(&convert->lines, '\n');
        }
        convert->has_written = true;
        convert->format->write_prefix(&convert->lines, entry->sequence, NULL);
        strbuf_add(&convert->lines, at, (size_t)(newline - at));
        at = newline + 1;
    }
    fwrite(convert->lines.data, 1, convert->lines.size, stdout);
}

int command_convert(const struct audit_options *options, const char *const *paths, size_t count)
{
    struct convert convert = {.format = NULL};
    if (!options->format)
        return command_fail("convert needs -format: " FORMAT_NAMES);
    convert.format = format_find(options->format, strlen(options->format));
    if (!convert.format)
        return command_fail("-format %s: is none of " FORMAT_NAMES, options->format);
    fputs(convert.format->opening, stdout);
    int status = command_walk(options, paths, count, false, convert_entry, &convert);
    if (convert.has_written)
        putchar('\n');
    fputs(convert.format->closing, stdout);
    strbuf_release(&convert.bodies);
    strbuf_release(&convert.lines);
    return status;
}
