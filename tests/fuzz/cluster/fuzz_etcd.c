/* SPDX-License-Identifier: Apache-2.0
 *
 * What etcd says: answers, and lines of a watch. Input: a byte that says how many bytes come at a time, then the
 * bytes. All of them are one answer, and a stream of lines, whose lines are answers. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/etcd_answer.h"
#include "cluster/etcd_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every byte of what was read can be read. */
static void look(const char *text, size_t size)
{
    struct etcd_answer answer;
    struct error error = {""};
    size_t sum = 0;
    const int status = etcd_answer_read(&answer, text, size, &error);
    assert((status == 0) == (error.message[0] == 0));
    assert(!answer.is_error || (answer.message[0] && !strchr(answer.message, '\n')));
    for (size_t i = 0; i < answer.count; i++) {
        assert(answer.entries[i].key.size > 0 && answer.entries[i].revision > 0);
        for (size_t at = 0; at < answer.entries[i].key.size; at++)
            sum += (unsigned char)answer.entries[i].key.data[at];
        for (size_t at = 0; at < answer.entries[i].value.size; at++)
            sum += (unsigned char)answer.entries[i].value.data[at];
    }
    assert(sum < SIZE_MAX);
    assert(answer.ttl_s >= 0 && answer.revision >= 0);
    etcd_answer_release(&answer);
}

struct counted {
    size_t lines, bytes;
};

static bool on_line(void *user, const char *line, size_t size)
{
    struct counted *counted = user;
    assert(size > 0 && !memchr(line, '\n', size));
    counted->lines++;
    counted->bytes += size;
    look(line, size);
    return true;
}

/* A copy of its own for each piece, so that reading past its end is seen. */
static struct counted feed(const uint8_t *bytes, size_t size, size_t piece)
{
    struct etcd_lines lines = {.begun = STRBUF_INIT};
    struct counted counted = {0, 0};
    for (size_t at = 0; at < size; at += piece) {
        const size_t some = piece < size - at ? piece : size - at;
        char *copy = malloc(some);
        assert(copy);
        memcpy(copy, bytes + at, some);
        const bool goes_on = etcd_lines_add(&lines, copy, some, on_line, &counted);
        assert(goes_on);
        free(copy);
    }
    etcd_lines_release(&lines);
    return counted;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    char *copy = malloc(size - 1);
    assert(copy);
    memcpy(copy, data + 1, size - 1);
    look(copy, size - 1);
    free(copy);
    const struct counted whole = feed(data + 1, size - 1, size);
    const struct counted pieces = feed(data + 1, size - 1, data[0] + 1U);
    assert(whole.lines == pieces.lines && whole.bytes == pieces.bytes);
    return 0;
}
