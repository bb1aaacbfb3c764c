/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions of nodes, by jansson. A row is written by itself first, so that its size is known. */
#include "cluster/node_processes.h"

#include <string.h>

#include "cluster/json_text.h"

#define END_BYTES 32 /* of what follows the rows */

void node_processes_ask(struct strbuf *out, const struct node_processes_question *question)
{
    json_text_write(out,
                    json_pack("{s:s, s:I, s:o}", "ask", "processes", "after",
                              (json_int_t)question->after, "user", json_text_of(question->user)));
}

bool node_processes_question_read(struct node_processes_question *question,
                                  struct store_bytes bytes)
{
    const char *ask = "", *user = "";
    json_int_t after = 0;
    json_t *root = json_loadb(bytes.data, bytes.size, JSON_REJECT_DUPLICATES, NULL);
    *question = (struct node_processes_question){.user = ""};
    const bool is_one =
        root &&
        json_unpack(root, "{s:s, s:I, s:s}", "ask", &ask, "after", &after, "user", &user) == 0 &&
        strcmp(ask, "processes") == 0 && after >= 0 && after <= UINT32_MAX;
    if (!is_one) {
        json_decref(root);
        return false;
    }
    *question =
        (struct node_processes_question){.after = (uint32_t)after, .user = user, .owned = root};
    return true;
}

void node_processes_question_release(struct node_processes_question *question)
{
    json_decref(question->owned);
    *question = (struct node_processes_question){.user = ""};
}

/* ---- Answers ---- */

static void write_row(struct strbuf *out, const struct node_process *row)
{
    json_text_write(
        out, json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)row->id,
                       "time", (json_int_t)row->time_s, "user", json_text_of(row->user), "host",
                       json_text_of(row->host), "db", json_text_of(row->database), "command",
                       json_text_of(row->command), "state", json_text_of(row->state), "digest",
                       json_text_of(row->digest), "text", json_text_of(row->text)));
}

/* The row with the lowest id above; NULL: there is none. */
static const struct node_process *next_row(const struct node_process *rows, size_t count,
                                           uint32_t after)
{
    const struct node_process *next = NULL;
    for (size_t i = 0; i < count; i++)
        if (rows[i].id > after && (!next || rows[i].id < next->id))
            next = &rows[i];
    return next;
}

void node_processes_write(struct strbuf *out, const struct node_process *rows, size_t count,
                          const struct node_processes_question *question, size_t room)
{
    struct strbuf row = STRBUF_INIT;
    const size_t begun = out->size;
    uint32_t after = question->after;
    const struct node_process *next;
    bool has_some = false, fits = true;
    strbuf_add_text(out, "{\"rows\":[");
    while (fits && (next = next_row(rows, count, after)) != NULL) {
        after = next->id;
        if (*question->user && strcmp(next->user, question->user) != 0)
            continue;
        strbuf_reset(&row);
        write_row(&row, next);
        fits = out->size - begun + row.size + END_BYTES <= room;
        if (fits)
            strbuf_printf(out, "%s%s", has_some ? "," : "", row.data);
        has_some = true;
    }
    strbuf_printf(out, "],\"more\":%s}", fits ? "false" : "true");
    out->failed = out->failed || row.failed;
    strbuf_release(&row);
}

static bool read_row(struct node_process *row, json_t *one)
{
    json_int_t id = 0, time_s = -1;
    *row = (struct node_process){.user = ""};
    const bool is_one = json_unpack(one, "{s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", &id,
                                    "time", &time_s, "user", &row->user, "host", &row->host, "db",
                                    &row->database, "command", &row->command, "state", &row->state,
                                    "digest", &row->digest, "text", &row->text) == 0 &&
                        id > 0 && id <= UINT32_MAX;
    row->id = (uint32_t)id;
    row->time_s = time_s;
    return is_one;
}

bool node_processes_read(struct node_processes *processes, struct store_bytes bytes)
{
    json_t *root = json_loadb(bytes.data, bytes.size, JSON_REJECT_DUPLICATES, NULL);
    json_t *list = json_object_get(root, "rows");
    *processes =
        (struct node_processes){.rows = calloc(json_array_size(list) + 1, sizeof *processes->rows),
                                .has_more = json_is_true(json_object_get(root, "more")),
                                .owned = root};
    bool is_one = processes->rows && json_is_array(list);
    for (size_t i = 0; is_one && i < json_array_size(list); i++)
        is_one = read_row(&processes->rows[processes->count++], json_array_get(list, i));
    if (!is_one)
        node_processes_release(processes);
    return is_one;
}

void node_processes_release(struct node_processes *processes)
{
    free(processes->rows);
    json_decref(processes->owned);
    *processes = (struct node_processes){.rows = NULL};
}
