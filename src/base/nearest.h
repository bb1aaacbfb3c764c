/* SPDX-License-Identifier: Apache-2.0
 *
 * "Did you mean ...?": the name of a list that a misspelt one is most like. */
#ifndef WEIR_BASE_NEAREST_H
#define WEIR_BASE_NEAREST_H

#include <stddef.h>

#define NEAREST_NAME_BYTES 64 /* longer names are like nothing */

/* The search: zeroed but for `wanted`; then each name is offered, and `name` is the best so far. */
struct nearest {
    const char *wanted; /* borrowed */
    const char *name;   /* borrowed from who offered it; NULL: nothing is like it */
    size_t distance;    /* of name: letters to change, add, leave out or swap */
};

/* Capitals, '-' and '_' make no difference. A name that has little more than its length in common
 * is not offered as a suggestion. name NULL: nothing happens. */
void nearest_offer(struct nearest *nearest, const char *name);

#endif
