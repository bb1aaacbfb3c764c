/* SPDX-License-Identifier: Apache-2.0
 *
 * starve: lets one allocation fail. malloc(), calloc() and realloc() are wrapped by the linker. */
#ifndef WEIR_TESTS_SESSION_STARVE_H
#define WEIR_TESTS_SESSION_STARVE_H

#include <stddef.h>

/* From now on allocations are counted, between starve_resume() and starve_pause(), and the one with this number (from 1) fails; 0: none. */
void starve_at(size_t number);

/* How many there were since. */
size_t starve_count(void);

/* Elsewhere they succeed: those of the tests themselves. These nest the other way round where the
 * session at work calls back into the harness. */
void starve_pause(void);
void starve_resume(void);

#endif
