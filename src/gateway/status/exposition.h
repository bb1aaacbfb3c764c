/* SPDX-License-Identifier: Apache-2.0
 *
 * Prometheus's text format 0.0.4, and OpenMetrics 1.0: the same families and samples, written
 * differently.
 *
 *     exposition_family(&page, "connections", EXPOSITION_COUNTER, "clients that have connected");
 *     exposition_number(&page, NULL, 0, 42);
 *
 * Names are without "weir_" and without "_total", which are added. Label values may be any bytes. */
#ifndef WEIR_GATEWAY_STATUS_EXPOSITION_H
#define WEIR_GATEWAY_STATUS_EXPOSITION_H

#include "base/base.h"

#define EXPOSITION_NAME_BYTES 128

enum exposition_kind { EXPOSITION_COUNTER, EXPOSITION_GAUGE, EXPOSITION_HISTOGRAM };

struct exposition {
    struct strbuf *out;
    bool is_open_metrics;
    bool is_total; /* the family's samples end in _total */
    char family[EXPOSITION_NAME_BYTES];
};

struct exposition_label {
    const char *name, *value;
};

/* Begins a family: all of its samples follow before the next one. help: one line. */
void exposition_family(struct exposition *page, const char *name, enum exposition_kind kind,
                       const char *help);

/* The same for a name that Prometheus has given: nothing is put before it. */
void exposition_standard_family(struct exposition *page, const char *name,
                                enum exposition_kind kind, const char *help);

void exposition_number(struct exposition *page, const struct exposition_label *labels, size_t count,
                       int64_t value);
void exposition_seconds(struct exposition *page, const struct exposition_label *labels,
                        size_t count, double value);

/* Of one thread's own, or of a sum. */
void exposition_histogram(struct exposition *page, const struct exposition_label *labels,
                          size_t count, const struct durations *durations);

void exposition_end(struct exposition *page);

#endif
