/* SPDX-License-Identifier: Apache-2.0
 *
 * Arbitrary bytes, in arbitrary chunks, in both directions of a conversation.
 *
 * Input: one byte of options, then chunks: a byte whose top bit is the direction and whose rest is
 * the chunk's size, then that many bytes; as fuzz_tracker has them. Asserted: every byte that an
 * event shows can be read, the connection ends once, no command but COM_QUIT comes while a reply is
 * due, and the same bytes in single steps make the same events. */
#include <assert.h>
#include <string.h>

#include "trace/protocol/trace_protocol.h"

enum { KEEP = 4096, RESUMED = 1, DEPRECATE_EOF = 2, COMPRESSED = 4, ZSTD = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct account {
    const struct trace_conversation *conversation;
    uint64_t hash;
    unsigned ends;
};

static void add(struct account *account, uint64_t value)
{
    account->hash = (account->hash ^ value) * UINT64_C(0x100000001b3);
}

static int note(void *context, enum protocol_stage stage, enum trace_event event,
                const struct st_trace_event_args *args)
{
    struct account *account = context;
    assert(account->ends == 0); /* nothing comes after the end */
    assert(stage < PROTOCOL_STAGE_LAST && event < TRACE_EVENT_LAST);
    if (event == TRACE_EVENT_SEND_COMMAND && args->cmd != WIRE_COM_QUIT) {
        bool has_reply = wire_command_reply_shape((uint8_t)args->cmd) != WIRE_REPLY_NONE;
        assert(account->conversation->tracker.queue_count <= (has_reply ? 1U : 0U));
    }
    account->ends += event == TRACE_EVENT_DISCONNECTED;
    add(account, (uint64_t)stage << 16 | (uint64_t)event << 8 | (unsigned)args->cmd);
    add(account, args->hdr_len);
    add(account, args->pkt_len);
    for (size_t i = 0; i < args->hdr_len; i++)
        add(account, args->hdr[i]);
    for (size_t i = 0; args->pkt && i < args->pkt_len; i++)
        add(account, args->pkt[i]);
    if (args->plugin_name)
        add(account, strlen(args->plugin_name));
    return 0;
}

static struct account replay(const uint8_t *data, size_t size, size_t step)
{
    const struct trace_options options = {.keep_limit = KEEP};
    struct trace_conversation conversation;
    struct account account = {.conversation = &conversation};
    const uint8_t *end = data + size;
    uint8_t flags = *data++;
    uint64_t capabilities = WIRE_CAP(CLIENT_PROTOCOL_41);
    capabilities |= flags & DEPRECATE_EOF ? WIRE_CAP(CLIENT_DEPRECATE_EOF) : 0;
    capabilities |= flags & COMPRESSED ? WIRE_CAP(CLIENT_COMPRESS) : 0;
    capabilities |= flags & ZSTD ? WIRE_CAP(CLIENT_ZSTD_COMPRESSION_ALGORITHM) : 0;
    if (flags & RESUMED)
        trace_conversation_resume(&conversation, &options, note, &account, capabilities,
                                  capabilities, 2);
    else
        trace_conversation_begin(&conversation, &options, note, &account);
    while (data < end) {
        enum wire_direction direction = *data & 0x80 ? WIRE_FROM_SERVER : WIRE_FROM_CLIENT;
        size_t chunk = *data++ & 0x7f;
        if (chunk > (size_t)(end - data))
            chunk = (size_t)(end - data);
        for (size_t at = 0; at < chunk; at += step)
            trace_conversation_bytes(&conversation, direction, data + at,
                                     chunk - at < step ? chunk - at : step);
        data += chunk;
    }
    trace_conversation_end(&conversation);
    assert(account.ends == 1);
    trace_conversation_release(&conversation);
    return account;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct account whole = replay(data, size, SIZE_MAX), single = replay(data, size, 1);
    assert(whole.hash == single.hash);
    return 0;
}
