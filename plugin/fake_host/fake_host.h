/* SPDX-License-Identifier: Apache-2.0
 *
 * A host for a plugin's files outside of a server: in unit tests, fuzz targets, benchmarks, and in
 * weir-firewall. A session is a table of facts that the caller fills in; what the plugin does to
 * its host is counted. Link fake_host.c: it defines what <weir/plugin.h> declares. */
#ifndef PLUGIN_FAKE_HOST_H
#define PLUGIN_FAKE_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <weir/plugin.h>

struct fake_attribute {
    weir_string name, value;
};

/* Borrows all that it points to. */
struct weir_session {
    weir_string text[WEIR_TEXT_FACT_END_];
    uint64_t number[WEIR_NUMBER_FACT_END_];
    const weir_table *tables;
    size_t table_count;
    const weir_routine *routines;
    size_t routine_count;
    const weir_part *parts;
    size_t part_count;
    const weir_parameter *parameters;
    size_t parameter_count;
    const struct fake_attribute *attributes; /* NULL: one that names a client */
    size_t attribute_count;
    weir_string (*part_text)(const weir_session *session, size_t index,
                             uint32_t fact); /* or NULL */
    void *data;
    bool refuses_holds;
};

/* Every fact absent, and every list empty. */
void fake_session_init(struct weir_session *session);

struct weir_hold {
    atomic_int state; /* 0: held; else 1 + the verdict that it was released with */
};

#define FAKE_VARIABLES 64

/* What the host gives to the plugin, set by the caller, and what the plugin has done. */
struct fake_host {
    weir_string library, data_directory;
    weir_string variables[FAKE_VARIABLES]; /* texts of the manifest's sysVars */
    bool prints_errors;                    /* on standard error */
    atomic_uint lines_logged[WEIR_LOG_DEBUG + 1];
    atomic_ullong refusals, limited;                        /* statements */
    atomic_ullong chosen;                                   /* calls of weir_choose_backend() */
    atomic_ullong accounts_expected;                        /* calls of weir_expect_account() */
    const char *(*known_name)(uint32_t list, size_t index); /* NULL: the host is an older one */
    /* The store; NULL: there is none. */
    int (*store_call)(const struct weir_store_request *request);
    int (*store_watch)(weir_string prefix,
                       void (*watcher)(void *user, const struct weir_store_news *news), void *user);
    struct weir_hold *last_hold; /* that was given; one of the last FAKE_HOLDS */
};
#define FAKE_HOLDS 4096
extern struct fake_host fake_host;

/* Waits until the hold is released, and returns the verdict. Aborts after 20 seconds. */
weir_verdict fake_hold_wait(struct weir_hold *hold);

#endif
