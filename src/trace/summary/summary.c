/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts statements in two tables: by digest, with the command for those without a text, and by
 * client. Only normalised texts are kept, which hold no literals, and so no passwords. */
#include "trace/summary/summary.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "trace/summary/summary_rows.h"

static const char others_name[] = "(others)";

struct summary *summary_new(void)
{
    struct summary *summary = calloc(1, sizeof *summary);
    if (!summary)
        return NULL;
    sql_digester_init(&summary->digester);
    strbuf_init(&summary->key);
    summary->digests.are_digests = true;
    summary->digests.most = SUMMARY_DIGESTS_MOST;
    summary->clients.most = SUMMARY_CLIENTS_MOST;
    return summary;
}

static void free_row(struct summary_row *row)
{
    free(row->name);
    free(row->digest);
    free(row);
}

static void free_table(struct summary_table *table)
{
    struct summary_row *row, *next;
    HASH_ITER(hh, table->rows, row, next)
    {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the next one was read before */
        HASH_DEL(table->rows, row);
        free_row(row);
    }
}

void summary_free(struct summary *summary)
{
    if (!summary)
        return;
    free_table(&summary->digests);
    free_table(&summary->clients);
    sql_digester_release(&summary->digester);
    strbuf_release(&summary->key);
    free(summary);
}

/* The row with this name, which may be new; that of the others where there are too many; NULL: no
 * memory. text: where in the name what is shown begins. */
static struct summary_row *find_row(struct summary_table *table, const char *name, size_t text,
                                    const char *digest)
{
    struct summary_row *row = NULL;
    HASH_FIND_STR(table->rows, name, row);
    if (row)
        return row;
    if (HASH_COUNT(table->rows) >= table->most) {
        if (table->others)
            return table->others;
        name = others_name;
        digest = NULL;
        text = 0;
    }
    row = calloc(1, sizeof *row);
    if (!row)
        return NULL;
    row->name = strdup(name);
    row->digest = digest ? strdup(digest) : NULL;
    if (!row->name || (digest && !row->digest)) {
        free_row(row);
        return NULL;
    }
    row->text = row->name + text;
    if (row->name[0] == others_name[0] && strcmp(row->name, others_name) == 0)
        table->others = row;
    HASH_ADD_KEYPTR(hh, table->rows, row->name, strlen(row->name), row);
    return row;
}

static void count(struct summary_row *row, const struct summary_statement *statement)
{
    row->count++;
    row->errors += statement->error_code != 0;
    row->unanswered += !statement->is_answered;
    row->rows += statement->rows;
    row->affected_rows += statement->affected_rows;
    if (statement->is_answered && statement->start_ns && statement->end_ns >= statement->start_ns)
        histogram_add(&row->times, statement->end_ns - statement->start_ns);
}

/* The digest's row: its key is the digest, and the text after it is shown. */
static struct summary_row *find_digest(struct summary *summary,
                                       const struct summary_statement *statement)
{
    char digest[SQL_DIGEST_BYTES];
    struct sql_span text = {statement->text.data, statement->text.size}, normalized;
    strbuf_reset(&summary->key);
    if (!statement->text.data) {
        strbuf_printf(&summary->key, "(%s)", statement->command);
        return summary->key.failed ? NULL : find_row(&summary->digests, summary->key.data, 0, NULL);
    }
    if (!sql_normalize(&summary->digester, text, &normalized) ||
        !sql_digest(&summary->digester, normalized, digest))
        return NULL;
    size_t shown = normalized.size;
    if (shown > SUMMARY_TEXT_MOST) /* it is UTF-8, and stays so */
        for (shown = SUMMARY_TEXT_MOST; (normalized.at[shown] & 0xc0) == 0x80; shown--)
            ;
    strbuf_printf(&summary->key, "%s %s", digest, statement->is_preparation ? "(prepare) " : "");
    strbuf_add(&summary->key, normalized.at, shown);
    return summary->key.failed
               ? NULL
               : find_row(&summary->digests, summary->key.data, SQL_DIGEST_BYTES, digest);
}

static struct summary_row *find_client(struct summary *summary,
                                       const struct summary_statement *statement)
{
    strbuf_reset(&summary->key);
    strbuf_printf(&summary->key, "%s@%s", statement->user ? statement->user : "?",
                  statement->host ? statement->host : "?");
    return summary->key.failed ? NULL : find_row(&summary->clients, summary->key.data, 0, NULL);
}

void summary_add(struct summary *summary, const struct summary_statement *statement)
{
    assert(summary && statement && statement->command);
    struct summary_row *digest = find_digest(summary, statement);
    struct summary_row *client = digest ? find_client(summary, statement) : NULL;
    if (!client) {
        summary->failed++;
        return;
    }
    count(digest, statement);
    count(client, statement);
    summary->count++;
    summary->errors += statement->error_code != 0;
    summary->unanswered += !statement->is_answered;
    if (statement->start_ns && (!summary->first_ns || statement->start_ns < summary->first_ns))
        summary->first_ns = statement->start_ns;
    if (statement->end_ns > summary->last_ns)
        summary->last_ns = statement->end_ns;
}
