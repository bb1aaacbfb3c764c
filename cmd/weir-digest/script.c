/* SPDX-License-Identifier: Apache-2.0
 *
 * The shell cuts by lines and quotes alone: it knows nothing of blocks, which is what DELIMITER is
 * for. DELIMITER is a command only where a statement would begin, alone on its line. */
#include "script.h"

#include <string.h>
#include <strings.h>

void script_init(struct script *script, struct sql_span text, const struct sql_mode *mode)
{
    *script = (struct script){
        .at = text.at, .end = text.at + text.size, .delimiter = {";", 1}, .mode = *mode};
}

static const char *line_end(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline != NULL ? newline : end;
}

static bool is_blank(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* DELIMITER x, at `at`: sets it and returns where the line ends; NULL: it is none. */
static const char *take_delimiter(struct script *script, const char *at)
{
    static const char word[] = "delimiter";
    const size_t size = sizeof word - 1;
    if ((size_t)(script->end - at) <= size || strncasecmp(at, word, size) != 0 ||
        (at[size] != ' ' && at[size] != '\t'))
        return NULL;
    const char *end = line_end(at, script->end);
    at += size;
    while (at < end && is_blank(*at))
        at++;
    const char *stop = at;
    while (stop < end && !is_blank(*stop))
        stop++;
    if (stop > at)
        script->delimiter = (struct sql_span){at, (size_t)(stop - at)};
    return end;
}

/* Where the quoted text or comment at `at` ends; `at` itself when there is none. An end that is
 * missing is the end of the script. */
static const char *skip_quoted(const struct script *script, const char *at)
{
    const char *end = script->end;
    size_t left = (size_t)(end - at);
    if (*at == '#' || (left >= 3 && at[0] == '-' && at[1] == '-' && is_blank(at[2])))
        return line_end(at, end);
    if (left >= 2 && at[0] == '/' && at[1] == '*') {
        const char *stop = left >= 4 ? memmem(at + 2, left - 2, "*/", 2) : NULL;
        return stop != NULL ? stop + 2 : end;
    }
    if (*at != '\'' && *at != '"' && *at != '`')
        return at;
    char quote = *at++;
    while (at < end && *at != quote) {
        bool escape = *at == '\\' && quote != '`' && !script->mode.no_backslash_escapes;
        at += escape && end - at >= 2 ? 2 : 1;
    }
    return at < end ? at + 1 : end;
}

bool script_next(struct script *script, struct sql_span *statement)
{
    const char *start = script->at;
    const char *at = start;
    bool begun = false; /* something other than white space and comments was seen */
    while (at < script->end) {
        const char *command = begun ? NULL : take_delimiter(script, at);
        if (command != NULL) {
            start = at = command;
            continue;
        }
        if ((size_t)(script->end - at) >= script->delimiter.size &&
            memcmp(at, script->delimiter.at, script->delimiter.size) == 0) {
            const char *stop = at;
            at += script->delimiter.size;
            if (!begun) {
                start = at;
                continue;
            }
            script->at = at;
            *statement = (struct sql_span){start, (size_t)(stop - start)};
            return true;
        }
        const char *quoted = skip_quoted(script, at);
        begun =
            begun || (!is_blank(*at) && (quoted == at || *at == '\'' || *at == '"' || *at == '`'));
        if (quoted > at + 2 && at[0] == '/' && (at[2] == '!' || at[2] == 'M'))
            begun = true; /* an executable comment is a statement */
        at = quoted > at ? quoted : at + 1;
    }
    script->at = script->end;
    *statement = (struct sql_span){start, (size_t)(script->end - start)};
    return begun;
}
