/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers that nobody else has: other processes, other machines, the process that was here before. */
#ifndef WEIR_UNIQUE_H
#define WEIR_UNIQUE_H

#include <sys/random.h>
#include <unistd.h>
#include <weir/clock.h>

/* A random number; where the system has none to give, one of the moment and of the process. Any thread. */
static inline unsigned long long unique_number(void)
{
    unsigned long long number;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        number = clock_wall_ns() ^ (unsigned long long)getpid() << 32;
    return number;
}

#endif
