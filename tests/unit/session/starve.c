/* SPDX-License-Identifier: Apache-2.0
 *
 * The wrapped functions. One thread allocates at a time: the others of these tests are joined at
 * once. */
#include "starve.h"

#include <stdbool.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static size_t failing, count, paused = 1;

void starve_at(size_t number)
{
    failing = number;
    count = 0;
}

size_t starve_count(void)
{
    return count;
}

void starve_pause(void)
{
    paused++;
}

void starve_resume(void)
{
    paused--;
}

static bool fails(void)
{
    return !paused && ++count == failing;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t number, size_t size)
{
    return fails() ? NULL : __real_calloc(number, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}
