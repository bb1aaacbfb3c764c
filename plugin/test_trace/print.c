/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts off the wire are printed as they are: what is compared with this output expects them so. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "print.h"

enum {
    MESSAGE_BYTES = 1024, /* longer messages are cut */
    DUMP_ROWS = 2,
    ROW_BYTES = 16,
    TEXT_COLUMN = 53, /* where a dump's characters begin */
};

int test_trace_is_printing;
int test_trace_is_masking;

void test_trace_print(const MYSQL *handle, const char *format, ...)
{
    char text[MESSAGE_BYTES], message[MESSAGE_BYTES];
    char thread[32] = "";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments); // NOLINT(clang-analyzer-valist.Uninitialized)
    va_end(arguments);
    if (!test_trace_is_printing)
        return;
    if (handle && handle->thread_id)
        snprintf(thread, sizeof thread, "%03lu: ", handle->thread_id);
    int size = snprintf(message, sizeof message - 1, "test_trace: %s%s", thread, text);
    if (size > MESSAGE_BYTES - 2)
        size = MESSAGE_BYTES - 2;
    message[size] = '\n';
    fwrite(message, 1, (size_t)size + 1, stderr);
    fflush(stderr);
}

/* One row of a dump; returns its length. */
static int dump_row(char *out, const unsigned char *bytes, size_t size)
{
    int at = snprintf(out, 2, " ");
    for (size_t i = 0; i < ROW_BYTES; i++) {
        if (i < size)
            at += snprintf(out + at, 4, " %02X", bytes[i]);
        if (i == ROW_BYTES / 2 - 1 && size > ROW_BYTES / 2)
            out[at++] = ' ';
    }
    while (at < TEXT_COLUMN)
        out[at++] = ' ';
    for (size_t i = 0; i < size && i < ROW_BYTES; i++)
        out[at++] = (char)(isprint(bytes[i]) && bytes[i] < 0x80 ? bytes[i] : '.');
    out[at] = 0;
    return at;
}

static void dump(const MYSQL *handle, const char *key, const unsigned char *bytes, size_t size)
{
    char rows[(DUMP_ROWS + 1) * (TEXT_COLUMN + ROW_BYTES + 2)];
    int at = 0;
    size_t shown = 0;
    if (!test_trace_is_printing)
        return;
    for (int row = 0; row < DUMP_ROWS; row++) {
        size_t here = size - shown < ROW_BYTES ? size - shown : ROW_BYTES;
        rows[at++] = '\n';
        at += dump_row(rows + at, bytes ? bytes + shown : NULL, bytes ? here : 0);
        shown += here;
        if (here < ROW_BYTES)
            break;
    }
    rows[at] = 0;
    test_trace_print(handle, "%s: %lu bytes%s", key, (unsigned long)size, rows);
}

static void print_error_packet(const MYSQL *handle, const struct st_trace_event_args *args)
{
    size_t text = byte_at(args, 3) == '#' && args->pkt_len >= 9 ? 9 : 3;
    int size = args->pkt_len > text ? (int)(args->pkt_len - text) : 0;
    if (text == 9)
        test_trace_print(handle, "Server error %lu (%.5s): %.*s", short_at(args, 1),
                         (const char *)args->pkt + 4, size, (const char *)args->pkt + text);
    else
        test_trace_print(handle, "Server error %lu: %.*s", short_at(args, 1), size,
                         size ? (const char *)args->pkt + text : "");
}

static unsigned long statement_id(const unsigned char *bytes, size_t size)
{
    unsigned long id = 0;
    for (size_t i = 0; i < 4 && i < size; i++)
        id |= (unsigned long)bytes[i] << (8 * i);
    return id;
}

static void print_command(const MYSQL *handle, const struct st_trace_event_args *args)
{
    int size = (int)args->pkt_len;
    switch (args->cmd) {
    case QUERY:
        test_trace_print(handle, "QUERY: %.*s", size, (const char *)args->pkt);
        break;
    case STMT_PREPARE:
        test_trace_print(handle, "STMT_PREPARE: %.*s", size, (const char *)args->pkt);
        break;
    case STMT_EXECUTE:
        test_trace_print(handle, "STMT_EXECUTE: %d", (int)statement_id(args->hdr, args->hdr_len));
        break;
    case STMT_RESET:
        test_trace_print(handle, "STMT_RESET: %d", (int)statement_id(args->hdr, args->hdr_len));
        break;
    case STMT_CLOSE:
        test_trace_print(handle, "STMT_CLOSE: %d", (int)statement_id(args->pkt, args->pkt_len));
        break;
    case CHANGE_USER: /* the user is in pkt; the header is what MySQL's plugin prints */
        test_trace_print(handle, "CHANGE_USER: (null)");
        break;
    case QUIT:
        test_trace_print(handle, "QUIT");
        break;
    case BINLOG_DUMP:
    case BINLOG_DUMP_GTID:
    case TABLE_DUMP:
        test_trace_print(handle, "Replication command (%d) - disabling further tracing", args->cmd);
        break;
    default:
        test_trace_print(handle, "cmd: %d", args->cmd);
        if (args->hdr_len > 0)
            dump(handle, "cmd hdr", args->hdr, args->hdr_len);
        if (args->pkt_len > 0)
            dump(handle, "cmd args", args->pkt, args->pkt_len);
    }
}

void test_trace_print_details(MYSQL *handle, enum trace_event event,
                              const struct st_trace_event_args *args)
{
    switch (event) {
    case TRACE_EVENT_ERROR:
        test_trace_print(handle, "error %u: %s", handle->net.last_errno, handle->net.last_error);
        break;
    case TRACE_EVENT_AUTH_PLUGIN:
        test_trace_print(handle, "Using authentication plugin: %s", args->plugin_name);
        break;
    case TRACE_EVENT_SEND_SSL_REQUEST:
    case TRACE_EVENT_SEND_AUTH_RESPONSE:
    case TRACE_EVENT_SEND_AUTH_DATA:
    case TRACE_EVENT_SEND_FILE:
        dump(handle, "sending packet", args->pkt, args->pkt_len);
        break;
    case TRACE_EVENT_PACKET_SENT:
        test_trace_print(handle, "packet sent: %lu bytes", (unsigned long)args->pkt_len);
        break;
    case TRACE_EVENT_PACKET_RECEIVED:
        if (byte_at(args, 0) == 0xff)
            print_error_packet(handle, args);
        else
            dump(handle, "packet received", args->pkt, args->pkt_len);
        break;
    case TRACE_EVENT_SEND_COMMAND:
        print_command(handle, args);
        break;
    default:
        break;
    }
}
