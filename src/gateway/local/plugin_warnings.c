/* SPDX-License-Identifier: Apache-2.0
 *
 * What a plugin logs as a warning while it carries out a client's statement is a warning of that
 * statement: the client reads its number in the OK, and its text by SHOW WARNINGS.
 *
 *     WORK ──► QUERY: SIGNAL of class '01' ──► ANSWER: the OK of it
 *
 * The backend keeps it: SHOW WARNINGS, @@warning_count and GET DIAGNOSTICS are the server's own, as is
 * when it is forgotten. A backend that does not take the SIGNAL (TiDB has none) says nothing, and the
 * log has the warning all the same. */
#include <string.h>

#include "gateway/local/local.h"

#define MARIADB_MOST 512 /* characters of a MESSAGE_TEXT; more are error 1648 */
#define OTHERS_MOST  128

void local_do_work(struct local *local, void (*work)(struct local *local))
{
    plugin_collect_warnings(&local->warnings);
    work(local);
    plugin_collect_warnings(NULL);
}

static void keep_packet(struct local *local, const struct wire_packet *packet,
                        const struct wire_result *result)
{
    local_keep_ok(local, packet, result, &local->warned, &local->warned_result);
}

/* Bytes of the text that are no more than `most` and end with a whole character. */
static size_t cut(const struct strbuf *text, size_t most)
{
    size_t size = text->size < most ? text->size : most;
    while (size > 0 && size < text->size && ((unsigned char)text->data[size] & 0xc0) == 0x80)
        size--;
    return size;
}

bool local_has_warnings(const struct local *local)
{
    return local->warnings.size > 0 && !local->warnings.failed;
}

struct local_action local_warn(struct local *local, local_next *next)
{
    bool is_mariadb = local->observed->identity.mode.dialect == SQL_DIALECT_MARIADB;
    size_t size = cut(&local->warnings, is_mariadb ? MARIADB_MOST : OTHERS_MOST);
    strbuf_reset(&local->packet);
    strbuf_printf(&local->packet,
                  "SIGNAL SQLSTATE '01000' SET MYSQL_ERRNO = %u, "
                  "MESSAGE_TEXT = _utf8mb4 0x",
                  WIRE_ER_UNKNOWN_ERROR);
    for (size_t i = 0; i < size;
         i++) /* digits, which each sql_mode and character set reads alike */
        strbuf_printf(&local->packet, "%02x", (unsigned char)local->warnings.data[i]);
    if (local->packet.failed)
        return local_out_of_memory(local);
    return (struct local_action){
        .kind = LOCAL_QUERY, .text = local->packet.data, .packet = keep_packet, .next = next};
}

struct local_action local_ok_warned(struct local *local)
{
    struct local_action end = local_ok(local);
    if (local->warned.size > 0 && !local->warned.failed) {
        local->answer.kind = LOCAL_PAYLOAD;
        local->answer.payload = local->warned.data;
        local->answer.payload_size = local->warned.size;
        local->answer.result = local->warned_result;
    }
    return end;
}
