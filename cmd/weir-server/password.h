/* SPDX-License-Identifier: Apache-2.0
 *
 * Passwords of options: given as such, or as the first line of a file, which wins. */
#ifndef WEIR_SERVER_PASSWORD_H
#define WEIR_SERVER_PASSWORD_H

#include "base/base.h"

/* Fills *password (owned; NULL: there is none). text and path may be NULL; option names the latter in errors. Returns 0,
 * or -1 and a message. */
WEIR_MUST_CHECK int password_read(char **password, const char *text, const char *option,
                                  const char *path, struct error *error);

#endif
