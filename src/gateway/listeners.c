/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of listeners, each with a state; a socket that is being closed frees its entry from the loop.
 *
 *     NEW ──► STAYS ──► LEAVES ──► closed
 *      └── abandoned ──► closed */
#include "gateway/listeners.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/service_manager.h"

enum state { STATE_NEW, STATE_STAYS, STATE_LEAVES };

struct listeners_entry {
    struct listener listener; /* first */
    enum state state;
};

static void free_entry(struct listener *listener)
{
    free(listener);
}

static void close_entry(struct listeners_entry **place)
{
    struct listeners_entry *entry = *place;
    *place = NULL;
    if (!listener_close(&entry->listener)) /* otherwise the loop frees it */
        free(entry);
}

/* A free place with an entry that is not open yet; NULL and a message: there is none. */
static struct listeners_entry **make_place(struct listeners *listeners, struct error *error)
{
    struct listeners_entry **place = NULL;
    for (size_t i = 0; !place && i < LISTENERS_MOST; i++)
        if (!listeners->list[i])
            place = &listeners->list[i];
    if (!place) {
        error_set(error, "more than %d sockets to listen on", LISTENERS_MOST);
        return NULL;
    }
    *place = calloc(1, sizeof **place);
    if (!*place) {
        error_set(error, "out of memory");
        return NULL;
    }
    return place;
}

/* Keeps what was opened, or frees the place again. */
static int keep(struct listeners_entry **place, int status)
{
    if (status) {
        free(*place);
        *place = NULL;
        return status;
    }
    (*place)->listener.closed = free_entry;
    return 0;
}

/* Sockets that the service manager has opened take the place of those of the options. */
static WEIR_MUST_CHECK int adopt(struct listeners *listeners, int first, int count,
                                 struct error *error)
{
    listeners->are_adopted = true;
    if (count > LISTENERS_MOST)
        return error_set(error, "the service manager gives %d sockets; weir-server takes %d", count,
                         LISTENERS_MOST);
    for (int i = 0; i < count; i++) {
        struct listeners_entry **place = make_place(listeners, error);
        if (!place || keep(place, listener_adopt(&(*place)->listener, first + i, error)))
            return -1;
    }
    return 0;
}

/* Marks the one that listens there already, if there is one. */
static bool stays(struct listeners *listeners, const char *text)
{
    bool found = false;
    for (size_t i = 0; i < LISTENERS_MOST; i++) {
        struct listeners_entry *entry = listeners->list[i];
        if (entry && strcmp(entry->listener.text, text) == 0) {
            entry->state = STATE_STAYS;
            found = true;
        }
    }
    return found;
}

static WEIR_MUST_CHECK int open_tcp(struct listeners *listeners,
                                    const struct gateway_options *options, struct error *error)
{
    char text[sizeof((struct listener *)0)->text];
    listener_describe_tcp(options->host, options->port, text, sizeof text);
    if (stays(listeners, text))
        return 0;
    struct listeners_entry **place = make_place(listeners, error);
    return !place ? -1
                  : keep(place, listener_open_tcp(&(*place)->listener, options->host, options->port,
                                                  "-host", "-P", error));
}

static WEIR_MUST_CHECK int open_unix(struct listeners *listeners, const char *path,
                                     struct error *error)
{
    if (stays(listeners, path))
        return 0;
    struct listeners_entry **place = make_place(listeners, error);
    return !place ? -1 : keep(place, listener_open_unix(&(*place)->listener, path, error));
}

int listeners_prepare(struct listeners *listeners, const struct gateway_options *options,
                      struct error *error)
{
    const bool has_socket = options->socket && *options->socket;
    if (listeners->are_adopted)
        return 0;
    for (size_t i = 0; i < LISTENERS_MOST; i++)
        if (listeners->list[i])
            listeners->list[i]->state = STATE_LEAVES;
    int status = options->port || has_socket
                     ? 0
                     : error_set(error, "nothing to listen on: give -P PORT or -socket PATH");
    if (status == 0 && options->port)
        status = open_tcp(listeners, options, error);
    if (status == 0 && has_socket)
        status = open_unix(listeners, options->socket, error);
    if (status)
        listeners_abandon(listeners);
    return status;
}

static WEIR_MUST_CHECK int start_new(struct listeners *listeners, struct error *error)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < LISTENERS_MOST; i++) {
        struct listeners_entry *entry = listeners->list[i];
        if (entry && !entry->listener.watch.is_open)
            status = listener_start(&entry->listener, listeners->loop, listeners->accepted,
                                    listeners->user, error);
    }
    return status;
}

void listeners_commit(struct listeners *listeners)
{
    struct error error = {""};
    for (size_t i = 0; i < LISTENERS_MOST; i++)
        if (listeners->list[i] && listeners->list[i]->state == STATE_LEAVES) {
            log_info("gateway", "listening no longer on %s", listeners->list[i]->listener.text);
            close_entry(&listeners->list[i]);
        }
    if (start_new(listeners, &error))
        log_error("gateway", "%s", error.message);
}

void listeners_abandon(struct listeners *listeners)
{
    for (size_t i = 0; i < LISTENERS_MOST; i++) {
        struct listeners_entry *entry = listeners->list[i];
        if (entry && entry->state == STATE_NEW && !entry->listener.watch.is_open)
            close_entry(&listeners->list[i]);
        else if (entry)
            entry->state = STATE_STAYS;
    }
}

int listeners_open(struct listeners *listeners, const struct gateway_options *options,
                   struct error *error)
{
    int first = 0;
    const int given = service_listening_sockets(&first, error);
    if (given)
        return given < 0 ? -1 : adopt(listeners, first, given, error);
    return listeners_prepare(listeners, options, error);
}

int listeners_start(struct listeners *listeners, uv_loop_t *loop,
                    void (*accepted)(void *user, const struct arrival *arrival), void *user,
                    struct error *error)
{
    assert(!listeners->loop);
    listeners->loop = loop;
    listeners->accepted = accepted;
    listeners->user = user;
    return start_new(listeners, error);
}

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < LISTENERS_MOST; i++)
        if (listeners->list[i])
            close_entry(&listeners->list[i]);
}
