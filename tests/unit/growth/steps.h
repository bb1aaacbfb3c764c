/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts what the code under test does, not the time that it takes: the count is the same on every
 * machine and at every run.
 *
 * The rooms are compiled once more for this, with a call at each branch (-fsanitize-coverage), and
 * what goes through bytes in the C library is wrapped: a step is a branch, or 16 bytes of those. */
#ifndef WEIR_TESTS_GROWTH_STEPS_H
#define WEIR_TESTS_GROWTH_STEPS_H

#include <stddef.h>
#include <stdint.h>

/* Steps since the program began. */
uint64_t steps_taken(void);

/* Has `work` done for n, 2n and 4n. Counts a failure when the second doubling adds more than GROWTH_MOST
 * times what the first has added (2 is linear, 4 is quadratic), and the whole takes more than
 * GROWTH_WHOLE times what n did (4, and 16). What a first call sets up does not count, since work is
 * done once before. */
#define GROWTH_MOST  2.7
#define GROWTH_WHOLE 6.0
void assert_linear(const char *name, size_t n, void (*work)(const void *what, size_t n),
                   const void *what);

/* Cases that have grown too fast since the program began. */
unsigned growth_failures(void);

#endif
