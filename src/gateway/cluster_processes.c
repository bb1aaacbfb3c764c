/* SPDX-License-Identifier: Apache-2.0
 *
 * The sessions of all nodes: each is asked for its own, all at once, and again those that have more than fits into an
 * answer. What another node asks is answered by the worker that adds its sessions last, so that no thread waits. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cluster_state.h"
#include "gateway/processes.h"

#define WAIT_MS 3000 /* for all of it */

/* ---- Asked ---- */

/* What is to be answered, until the workers have said what they have. */
struct asked {
    struct cluster_link *link;
    char *key; /* owned; the request's */
    struct node_request request;
    struct node_processes_question question; /* owned */
};

static void release_asked(struct asked *asked)
{
    node_processes_question_release(&asked->question);
    free(asked->key);
    free(asked);
}

static void on_read(void *user, struct processes *processes)
{
    struct asked *asked = user;
    struct strbuf text = STRBUF_INIT;
    size_t count;
    const struct node_process *rows = processes_rows(processes, &count);
    node_processes_write(&text, rows, count, &asked->question, NODE_ANSWER_BYTES);
    if (!text.failed)
        node_requests_answer(asked->link->requests, &asked->request,
                             (struct store_bytes){text.data, text.size});
    strbuf_release(&text);
    release_asked(asked);
}

bool cluster_processes_asked(struct cluster_link *link, const struct node_request *request)
{
    struct node_processes_question question;
    if (!node_processes_question_read(&question, request->text))
        return false;
    struct asked *asked = calloc(1, sizeof *asked);
    char *key = strdup(request->key);
    if (!asked || !key) {
        node_processes_question_release(&question);
        free(asked);
        free(key);
        return true;
    }
    *asked = (struct asked){.link = link, .key = key, .request = *request, .question = question};
    asked->request.key = key;
    asked->request.text = (struct store_bytes){.data = ""};
    if (!processes_read(link->gateway, on_read, asked))
        release_asked(asked);
    return true;
}

void cluster_asked(void *user, const struct node_request *request)
{
    struct cluster_link *link = user;
    if (!cluster_processes_asked(link, request))
        cluster_kills_asked(link, request);
}

/* ---- Asking ---- */

/* The other nodes, with what they have said so far. */
struct others {
    struct node_question *questions; /* owned */
    struct strbuf *answers;          /* owned, with what they hold; as many as there is room for */
    size_t count, capacity;
};

static void count_one(void *user, const struct member *member)
{
    *(size_t *)user += !member->is_here;
}

static void add_one(void *user, const struct member *member)
{
    struct others *others = user;
    if (member->is_here || others->count == others->capacity)
        return;
    others->questions[others->count++] = (struct node_question){.to = member->number};
}

static bool list_others(struct cluster_link *link, struct others *others)
{
    size_t count = 0;
    (void)membership_each(link->membership, count_one, &count);
    *others = (struct others){.questions = calloc(count + 1, sizeof *others->questions),
                              .answers = calloc(count + 1, sizeof *others->answers),
                              .capacity = count};
    if (!others->questions || !others->answers)
        return false;
    for (size_t i = 0; i < count; i++)
        strbuf_init(&others->answers[i]);
    (void)membership_each(link->membership, add_one, others);
    return true;
}

static void release_others(struct others *others)
{
    for (size_t i = 0; others->answers && i < others->capacity; i++)
        strbuf_release(&others->answers[i]);
    free(others->questions);
    free(others->answers);
}

static void name_missing(struct strbuf *warnings, unsigned node, const char *why)
{
    strbuf_printf(warnings, "%ssessions of node %u are missing: %s", warnings->size ? "; " : "",
                  node, why);
}

/* Gives what a node has answered. Returns the id after which it has more; 0: that is all. */
static uint32_t give_answer(struct session_process_list *list, unsigned node,
                            const struct strbuf *answer)
{
    struct node_processes processes;
    uint32_t last = 0;
    if (answer->failed ||
        !node_processes_read(&processes, (struct store_bytes){answer->data, answer->size})) {
        name_missing(list->warnings, node, "its answer is not understood");
        return 0;
    }
    processes_give(list, node, &processes);
    for (size_t i = 0; processes.has_more && i < processes.count; i++)
        last = processes.rows[i].id > last ? processes.rows[i].id : last;
    node_processes_release(&processes);
    return last;
}

/* Asks a node for what did not fit, until it has said all. */
static void ask_for_more(struct cluster_link *link, struct session_process_list *list,
                         unsigned node, uint32_t after, uint64_t until_ns)
{
    struct strbuf text = STRBUF_INIT, answer = STRBUF_INIT;
    while (after) {
        const struct node_processes_question question = {.after = after,
                                                         .user = list->user ? list->user : ""};
        const uint64_t now_ns = clock_monotonic_ns();
        struct error error = {"it has more than it could say in time"};
        strbuf_reset(&text);
        strbuf_reset(&answer);
        node_processes_ask(&text, &question);
        if (now_ns >= until_ns || text.failed ||
            node_requests_ask(link->requests, node, (struct store_bytes){text.data, text.size},
                              (until_ns - now_ns) / 1000000 + 1, &answer, &error)) {
            name_missing(list->warnings, node, error.message);
            break;
        }
        after = give_answer(list, node, &answer);
    }
    strbuf_release(&text);
    strbuf_release(&answer);
}

static void give_all(struct cluster_link *link, struct session_process_list *list,
                     const struct others *others, const char *failure, uint64_t until_ns)
{
    for (size_t i = 0; i < others->count; i++) {
        const unsigned node = others->questions[i].to;
        if (others->questions[i].is_answered)
            ask_for_more(link, list, node, give_answer(list, node, &others->answers[i]), until_ns);
        else
            name_missing(list->warnings, node, failure);
    }
}

void cluster_processes_list(void *owner, struct session_process_list *list)
{
    struct cluster_link *link = ((const struct worker *)owner)->gateway->cluster;
    const uint64_t until_ns = clock_monotonic_ns() + WAIT_MS * UINT64_C(1000000);
    const struct node_processes_question all = {.user = list->user ? list->user : ""};
    struct others others;
    struct strbuf text = STRBUF_INIT;
    struct error error = {""};
    node_processes_ask(&text, &all);
    const bool ok = list_others(link, &others) && !text.failed && text.size <= NODE_REQUEST_BYTES;
    for (size_t i = 0; ok && i < others.count; i++)
        others.questions[i].answer = &others.answers[i];
    if (!ok)
        strbuf_printf(list->warnings, "%sout of memory to ask other nodes",
                      list->warnings->size ? "; " : "");
    else if (others.count &&
             node_requests_ask_all(link->requests, others.questions, others.count,
                                   (struct store_bytes){text.data, text.size}, WAIT_MS, &error))
        log_warn("cluster", "ADMIN SHOW PROCESSLIST: %s", error.message);
    if (ok)
        give_all(link, list, &others,
                 membership_number(link->membership) ? "it has not answered in time"
                                                     : "the cluster is not reached",
                 until_ns);
    release_others(&others);
    strbuf_release(&text);
}
