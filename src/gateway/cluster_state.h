/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the parts of a link to the cluster. cluster_link.c joins and leaves, cluster_plugins.c has the
 * thread that carries orders out and says what the node is, cluster_kills.c the one for KILLs, cluster_processes.c lists sessions, cluster_sessions.c is
 * what statements ask for, cluster_variables.c has the values of variables. */
#ifndef WEIR_GATEWAY_CLUSTER_STATE_H
#define WEIR_GATEWAY_CLUSTER_STATE_H

#include <utlist.h>

#include "gateway/cluster_link.h"

#define OUTCOME_BYTES 400 /* of a flush, with its time */

/* An order that waits. */
struct cluster_order {
    char *name; /* owned */
    bool disabled, is_granted, flushes;
};

/* A variable's value that the cluster has. */
struct cluster_variable {
    char *name, *text; /* owned; text NULL: DEFAULT */
    int64_t revision;
    bool is_taken;
    char *refusal; /* owned; why it could not be; NULL: nothing yet */
};

/* A KILL that another node asks for. */
struct cluster_kill {
    struct node_kill kill;
    char *key; /* owned; the request's */
    struct node_request request;
    struct cluster_kill *next, *prev;
};

struct cluster_link {
    struct process_store_memory memory; /* first: the store's callbacks need it all */
    struct gateway *gateway;
    struct store *store;
    struct gateway_cluster options;
    char *address, *prefix; /* owned */
    int64_t since_s;
    struct membership *membership;
    struct plugin_keys *keys;
    struct variable_keys *variable_keys;
    struct node_requests *requests;

    /* Main thread. */
    uv_async_t joined;
    uv_timer_t join_timer;
    void (*settled)(void *user);
    void *settled_user;
    bool goes_alone, has_thread, has_kills_thread;
    atomic_bool has_variables; /* the values that the cluster has have been taken */

    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t more;
    bool is_stopped, has_changed; /* changed: what the node says of itself */
    struct cluster_order *orders; /* in order */
    size_t order_count, order_capacity;
    struct cluster_variable *variables;
    size_t variable_count, variable_capacity;
    unsigned number;                         /* that was taken last; 0: none yet */
    bool has_new_variables, variables_begun; /* new: some of them are to be taken */
    char outcomes[PLUGIN_MAX_LOADED]
                 [OUTCOME_BYTES]; /* of the last flush, by the plugin's index; "": none */

    pthread_t kills_thread;
    pthread_mutex_t kills_lock; /* of what follows */
    pthread_cond_t more_kills;
    bool kills_stop;
    struct cluster_kill *kills;
    size_t kill_count;
};

/* plugin_keys_options.order; user: the link. */
void cluster_plugins_order(void *user, const struct plugin_order *order);

/* The link's thread. */
void *cluster_plugins_run(void *user);

/* Notes what came of a flush or of a change of state, and has it said. failure NULL: it has succeeded. Any thread. */
void cluster_plugins_note(struct cluster_link *link, const char *plugin, const char *what,
                          const char *failure);

/* variable_keys_options.order and .begun; user: the link. */
void cluster_variables_order(void *user, const struct variable_order *order);
void cluster_variables_begun(void *user);

/* Takes the values that are new, and those that could not be taken before. The link's thread, without the lock. */
void cluster_variables_take(struct cluster_link *link);

/* Fills in what could not be taken, which is borrowed while the lock is held. */
void cluster_variables_list(const struct cluster_link *link, struct node_record *record);
void cluster_variables_release(struct cluster_link *link);

/* session_cluster.variables_begin and .variable_end */
int cluster_variables_begin(void *owner, struct error *error);
void cluster_variables_end(void *owner, const char *name, const char *text,
                           struct strbuf *warnings);

/* Adds a sentence and its reason to a statement's warnings. */
void cluster_add_warning(struct strbuf *warnings, const char *text, const char *why);

/* Whether statements that are the cluster's may be carried out now: 0, or -1 and a message. */
int cluster_may_act(const struct cluster_link *link, struct error *error);

/* node_requests_options.asked; user: the link. */
void cluster_asked(void *user, const struct node_request *request);

/* What another node asks, if it is for its sessions; returns false otherwise. The store's thread. */
WEIR_MUST_CHECK bool cluster_processes_asked(struct cluster_link *link,
                                             const struct node_request *request);
/* ... and if it is not: a KILL, or nothing that is understood. */
void cluster_kills_asked(struct cluster_link *link, const struct node_request *request);

/* session_cluster.processes */
void cluster_processes_list(void *owner, struct session_process_list *list);

/* The thread for KILLs. */
void *cluster_kills_run(void *user);

/* session_cluster.kill */
enum session_kill_outcome cluster_kills_ask(void *owner, const struct session_kill *kill,
                                            struct error *error);

/* The row of a plugin; SIZE_MAX: it is not loaded. */
size_t cluster_plugins_find(const struct cluster_link *link, const char *name);

#endif
