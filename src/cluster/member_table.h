/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the nodes that a follower was notified of, by their numbers. Its user locks. */
#ifndef WEIR_CLUSTER_MEMBER_TABLE_H
#define WEIR_CLUSTER_MEMBER_TABLE_H

#include "store/store.h"

struct member_row {
    unsigned number;
    int64_t lease;
    char *record; /* owned */
    size_t record_size;
};

struct member_table {
    struct member_row *rows; /* by number */
    size_t count, capacity;
    size_t prefix_size; /* of keys, before the number */
};

/* The number of a key; 0: it is none's. */
unsigned member_table_number(const struct member_table *table, struct store_bytes key);

/* Takes news in. What there is no memory for is left out. */
void member_table_take(struct member_table *table, const struct store_news *news);

/* NULL: there is none. */
const struct member_row *member_table_find(const struct member_table *table, unsigned number);

void member_table_release(struct member_table *table);

#endif
