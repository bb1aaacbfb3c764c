/* SPDX-License-Identifier: Apache-2.0
 *
 * puppet: a plugin in the test's own program, which does what a test told it to do at the next event
 * of a name, writes down every event that it is notified of, and asserts the rules of events:
 *
 *     (PreConnect) ─► PreAuth ─► Connected ─► ... ─► Disconnect      or      ... ─► Reject
 *     each Starting ─► one Completed or Error
 *
 * In each event it reads every byte of every fact, so that a stale one is seen. */
#ifndef WEIR_TESTS_SESSION_PUPPET_H
#define WEIR_TESTS_SESSION_PUPPET_H

#include "plugin/host/plugin_variables.h"
#include "plugin/host/registry.h"

/* X(enumerator, name) */
#define PUPPET_EVENTS(X)                                                                           \
    X(PUPPET_PRE_AUTH, "PreAuth")                                                                  \
    X(PUPPET_CONNECTED, "Connected")                                                               \
    X(PUPPET_DISCONNECT, "Disconnect")                                                             \
    X(PUPPET_REJECT, "Reject")                                                                     \
    X(PUPPET_CHANGE_USER, "ChangeUser")                                                            \
    X(PUPPET_PRE_PARSE, "PreParse")                                                                \
    X(PUPPET_STARTING, "Starting")                                                                 \
    X(PUPPET_COMPLETED, "Completed")                                                               \
    X(PUPPET_ERROR, "Error")                                                                       \
    X(PUPPET_GLOBAL_VARIABLE, "GlobalVariable")                                                    \
    X(PUPPET_PRE_CONNECT, "PreConnect")

enum puppet_event {
#define X(enumerator, name) enumerator,
    PUPPET_EVENTS(X)
#undef X
        PUPPET_EVENT_COUNT
};

/* What it does at an event: bits. */
#define PUPPET_REFUSE  1U  /* answers WEIR_REFUSE, with a reason */
#define PUPPET_FAIL    2U  /* answers WEIR_FAIL */
#define PUPPET_HOLD    4U  /* holds the reply */
#define PUPPET_VERDICT 8U  /* holds its verdict */
#define PUPPET_DECIDED 16U /* ... and decides, to allow, before it returns */
#define PUPPET_LIMIT   32U /* limits the reply to one row and five seconds */
#define PUPPET_CHOOSE  64U /* chooses the backend "two" */
#define PUPPET_MASK    127U

#define PUPPET_HOLDS 64

struct puppet {
    struct plugin_registry registry;
    struct weir_plugin plugin;
    weir_manifest manifest;
    unsigned acts[PUPPET_EVENT_COUNT]; /* at the next event of that kind */
    struct strbuf log;                 /* a line an event */
    struct weir_hold *replies[PUPPET_HOLDS], *verdicts[PUPPET_HOLDS];
    size_t reply_count, verdict_count;
    unsigned flushes;
    json_t *variables, *functions; /* owned */
    int64_t numbers[2];
    unsigned counts[PUPPET_EVENT_COUNT];
    unsigned long bytes_read;
    /* Notified of each event, after its line was written; NULL: nobody. */
    void (*watch)(void *watcher, enum puppet_event event, unsigned acts, weir_session *session);
    void *watcher;
};

/* One at a time. refuses: on_failure = "refuse". needs: PLUGIN_NEEDS_*. declares: it has variables
 * (puppet_level, puppet_name), a status variable (puppet_flushes) and a function (puppet_echo). */
void puppet_begin(struct puppet *puppet, bool refuses, unsigned needs, bool declares);

/* A registry without plugins. */
void puppet_begin_without(struct puppet *puppet);
void puppet_end(struct puppet *puppet);

int puppet_event_find(const char *name, size_t size); /* -1: there is none */
const char *puppet_event_name(enum puppet_event event);

/* Gives the oldest hold back, on a thread of its own if `elsewhere`. false: none is out. */
bool puppet_give_back(struct puppet *puppet, bool ok, bool elsewhere);
bool puppet_decide(struct puppet *puppet, weir_verdict verdict, bool elsewhere);

/* The rules of events; `ended`: the session has ended, so nothing may be outstanding. */
void puppet_check(const struct puppet *puppet, bool ended);

#endif
