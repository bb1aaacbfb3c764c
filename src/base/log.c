/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of the log, written with one write() each, and foreign text in them. */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <weir/escape.h>

#include "base/clock.h"

#define LINE_BYTES 4096 /* a longer line is cut and ends in "..." */

static const struct {
    const char *name, *colour;
} levels[] = {
#define X(enumerator, name, colour) {name, colour},
    LOG_LEVELS(X)
#undef X
};

static atomic_int highest = LOG_LEVEL_INFO;
static atomic_int descriptor = STDERR_FILENO;

void log_set_level(enum log_level level)
{
    atomic_store(&highest, (int)level);
}

/* Once it was a file, the number of that stays. */
static int return_to_standard_error(void)
{
    const int current = atomic_load(&descriptor);
    if (current != STDERR_FILENO)
        dup3(STDERR_FILENO, current, O_CLOEXEC);
    return 0;
}

int log_open(const char *path, struct error *error)
{
    if (!path || !*path)
        return return_to_standard_error();
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (file < 0)
        return error_set(error, "log file %s: %s", path, strerror(errno));
    int current = atomic_load(&descriptor);
    if (current == STDERR_FILENO) {
        atomic_store(&descriptor, file);
    } else { /* a thread may be writing: the number stays, its file changes at once */
        dup3(file, current, O_CLOEXEC);
        close(file);
    }
    return 0;
}

int log_descriptor(void)
{
    return atomic_load(&descriptor);
}

void log_write(enum log_level level, const char *room, const char *format, ...)
{
    if ((int)level > atomic_load_explicit(&highest, memory_order_relaxed))
        return;
    int file = atomic_load(&descriptor);
    char time[CLOCK_RFC3339_BYTES];
    clock_rfc3339(clock_wall_ns(), time);
    char line[LINE_BYTES];
    int head;
    if (isatty(file))
        head = snprintf(line, sizeof line, "%s \033[%sm%-5s\033[0m %s: ", time,
                        levels[level].colour, levels[level].name, room);
    else
        head = snprintf(line, sizeof line, "%s %-5s %s: ", time, levels[level].name, room);
    va_list arguments;
    va_start(arguments, format);
    int body = vsnprintf(line + head, sizeof line - (size_t)head, format, arguments);
    va_end(arguments);
    size_t size = (size_t)head + (size_t)(body < 0 ? 0 : body);
    if (size > sizeof line - 1) {
        size = sizeof line - 1;
        memcpy(line + size - 3, "...", 3);
    }
    line[size++] = '\n';
    ssize_t written = write(file, line, size);
    (void)written; /* a log that cannot be written has nowhere to say so */
}

static bool is_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte <= ' ' || byte == '"' || byte == '\\' || byte == 0x7f)
            return false;
    }
    return size > 0;
}

#define CUT_END "...\""

const char *log_quoted(const char *text, size_t size, char *buffer, size_t room)
{
    assert(buffer && room >= 8 && (text || size == 0));
    if (is_plain(text, size) && size < room) {
        memcpy(buffer, text, size);
        buffer[size] = 0;
        return buffer;
    }
    size_t used = 0;   /* bytes written */
    size_t cut_at = 1; /* the last place from which CUT_END and its NUL fit */
    buffer[used++] = '"';
    for (size_t i = 0; i < size; i++) {
        char form[ESCAPE_JSON_BYTES];
        size_t more = escape_json_byte((unsigned char)text[i], form);
        if (more + sizeof "\"" > room - used) {
            memcpy(buffer + cut_at, CUT_END, sizeof CUT_END);
            return buffer;
        }
        memcpy(buffer + used, form, more);
        used += more;
        if (used + sizeof CUT_END <= room)
            cut_at = used;
    }
    memcpy(buffer + used, "\"", sizeof "\"");
    return buffer;
}
