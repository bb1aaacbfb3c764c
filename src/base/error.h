/* SPDX-License-Identifier: Apache-2.0
 *
 * struct error: how a function that fails on a cold path says why.
 *
 * The message is one sentence that names the thing and the remedy ("plugin-dir /x: no such
 * directory; create it or pass -plugin-dir"). A caller that can add what it was doing does so with
 * error_prefix(). Hot paths (the packet path) use a code and a static text instead and never touch
 * this. */
#ifndef WEIR_BASE_ERROR_H
#define WEIR_BASE_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#define ERROR_MESSAGE_BYTES 1024

struct error {
    char message[ERROR_MESSAGE_BYTES]; /* NUL-terminated; empty when nothing failed */
};

/* Writes the message (printf rules; cut at ERROR_MESSAGE_BYTES - 1). error may be NULL.
 * Returns -1, so that `return error_set(error, ...)` is how a function fails. */
int error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prefixes the message that is there with "text: ". Returns -1. error may be NULL. */
int error_prefix(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif

#endif
