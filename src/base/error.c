/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages of errors, cut where the struct ends. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, const char *format, ...)
{
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(error->message, sizeof error->message, format, arguments);
        va_end(arguments);
    }
    return -1;
}

int error_prefix(struct error *error, const char *format, ...)
{
    if (error) {
        char old[ERROR_MESSAGE_BYTES];
        memcpy(old, error->message, sizeof old);
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(error->message, sizeof error->message, format, arguments);
        va_end(arguments);
        size_t used = strlen(error->message);
        int length = snprintf(error->message + used, sizeof error->message - used, ": %s", old);
        (void)length; /* a message that is too long is cut */
    }
    return -1;
}
