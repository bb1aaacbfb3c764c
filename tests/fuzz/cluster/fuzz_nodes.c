/* SPDX-License-Identifier: Apache-2.0
 *
 * What other nodes say: records of themselves, KILLs, lists of sessions, and answers to them. Input: the text. What is read and written
 * again is read alike. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/cluster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct store_bytes bytes_of(const struct strbuf *text)
{
    return (struct store_bytes){text->data, text->size};
}

static void look_at_record(struct store_bytes text)
{
    struct node_record record, again;
    struct strbuf written = STRBUF_INIT;
    if (!node_record_read(&record, text))
        return;
    node_record_write(&written, &record);
    assert(!written.failed && node_record_read(&again, bytes_of(&written)));
    assert(record.plugin_count == again.plugin_count && record.since_s == again.since_s);
    assert(strcmp(record.address, again.address) == 0);
    for (size_t i = 0; i < record.plugin_count; i++)
        assert(node_record_has(&again, record.plugins[i].name));
    node_record_release(&again);
    node_record_release(&record);
    strbuf_release(&written);
}

static void look_at_kill(struct store_bytes text)
{
    struct node_kill kill, again;
    struct strbuf written = STRBUF_INIT;
    if (!node_kill_read(&kill, text))
        return;
    node_kill_write(&written, &kill);
    assert(!written.failed && node_kill_read(&again, bytes_of(&written)));
    assert(kill.id == again.id && kill.lease == again.lease && kill.is_query == again.is_query &&
           kill.is_granted == again.is_granted && strcmp(kill.user, again.user) == 0);
    strbuf_release(&written);
}

static void look_at_processes(struct store_bytes text)
{
    struct node_processes_question question;
    struct node_processes read, again;
    struct strbuf written = STRBUF_INIT;
    if (node_processes_question_read(&question, text))
        node_processes_question_release(&question);
    question = (struct node_processes_question){.user = ""};
    if (!node_processes_read(&read, text))
        return;
    node_processes_write(&written, read.rows, read.count, &question, SIZE_MAX / 2);
    assert(!written.failed && node_processes_read(&again, bytes_of(&written)));
    assert(again.count <= read.count && !again.has_more); /* of two with one id, one is written */
    node_processes_release(&again);
    node_processes_release(&read);
    strbuf_release(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct node_kill_answer answer;
    char *copy = malloc(size + 1); /* of its own size, so that reading past its end is seen */
    assert(copy);
    if (size)
        memcpy(copy, data, size);
    copy = realloc(copy, size ? size : 1);
    assert(copy);
    const struct store_bytes text = {copy, size};
    look_at_record(text);
    look_at_kill(text);
    look_at_processes(text);
    if (node_kill_answer_read(&answer, text))
        assert(strlen(answer.message) < sizeof answer.message);
    free(copy);
    return 0;
}
