/* SPDX-License-Identifier: Apache-2.0
 *
 * What of this node's counts is to be published, and as which value. */
#ifndef IP_FILTER_OWN_COUNTS_H
#define IP_FILTER_OWN_COUNTS_H

#include <weir/strbuf.h>

#include "shared_counts.h"

struct own_counts {
    const struct shared_counts_rules *rules;
    size_t nodes;         /* in the cluster that count something, this one too */
    bool counts_anything; /* set where there is something that a limit is about */
};

/* Looks at a part's counts: all, or those that have changed since. Returns whether some are to be published. */
WEIR_MUST_CHECK bool own_counts_review(struct own_counts *own, unsigned part, bool is_all,
                                       int64_t now);

/* Appends the value of a part, and notes its counts as published; nothing where there are none. Returns how many are left
 * out of it, because there are too many or there is no memory. */
size_t own_counts_print(const struct own_counts *own, unsigned part, int64_t now,
                        struct strbuf *out);

#endif
