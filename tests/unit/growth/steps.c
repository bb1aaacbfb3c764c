/* SPDX-License-Identifier: Apache-2.0
 *
 * The counter, and the C library's functions that cost what they are given. */
#include "steps.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static uint64_t steps;
static unsigned failures;

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    steps++;
}

uint64_t steps_taken(void)
{
    return steps;
}

#define WRAPPED(result, name, parameters, arguments, bytes)                                        \
    result __real_##name parameters;                                                               \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        steps += 1 + (bytes) / 16;                                                                 \
        return __real_##name arguments;                                                            \
    }

WRAPPED(void *, memcpy, (void *to, const void *from, size_t size), (to, from, size), size)
WRAPPED(void *, memmove, (void *to, const void *from, size_t size), (to, from, size), size)
WRAPPED(void *, memset, (void *to, int byte, size_t size), (to, byte, size), size)
WRAPPED(int, memcmp, (const void *a, const void *b, size_t size), (a, b, size), size)
WRAPPED(size_t, strlen, (const char *text), (text), __real_strlen(text))
WRAPPED(int, strncasecmp, (const char *a, const char *b, size_t size), (a, b, size), size)
WRAPPED(void *, calloc, (size_t count, size_t size), (count, size), count *size)

/* It stops at what it finds. */
void *__real_memchr(const void *bytes, int byte, size_t size);
void *__wrap_memchr(const void *bytes, int byte, size_t size);
void *__wrap_memchr(const void *bytes, int byte, size_t size)
{
    const char *found = __real_memchr(bytes, byte, size);
    steps += 1 + (found ? (size_t)(found - (const char *)bytes) : size) / 16;
    return (void *)found;
}

static uint64_t cost(void (*work)(const void *what, size_t n), const void *what, size_t n)
{
    uint64_t before = steps;
    work(what, n);
    return steps - before;
}

void assert_linear(const char *name, size_t n, void (*work)(const void *what, size_t n),
                   const void *what)
{
    work(what, n);
    uint64_t one = cost(work, what, n), two = cost(work, what, 2 * n),
             four = cost(work, what, 4 * n);
    uint64_t first = two > one ? two - one : 0, second = four > two ? four - two : 0;
    bool grows = (double)second > GROWTH_MOST * (double)first &&
                 (double)four > GROWTH_WHOLE * (double)one; /* and no jump that comes once */
    if (!grows)
        return;
    failures++;
    fprintf(stderr, "%s: %llu steps for %zu, %llu for %zu, %llu for %zu\n", name,
            (unsigned long long)one, n, (unsigned long long)two, 2 * n, (unsigned long long)four,
            4 * n);
}

unsigned growth_failures(void)
{
    return failures;
}
