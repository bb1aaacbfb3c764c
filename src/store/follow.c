/* SPDX-License-Identifier: Apache-2.0
 *
 * A follower of a prefix: everything at first, and where changes have been cleared before it was told of
 * them; otherwise what has changed since. */
#include <stdlib.h>
#include <string.h>

#include "store/parts.h"

struct follow *follow_new(struct store *store, struct store_bytes prefix, store_follower *follower,
                          void *user)
{
    struct follow *made = calloc(1, sizeof *made + prefix.size);
    if (!made)
        return NULL;
    made->store = store;
    made->follower = follower;
    made->user = user;
    made->seen = -1;
    made->prefix_size = prefix.size;
    memcpy(made->prefix, prefix.data, prefix.size);
    return made;
}

static void tell_lost(struct follow *follow, const char *why)
{
    if (follow->is_lost)
        return;
    follow->is_lost = true;
    follow->follower(follow->user, &(struct store_news){.kind = STORE_LOST, .message = why});
}

size_t follow_tell(struct follow *follow, const struct store_data *data, const char *lost)
{
    const struct store_bytes prefix = {.data = follow->prefix, .size = follow->prefix_size};
    const bool was_lost = follow->is_lost;
    if (lost) {
        tell_lost(follow, lost);
        return 0;
    }
    if (follow->seen == data->revision && !was_lost)
        return 0;
    const bool is_all = follow->seen < data->compacted; /* always true of the first news */
    struct store_news news = {.kind = is_all ? STORE_EVERYTHING : STORE_CHANGES,
                              .message = "",
                              .revision = data->revision};
    struct store_entry *entries = is_all ? data_keys(data, prefix, &news.count)
                                         : data_changes(data, prefix, follow->seen, &news.count);
    if (!entries)
        return 0; /* no memory: with the next change */
    news.entries = entries;
    follow->is_lost = false;
    follow->seen = data->revision;
    if (is_all || news.count || was_lost)
        follow->follower(follow->user, &news);
    free(entries);
    return news.count;
}
