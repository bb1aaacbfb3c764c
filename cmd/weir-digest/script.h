/* SPDX-License-Identifier: Apache-2.0
 *
 * Scripts as the mariadb shell reads them: statements that end with the delimiter, which DELIMITER
 * changes. */
#ifndef WEIR_DIGEST_SCRIPT_H
#define WEIR_DIGEST_SCRIPT_H

#include "sql/sql.h"

struct script {
    const char *at, *end; /* not yet read; borrowed */
    struct sql_span delimiter;
    struct sql_mode mode;
};

void script_init(struct script *script, struct sql_span text, const struct sql_mode *mode);

/* The next statement, without its delimiter. False: there is none. */
bool script_next(struct script *script, struct sql_span *statement);

#endif
