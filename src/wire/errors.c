/* SPDX-License-Identifier: Apache-2.0
 *
 * Look-ups in the table of errors.h. */
#include "wire/errors.h"

const char *wire_error_sqlstate(uint16_t number)
{
    switch (number) {
#define X(code, enumerator, sqlstate, when)                                                        \
    case code:                                                                                     \
        return sqlstate;
        WIRE_ERRORS(X)
#undef X
    default:
        return "HY000";
    }
}
