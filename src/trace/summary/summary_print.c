/* SPDX-License-Identifier: Apache-2.0
 *
 * A summary as two tables, or as one object of JSON. Times are in milliseconds. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <weir/escape.h>

#include "trace/summary/summary.h"
#include "trace/summary/summary_rows.h"

enum { TEXT_WIDTH = 120 };

static double ms(uint64_t ns)
{
    return (double)ns / 1e6;
}

static int longest_first(struct summary_row *a, struct summary_row *b)
{
    if (a->times.total_ns != b->times.total_ns)
        return a->times.total_ns < b->times.total_ns ? 1 : -1;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return strcmp(a->text, b->text);
}

static double seconds(const struct summary *summary)
{
    return summary->last_ns > summary->first_ns ? ms(summary->last_ns - summary->first_ns) / 1e3
                                                : 0;
}

/* ---- text ---- */

/* One line, whatever is in it. */
static void print_cut(FILE *out, const char *text)
{
    size_t shown = 0;
    for (; shown < TEXT_WIDTH && text[shown]; shown++)
        fputc((unsigned char)text[shown] < ' ' || text[shown] == 0x7f ? '?' : text[shown], out);
    fputs(text[shown] ? "...\n" : "\n", out);
}

static void print_table(struct summary_table *table, const char *title, size_t most, FILE *out)
{
    size_t printed = 0;
    HASH_SORT(table->rows, longest_first);
    fprintf(out, "\n%9s %12s %10s %10s %10s %10s %10s %8s  %s\n", "count", "total ms", "p50 ms",
            "p95 ms", "max ms", "rows", "affected", "errors", title);
    for (struct summary_row *row = table->rows; row && (!most || printed < most);
         row = row->hh.next, printed++) {
        const struct histogram *times = &row->times;
        fprintf(out,
                "%9" PRIu64 " %12.3f %10.3f %10.3f %10.3f %10" PRIu64 " %10" PRIu64 " %8" PRIu64
                "  ",
                row->count, ms(times->total_ns), ms(histogram_percentile(times, 0.5)),
                ms(histogram_percentile(times, 0.95)), ms(times->most_ns), row->rows,
                row->affected_rows, row->errors);
        print_cut(out, row->text);
    }
    if (HASH_COUNT(table->rows) > printed)
        fprintf(out, "... and %zu more\n", (size_t)HASH_COUNT(table->rows) - printed);
}

void summary_print_text(struct summary *summary, size_t most, FILE *out)
{
    fprintf(out,
            "%" PRIu64 " commands in %.3f s, %" PRIu64 " with an error, %" PRIu64
            " without their reply\n",
            summary->count, seconds(summary), summary->errors, summary->unanswered);
    if (summary->failed)
        fprintf(out, "%" PRIu64 " commands were not counted: out of memory\n", summary->failed);
    print_table(&summary->digests, "statement", most, out);
    print_table(&summary->clients, "client", most, out);
}

/* ---- JSON ---- */

/* A client's name may be any bytes: those beyond ASCII become the character of the same number, as in
 * the JSON of events. */
static void print_string(FILE *out, const char *key, const char *text, bool is_utf8)
{
    fprintf(out, "\"%s\":\"", key);
    for (const char *byte = text; *byte; byte++) {
        char form[ESCAPE_JSON_BYTES] = "";
        if ((unsigned char)*byte >= 0x80 && !is_utf8) {
            fprintf(out, "\\u00%02x", (unsigned char)*byte);
        } else {
            size_t size = escape_json_byte((unsigned char)*byte, form);
            fwrite(form, 1, size, out);
        }
    }
    fputs("\",", out);
}

static void print_rows(struct summary_table *table, const char *key, const char *name, size_t most,
                       FILE *out)
{
    size_t printed = 0;
    HASH_SORT(table->rows, longest_first);
    fprintf(out, ",\"%s\":[", key);
    for (struct summary_row *row = table->rows; row && (!most || printed < most);
         row = row->hh.next, printed++) {
        const struct histogram *times = &row->times;
        fputs(printed ? ",\n{" : "\n{", out);
        if (row->digest)
            print_string(out, "digest", row->digest, true);
        print_string(out, name, row->text, table->are_digests);
        fprintf(out,
                "\"count\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"unanswered\":%" PRIu64
                ",\"rows\":%" PRIu64 ",\"affected_rows\":%" PRIu64
                ",\"total_ms\":%.6f,\"p50_ms\":%.6f,\"p95_ms\":%.6f,\"max_ms\":%.6f}",
                row->count, row->errors, row->unanswered, row->rows, row->affected_rows,
                ms(times->total_ns), ms(histogram_percentile(times, 0.5)),
                ms(histogram_percentile(times, 0.95)), ms(times->most_ns));
    }
    fprintf(out, "],\"%s_left_out\":%zu", key, (size_t)HASH_COUNT(table->rows) - printed);
}

void summary_print_json(struct summary *summary, size_t most, FILE *out)
{
    fprintf(out,
            "{\"count\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"unanswered\":%" PRIu64
            ",\"not_counted\":%" PRIu64 ",\"seconds\":%.6f",
            summary->count, summary->errors, summary->unanswered, summary->failed,
            seconds(summary));
    print_rows(&summary->digests, "statements", "statement", most, out);
    print_rows(&summary->clients, "clients", "client", most, out);
    fputs("}\n", out);
}
