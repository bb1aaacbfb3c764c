/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads recordings line by line. Needs memory for one line only. */
#include "trace/capture/wirefile.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct wirefile {
    gzFile file;
    char *path;
    unsigned long line_number;
    struct strbuf line, bytes;
};

struct wirefile *wirefile_open(const char *path, struct error *error)
{
    assert(path);
    struct wirefile *file = calloc(1, sizeof *file);
    char *own_path = strdup(path);
    gzFile opened = gzopen(path, "rb");
    if (!file || !own_path || !opened) {
        error_set(error, "%s: %s", path, strerror(errno));
        if (opened)
            gzclose(opened);
        free(own_path);
        free(file);
        return NULL;
    }
    gzbuffer(opened, 1 << 17);
    file->file = opened;
    file->path = own_path;
    strbuf_init(&file->line);
    strbuf_init(&file->bytes);
    return file;
}

void wirefile_close(struct wirefile *file)
{
    if (!file)
        return;
    gzclose(file->file);
    strbuf_release(&file->line);
    strbuf_release(&file->bytes);
    free(file->path);
    free(file);
}

/* Returns false at the end of the file, or if it is damaged. */
static bool read_line(struct wirefile *file)
{
    char piece[65536];
    strbuf_reset(&file->line);
    while (gzgets(file->file, piece, sizeof piece)) {
        strbuf_add_text(&file->line, piece);
        if (file->line.size > 0 && file->line.data[file->line.size - 1] == '\n')
            break;
    }
    file->line_number++;
    return file->line.size > 0;
}

static bool unhex(const char *hex, size_t size, struct strbuf *out)
{
    strbuf_reset(out);
    if (!strbuf_reserve(out, size / 2) || !hex_decode(hex, size, (uint8_t *)out->data))
        return false;
    out->size = size / 2;
    return true;
}

static int parse_line(struct wirefile *file, enum wire_direction *direction, struct error *error)
{
    json_error_t problem;
    json_t *object = json_loadb(file->line.data, file->line.size, 0, &problem);
    const char *text = json_string_value(json_object_get(object, "dir"));
    const json_t *hex = json_object_get(object, "hex");
    int result = 1;
    if (!object)
        result =
            error_set(error, "%s:%lu: not JSON: %s", file->path, file->line_number, problem.text);
    else if (!text || (strcmp(text, "c2s") != 0 && strcmp(text, "s2c") != 0))
        result = error_set(error, "%s:%lu: \"dir\" must be \"c2s\" or \"s2c\"", file->path,
                           file->line_number);
    else if (!json_is_string(hex) ||
             !unhex(json_string_value(hex), json_string_length(hex), &file->bytes))
        result = error_set(error, "%s:%lu: \"hex\" must be bytes in hexadecimal", file->path,
                           file->line_number);
    else
        *direction = strcmp(text, "c2s") == 0 ? WIRE_FROM_CLIENT : WIRE_FROM_SERVER;
    json_decref(object);
    return result;
}

int wirefile_next(struct wirefile *file, enum wire_direction *direction, const uint8_t **bytes,
                  size_t *size, struct error *error)
{
    assert(file && file->file);
    int status = Z_OK;
    do {
        if (!read_line(file)) {
            const char *text = gzerror(file->file, &status);
            if (status != Z_OK && status != Z_STREAM_END)
                return error_set(error, "%s:%lu: %s", file->path, file->line_number, text);
            return 0;
        }
    } while (strspn(file->line.data, " \t\r\n") == file->line.size);
    if (parse_line(file, direction, error) != 1)
        return -1;
    *bytes = (const uint8_t *)file->bytes.data;
    *size = file->bytes.size;
    return 1;
}
