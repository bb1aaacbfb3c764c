/* SPDX-License-Identifier: Apache-2.0
 *
 * So many lines a second at most, and a count of those that were left out: what strangers can cause is
 * not to fill a log. Any thread, without a lock. */
#ifndef WEIR_LOG_LIMIT_H
#define WEIR_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* All zero bits: nothing has been written. */
struct log_limit {
    uint64_t second;  /* in which `lines` were asked for */
    uint32_t lines;   /* also those that were not written */
    uint32_t missing; /* left out before this second, and not said yet */
};

/* Whether a line may be written now. *left_out: how many were left out before it, which the caller is to
 * say; 0 for most. */
static inline bool log_limit_at(struct log_limit *limit, uint32_t lines_per_second, uint64_t second,
                                uint32_t *left_out)
{
    uint64_t before = __atomic_load_n(&limit->second, __ATOMIC_SEQ_CST);
    if (second != before && __atomic_compare_exchange_n(&limit->second, &before, second, false,
                                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        uint32_t asked = __atomic_exchange_n(&limit->lines, 0, __ATOMIC_SEQ_CST);
        if (asked > lines_per_second)
            __atomic_fetch_add(&limit->missing, asked - lines_per_second, __ATOMIC_SEQ_CST);
    }
    bool may = __atomic_fetch_add(&limit->lines, 1, __ATOMIC_SEQ_CST) < lines_per_second;
    *left_out = may ? __atomic_exchange_n(&limit->missing, 0, __ATOMIC_SEQ_CST) : 0;
    return may;
}

/* The same by the clock. */
static inline bool log_limit_allows(struct log_limit *limit, uint32_t lines_per_second,
                                    uint32_t *left_out)
{
    return log_limit_at(limit, lines_per_second, (uint64_t)time(NULL), left_out);
}

#endif
