/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash table of connections, with a lock for each slot.
 *
 * A connection is known by its socket's state (net.pvio), which outlives the handle when the library
 * reconnects by itself: it then makes the new connection with a handle of its own, and moves it into
 * the old one.
 *
 * The slot's lock is held while the plugin is called: connections that share a slot wait for each
 * other, and a plugin must not use its own connection. A session that is over stays in the table
 * until the connection is closed; otherwise what follows could pass for a beginning. */
#include "trace/attach/connections.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "trace/attach/socket_table.h"

enum {
    TABLE_SLOTS = 256,
    KEEP_LIMIT_BYTES = 1 << 30, /* the most that max_allowed_packet can be */
    GREETING_VERSION = 10,
};

struct traced {
    const void *socket;
    MYSQL *handle;
    struct trace_session *session; /* NULL: there was no memory for one */
    struct traced *next;
};

/* NULL: connections that begin are not traced. The library is patched before the plugin's init has
 * succeeded, so its threads may call in while this is NULL. */
static _Atomic(struct st_mysql_client_plugin_TRACE *) traced_by;

static struct {
    pthread_mutex_t lock;
    struct traced *first;
} table[TABLE_SLOTS] = {[0 ... TABLE_SLOTS - 1] = {PTHREAD_MUTEX_INITIALIZER, NULL}};

static unsigned slot_of(const MYSQL *handle)
{
    uintptr_t bits = (uintptr_t)handle->net.pvio;
    return (unsigned)((bits >> 5) ^ (bits >> 13)) % TABLE_SLOTS;
}

/* Returns the link to the connection in its slot's list, or the link at the list's end. */
static struct traced **find(struct traced **first, const MYSQL *handle)
{
    while (*first && (*first)->socket != handle->net.pvio)
        first = &(*first)->next;
    return first;
}

/* Returns NULL if the connection is not traced: there is no plugin, or no memory. */
static struct traced *begin_connection(MYSQL *handle)
{
    const struct trace_session_info info = {.handle = handle};
    const struct trace_options options = {.keep_limit = KEEP_LIMIT_BYTES};
    struct st_mysql_client_plugin_TRACE *plugin = atomic_load(&traced_by);
    struct traced *traced = plugin ? calloc(1, sizeof *traced) : NULL;
    if (traced)
        *traced = (struct traced){handle->net.pvio, handle,
                                  trace_session_begin(plugin, &info, &options), NULL};
    return traced;
}

static bool is_greeting(const unsigned char *bytes, size_t size)
{
    return size > 4 && bytes[3] == 0 && bytes[4] == GREETING_VERSION;
}

/* Finds the connection, or begins it if these bytes are a greeting. NULL: it is not traced. */
static struct traced *connection_of(struct traced **first, MYSQL *handle, bool is_write,
                                    const unsigned char *bytes, size_t size)
{
    struct traced **link = find(first, handle);
    if (!*link && !is_write && is_greeting(bytes, size)) {
        *link = begin_connection(handle);
    } else if (*link && (*link)->handle != handle && (*link)->session) {
        (*link)->handle = handle;
        trace_session_set_handle((*link)->session, handle);
    }
    return *link;
}

static void end_connection(struct traced **link)
{
    struct traced *traced = *link;
    *link = traced->next;
    trace_session_end(traced->session);
    free(traced);
}

static void on_bytes(struct traced **first, bool is_write, MYSQL *handle,
                     const unsigned char *bytes, size_t size)
{
    struct traced *traced = connection_of(first, handle, is_write, bytes, size);
    socket_table_watch_close(handle, connections_on_traffic);
    if (traced && traced->session)
        trace_session_bytes(traced->session, is_write ? WIRE_FROM_CLIENT : WIRE_FROM_SERVER, bytes,
                            size);
}

static void on_close(struct traced **first, const MYSQL *handle)
{
    struct traced **link = find(first, handle);
    if (*link)
        end_connection(link);
}

void connections_on_traffic(int is_write, MYSQL *handle, const unsigned char *bytes, size_t size)
{
    int saved_errno =
        errno; /* the library looks at it after its call, and a plugin may change it */
    if (!handle || !handle->net.pvio)
        return;
    if (bytes && (size == 0 || (ssize_t)size < 0))
        return; /* the call failed: the library closes the connection, or tries again */
    unsigned slot = slot_of(handle);
    pthread_mutex_lock(&table[slot].lock);
    if (bytes)
        on_bytes(&table[slot].first, is_write != 0, handle, bytes, size);
    else
        on_close(&table[slot].first, handle);
    pthread_mutex_unlock(&table[slot].lock);
    errno = saved_errno;
}

void connections_begin(struct st_mysql_client_plugin_TRACE *plugin)
{
    assert(plugin && !atomic_load(&traced_by));
    atomic_store(&traced_by, plugin);
}

void connections_end(void)
{
    atomic_store(&traced_by, NULL); /* first: no slot that was emptied gets a connection again */
    for (unsigned slot = 0; slot < TABLE_SLOTS; slot++) {
        pthread_mutex_lock(&table[slot].lock);
        while (table[slot].first)
            end_connection(&table[slot].first);
        pthread_mutex_unlock(&table[slot].lock);
    }
}
