/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells from a line's bytes that it cannot match, so that most lines need not be parsed. It may let
 * pass what does not match, and never holds back what does. */
#ifndef WEIR_AUDIT_SIEVE_H
#define WEIR_AUDIT_SIEVE_H

#include "choose.h"

#define SIEVE_NEEDLE_BYTES 64
#define SIEVE_NEEDLES      8

struct sieve {
    const struct conditions *conditions;
    const struct log_form *form;
    bool is_json; /* JSON lines: members are looked at, too */
    struct sieve_needle {
        char text[SIEVE_NEEDLE_BYTES]; /* in small letters: it is found in either case */
        size_t size;
    } needles[SIEVE_NEEDLES];
    size_t needle_count;
};

/* Borrows both. */
void sieve_prepare(struct sieve *sieve, const struct conditions *conditions,
                   const struct log_form *form);

/* false: the line cannot match. */
bool sieve_passes(const struct sieve *sieve, const char *line, size_t size);

/* The time that a line begins with, as it is written; false: it is not seen at once. */
bool sieve_time(const struct log_form *form, const char *line, size_t size, uint64_t *time_ns);

/* Finds text of `size` bytes without regard to the case of ASCII letters; wanted is in small ones. */
const char *sieve_find_folded(const char *at, size_t left, const char *wanted, size_t size);

#endif
