/* SPDX-License-Identifier: Apache-2.0
 *
 * The log: one line an event, on standard error or in a file, written with one write() so that
 * lines of different threads never mix. On a terminal: aligned and coloured. Otherwise:
 *
 *     2026-01-31T23:59:59.123456Z info  gateway: listening on 127.0.0.1:4000
 *     2026-01-31T23:59:59.123456Z error backend: connection refused errno=111 address=unix:/run/x
 *
 * The line is "time level room: message", where the message ends in key=value pairs. Foreign text (what
 * a client or a server sent) goes through log_foreign(): values with spaces, quotes or control bytes are
 * written as JSON strings. */
#ifndef WEIR_BASE_LOG_H
#define WEIR_BASE_LOG_H

#include <stddef.h>

#include "base/check.h"
#include "base/error.h"

/* X(enumerator, name, colour): the levels, most important first; `-L name`. */
#define LOG_LEVELS(X)                                                                              \
    X(LOG_LEVEL_ERROR, "error", "31")                                                              \
    X(LOG_LEVEL_WARN, "warn", "33")                                                                \
    X(LOG_LEVEL_INFO, "info", "32")                                                                \
    X(LOG_LEVEL_DEBUG, "debug", "36")

enum log_level {
#define X(enumerator, name, colour) enumerator,
    LOG_LEVELS(X)
#undef X
};

/* Lines above this level cost one comparison. Default: info. */
void log_set_level(enum log_level level);

/* Sends the log to a file (appending, mode 0640), or reopens it after it was moved. path NULL:
 * standard error. When opening fails the log stays where it was. Any thread. */
int log_open(const char *path, struct error *error) WEIR_MUST_CHECK;

/* The file's descriptor, for what must not allocate. */
int log_descriptor(void);

void log_write(enum log_level level, const char *room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(room, ...) log_write(LOG_LEVEL_ERROR, room, __VA_ARGS__)
#define log_warn(room, ...)  log_write(LOG_LEVEL_WARN, room, __VA_ARGS__)
#define log_info(room, ...)  log_write(LOG_LEVEL_INFO, room, __VA_ARGS__)
#define log_debug(room, ...) log_write(LOG_LEVEL_DEBUG, room, __VA_ARGS__)

/* Writes foreign text into buffer so that it cannot end a line or look like another field: as it is
 * when it is plain, otherwise as a JSON string. What does not fit into `room` bytes (8 at least) is cut,
 * which shows as a JSON string that ends in "...". text may be NULL where size is 0. Returns buffer. */
const char *log_quoted(const char *text, size_t size, char *buffer, size_t room);

/* The same as an argument of log_info() and the like: the buffer lives until the end of the block. */
#define LOG_FOREIGN_BYTES 256
#define log_foreign(text, size)                                                                    \
    log_quoted((text), (size), (char[LOG_FOREIGN_BYTES]){""}, LOG_FOREIGN_BYTES)

#endif
