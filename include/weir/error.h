/* SPDX-License-Identifier: Apache-2.0
 *
 * struct error: how a function that fails on a cold path says why.
 *
 * The message is one sentence that names the thing and the remedy ("plugin-dir /x: no such
 * directory; create it or pass -plugin-dir"). A caller that can add what it was doing does so with
 * error_prefix(). Hot paths use a code and a static text instead and never touch this. */
#ifndef WEIR_ERROR_H
#define WEIR_ERROR_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ERROR_MESSAGE_BYTES 1024

struct error {
    char message[ERROR_MESSAGE_BYTES]; /* NUL-terminated; empty when nothing failed */
};

/* Writes the message (printf rules; cut at ERROR_MESSAGE_BYTES - 1). error may be NULL.
 * Is -1, so that `return error_set(error, ...)` is how a function fails. */
#define error_set(error, ...) (error_write((error), __VA_ARGS__), error_status())

/* Puts "text: " before the message that is there. Is -1. error may be NULL. */
#define error_prefix(error, ...) (error_write_before((error), __VA_ARGS__), error_status())

/* What the two macros are: a function so that it can be ignored, inline so that its callers' callers
 * see that they failed. */
static inline int error_status(void)
{
    return -1;
}

static inline void error_write(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3), unused));
static inline void error_write(struct error *error, const char *format, ...)
{
    va_list arguments;
    if (!error)
        return;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
}

static inline void error_write_before(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3), unused));
static inline void error_write_before(struct error *error, const char *format, ...)
{
    char old[ERROR_MESSAGE_BYTES];
    va_list arguments;
    if (!error)
        return;
    memcpy(old, error->message, sizeof old);
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    size_t used = strlen(error->message);
    int length = snprintf(error->message + used, sizeof error->message - used, ": %s", old);
    (void)length; /* a message that is too long is cut */
}

#endif
