/* SPDX-License-Identifier: Apache-2.0
 *
 * A host for the plugin's files: facts that a test sets, holds that it can look at. Include after
 * cmocka.h. */
#ifndef TEST_AUDIT_HOST_H
#define TEST_AUDIT_HOST_H

#include <stdatomic.h>
#include <weir/plugin.h>

struct weir_session {
    weir_string text[WEIR_TEXT_FACT_END_];
    uint64_t number[WEIR_NUMBER_FACT_END_];
    const weir_table *tables;
    size_t table_count;
    bool refuses_holds;
};

struct weir_hold {
    atomic_int state; /* 0: held; else 1 + the verdict */
};

/* Everything absent. */
void host_init(struct weir_session *session);
/* The hold that was given last; waits until it is released, and returns the verdict. */
weir_verdict host_wait(struct weir_hold *hold);
extern struct weir_hold *host_last_hold;
extern atomic_uint host_errors_logged;

/* A new temporary folder; removed, with what is in it, by host_remove(). */
void host_folder(char path[64]);
void host_remove(const char *path);

/* Files end at so many bytes, as on a full disk; 0: no limit. */
void host_limit_files(unsigned long bytes);

#endif
