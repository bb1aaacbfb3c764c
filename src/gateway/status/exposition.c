/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing families and samples. What comes from outside is a label's value, and nothing in it can
 * end the quotes or the line. */
#include "gateway/status/exposition.h"

#include <assert.h>
#include <inttypes.h>

static void begin_family(struct exposition *page, const char *prefix, const char *name,
                         enum exposition_kind kind, const char *help)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    page->is_total = kind == EXPOSITION_COUNTER;
    const char *total = page->is_total && !page->is_open_metrics ? "_total" : "";
    snprintf(page->family, sizeof page->family, "%s%s", prefix, name);
    strbuf_printf(page->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", page->family, total, help,
                  page->family, total, types[kind]);
}

void exposition_family(struct exposition *page, const char *name, enum exposition_kind kind,
                       const char *help)
{
    begin_family(page, "weir_", name, kind, help);
}

void exposition_standard_family(struct exposition *page, const char *name,
                                enum exposition_kind kind, const char *help)
{
    begin_family(page, "", name, kind, help);
}

/* What is not ASCII may be no UTF-8, which readers refuse: it is written as '?'. */
static void add_value(struct strbuf *out, const char *value)
{
    for (; *value; value++) {
        const unsigned char byte = (unsigned char)*value;
        if (byte == '\n')
            strbuf_add_text(out, "\\n");
        else if (byte == '"' || byte == '\\')
            strbuf_printf(out, "\\%c", byte);
        else
            strbuf_add_byte(out, byte < ' ' || byte > '~' ? '?' : byte);
    }
}

/* bound: the label le of a bucket; NULL: none. */
static void add_name(const struct exposition *page, const char *suffix,
                     const struct exposition_label *labels, size_t count, const char *bound)
{
    const char *before = "{";
    strbuf_printf(page->out, "%s%s", page->family, suffix);
    for (size_t i = 0; i < count; i++) {
        strbuf_printf(page->out, "%s%s=\"", before, labels[i].name);
        add_value(page->out, labels[i].value);
        strbuf_add_byte(page->out, '"');
        before = ",";
    }
    if (bound)
        strbuf_printf(page->out, "%sle=\"%s\"", before, bound);
    strbuf_add_text(page->out, count || bound ? "} " : " ");
}

void exposition_number(struct exposition *page, const struct exposition_label *labels, size_t count,
                       int64_t value)
{
    add_name(page, page->is_total ? "_total" : "", labels, count, NULL);
    strbuf_printf(page->out, "%" PRId64 "\n", value);
}

void exposition_seconds(struct exposition *page, const struct exposition_label *labels,
                        size_t count, double value)
{
    add_name(page, page->is_total ? "_total" : "", labels, count, NULL);
    strbuf_printf(page->out, "%.9f\n", value);
}

void exposition_histogram(struct exposition *page, const struct exposition_label *labels,
                          size_t count, const struct durations *durations)
{
    int64_t so_far = 0;
    char bound[32];
    for (unsigned i = 0; i <= DURATIONS_BOUNDS; i++) {
        so_far += atomic_load_explicit(&durations->counts[i], memory_order_relaxed);
        if (i < DURATIONS_BOUNDS)
            snprintf(bound, sizeof bound, "%.9f",
                     (double)durations_bound_ns(i) / (double)CLOCK_NS_PER_S);
        add_name(page, "_bucket", labels, count, i < DURATIONS_BOUNDS ? bound : "+Inf");
        strbuf_printf(page->out, "%" PRId64 "\n", so_far);
    }
    add_name(page, "_sum", labels, count, NULL);
    strbuf_printf(page->out, "%.9f\n",
                  (double)atomic_load_explicit(&durations->sum_ns, memory_order_relaxed) /
                      (double)CLOCK_NS_PER_S);
    add_name(page, "_count", labels, count, NULL);
    strbuf_printf(page->out, "%" PRId64 "\n", so_far);
}

void exposition_end(struct exposition *page)
{
    if (page->is_open_metrics)
        strbuf_add_text(page->out, "# EOF\n");
}
