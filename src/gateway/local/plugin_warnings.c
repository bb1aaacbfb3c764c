/* SPDX-License-Identifier: Apache-2.0
 *
 * What plugins have to say to a client while they carry out its statement: what they log as warnings, and
 * accounts that a setting names and that the server does not have. The client reads their number in the
 * answer, and their text by SHOW WARNINGS.
 *
 *     WORK ──► QUERY: which of the accounts are not there ──► QUERY: SIGNAL of class '01' ──► ANSWER
 *
 * The server is asked as the client, in its session; who may not read mysql.user is told that it is not
 * known. The backend keeps the warning: SHOW WARNINGS, @@warning_count and GET DIAGNOSTICS are the
 * server's own, as is when it is forgotten. A backend that does not take the SIGNAL (TiDB has none) says
 * nothing, and the log has the warnings of plugins all the same. */
#include <string.h>

#include "gateway/local/local.h"

#define MARIADB_MOST 512 /* characters of a MESSAGE_TEXT; more are error 1648 */
#define OTHERS_MOST  128

void local_do_work(struct local *local, void (*work)(struct local *local))
{
    plugin_collect_warnings(&local->warnings, &local->accounts);
    work(local);
    plugin_collect_warnings(NULL, NULL);
}

/* ---- Accounts ---- */

static void add_warning(struct local *local, const char *text)
{
    strbuf_add_text(&local->warnings, local->warnings.size ? "; " : "");
    strbuf_add_text(&local->warnings, text);
}

static void missing_account(struct local *local, const struct wire_string *values, size_t count)
{
    if (count != 1 || !values[0].data)
        return;
    add_warning(local, "the server has no account ");
    strbuf_add(&local->warnings, values[0].data, values[0].size);
}

static struct local_action accounts_known(struct local *local, const struct local_outcome *outcome)
{
    if (outcome->error_code) {
        add_warning(local, "whether the server has the accounts that are named is not known: ");
        strbuf_add(&local->warnings, outcome->result->message, outcome->result->message_size);
    }
    return local_conclude(local, (struct local_action){.kind = LOCAL_ANSWER});
}

/* ---- Warnings ---- */

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

/* An OK is the backend's to the SIGNAL; rows end with its number of warnings. */
static struct local_action warned(struct local *local, const struct local_outcome *outcome)
{
    struct local_answer *answer = &local->answer;
    (void)outcome;
    if (local->warned.size > 0 && !local->warned.failed) {
        answer->warnings = local->warned_result.warnings;
        if (answer->kind != LOCAL_ROWS) {
            answer->kind = LOCAL_PAYLOAD;
            answer->payload = local->warned.data;
            answer->payload_size = local->warned.size;
            answer->result = local->warned_result;
        }
    }
    return (struct local_action){.kind = LOCAL_ANSWER};
}

static struct local_action warn(struct local *local)
{
    bool is_mariadb = local->observed->identity.mode.dialect == SQL_DIALECT_MARIADB;
    size_t size = cut(&local->warnings, is_mariadb ? MARIADB_MOST : OTHERS_MOST);
    strbuf_reset(&local->packet);
    strbuf_printf(&local->packet,
                  "SIGNAL SQLSTATE '01000' SET MYSQL_ERRNO = %u, "
                  "MESSAGE_TEXT = _utf8mb4 ",
                  WIRE_ER_UNKNOWN_ERROR);
    plugin_add_hex(&local->packet, local->warnings.data, size);
    return (struct local_action){
        .kind = LOCAL_QUERY, .text = local->packet.data, .packet = keep_packet, .next = warned};
}

struct local_action local_conclude(struct local *local, struct local_action end)
{
    struct local_action next = end;
    if (end.kind != LOCAL_ANSWER || local->answer.kind == LOCAL_ERROR)
        return end;
    if (local->accounts.size > 0 && !local->has_looked) {
        local->has_looked = true;
        strbuf_reset(&local->packet);
        if (plugin_ask_for_accounts(&local->packet, &local->accounts) > 0)
            next = (struct local_action){.kind = LOCAL_QUERY,
                                         .text = local->packet.data,
                                         .row = missing_account,
                                         .next = accounts_known};
    }
    if (next.kind == LOCAL_ANSWER && local->warnings.size > 0 && !local->has_warned) {
        local->has_warned = true;
        next = warn(local);
    }
    const bool has_failed =
        local->packet.failed || local->warnings.failed || local->accounts.failed;
    return next.kind == LOCAL_QUERY && has_failed ? local_out_of_memory(local) : next;
}
