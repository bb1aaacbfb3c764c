/* SPDX-License-Identifier: Apache-2.0
 *
 * KILLs between nodes, by jansson. What is missing or of another type makes a text no KILL: half of one may be
 * another one. */
#include "cluster/node_kill.h"

#include <string.h>

#include "cluster/json_text.h"

static const char *const outcomes[] = {
#define X(enumerator, name) name,
    NODE_KILL_OUTCOMES(X)
#undef X
};

#define OUTCOMES (sizeof outcomes / sizeof *outcomes)

void node_kill_write(struct strbuf *out, const struct node_kill *kill)
{
    json_text_write(out, json_pack("{s:s, s:I, s:I, s:b, s:b, s:b, s:o}", "ask", "kill", "id",
                                   (json_int_t)kill->id, "lease", (json_int_t)kill->lease, "query",
                                   kill->is_query, "soft", kill->is_soft, "granted",
                                   kill->is_granted, "user", json_text_of(kill->user)));
}

void node_kill_answer_write(struct strbuf *out, const struct node_kill_answer *answer)
{
    assert((size_t)answer->outcome < OUTCOMES);
    json_text_write(out, json_pack("{s:s, s:o}", "outcome", outcomes[answer->outcome], "message",
                                   json_text_of(answer->message)));
}

bool node_kill_read(struct node_kill *kill, struct store_bytes bytes)
{
    const char *ask = "", *user = "";
    json_int_t id = 0, lease = 0;
    int query = 0, soft = 0, granted = 0;
    json_t *root = json_loadb(bytes.data, bytes.size, JSON_REJECT_DUPLICATES, NULL);
    *kill = (struct node_kill){0};
    const bool is_one = root &&
                        json_unpack(root, "{s:s, s:I, s:I, s:b, s:b, s:b, s:s}", "ask", &ask, "id",
                                    &id, "lease", &lease, "query", &query, "soft", &soft, "granted",
                                    &granted, "user", &user) == 0 &&
                        strcmp(ask, "kill") == 0 && id > 0 && id <= UINT32_MAX &&
                        strlen(user) < sizeof kill->user;
    if (is_one) {
        kill->id = (uint32_t)id;
        kill->lease = lease;
        kill->is_query = query;
        kill->is_soft = soft;
        kill->is_granted = granted;
        memcpy(kill->user, user, strlen(user));
    }
    json_decref(root);
    return is_one;
}

bool node_kill_answer_read(struct node_kill_answer *answer, struct store_bytes bytes)
{
    const char *outcome = "", *message = "";
    json_t *root = json_loadb(bytes.data, bytes.size, JSON_REJECT_DUPLICATES, NULL);
    *answer = (struct node_kill_answer){.outcome = NODE_KILL_FAILED};
    bool is_one =
        root && json_unpack(root, "{s:s, s:s}", "outcome", &outcome, "message", &message) == 0;
    size_t at = 0;
    while (is_one && at < OUTCOMES && strcmp(outcomes[at], outcome) != 0)
        at++;
    is_one = is_one && at < OUTCOMES;
    if (is_one) {
        answer->outcome = (enum node_kill_outcome)at;
        snprintf(answer->message, sizeof answer->message, "%s", message);
    }
    json_decref(root);
    return is_one;
}
