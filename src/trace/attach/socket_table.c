/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds and patches Connector/C's table of socket functions.
 *
 * The table is writable memory of the library, so no protection is changed. `original` is complete
 * before the first function is replaced, and stays: a thread that is inside one of ours when it is
 * detached still finds the library's own. */
#include "trace/attach/socket_table.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

/* Only <ma_pvio.h> of the installed headers describes the table. */
#include <ma_pvio.h>

#include "trace/attach/loaded_file.h"

enum { PVIO_PLUGIN_TYPE = 101, PVIO_PLUGIN_VERSION = 0x0100 };

struct declaration {
    MYSQL_CLIENT_PLUGIN_HEADER
    struct st_ma_pvio_methods *methods;
};

struct search {
    uintptr_t caller;
    const struct declaration *found;
    unsigned count;
};

static struct st_ma_pvio_methods *table, original;
static traffic_function *report;
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool is_patched;

static bool is_declaration(const struct dl_phdr_info *file, const struct declaration *candidate)
{
    static const char name[] = "pvio_socket";
    return candidate->type == PVIO_PLUGIN_TYPE &&
           candidate->interface_version == PVIO_PLUGIN_VERSION &&
           loaded_file_holds(file, (uintptr_t)candidate->name, sizeof name) &&
           memcmp(candidate->name, name, sizeof name) == 0 &&
           loaded_file_holds(file, (uintptr_t)candidate->methods, sizeof *candidate->methods);
}

static void search_segment(const struct dl_phdr_info *file, const ElfW(Phdr) * segment,
                           struct search *search)
{
    const char *start = (const char *)file->dlpi_addr + segment->p_vaddr; // NOLINT
    size_t skew = (uintptr_t)start % sizeof(void *);
    for (size_t at = skew ? sizeof(void *) - skew : 0;
         at <= segment->p_memsz - sizeof(struct declaration); at += sizeof(void *)) {
        const struct declaration *candidate = (const struct declaration *)(start + at);
        if (is_declaration(file, candidate)) {
            search->found = candidate;
            search->count++;
        }
    }
}

static int search_file(struct dl_phdr_info *file, size_t size, void *context)
{
    struct search *search = context;
    (void)size;
    if (!loaded_file_holds(file, search->caller, 1))
        return 0;
    for (int i = 0; i < file->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &file->dlpi_phdr[i];
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) &&
            segment->p_memsz >= sizeof(struct declaration))
            search_segment(file, segment, search);
    }
    return 1;
}

/* ---- ours, in place of the library's ---- */

static ssize_t read_and_report(MARIADB_PVIO *pvio, uchar *buffer, size_t length)
{
    ssize_t size = original.read(pvio, buffer, length);
    report(0, pvio->mysql, buffer, (size_t)size);
    return size;
}

static ssize_t write_and_report(MARIADB_PVIO *pvio, const uchar *buffer, size_t length)
{
    ssize_t size = original.write(pvio, buffer, length);
    report(1, pvio->mysql, buffer, (size_t)size);
    return size;
}

/* The same for programs that use the library's functions which do not wait. */
static ssize_t async_read_and_report(MARIADB_PVIO *pvio, uchar *buffer, size_t length)
{
    ssize_t size = original.async_read(pvio, buffer, length);
    report(0, pvio->mysql, buffer, (size_t)size);
    return size;
}

static ssize_t async_write_and_report(MARIADB_PVIO *pvio, const uchar *buffer, size_t length)
{
    ssize_t size = original.async_write(pvio, buffer, length);
    report(1, pvio->mysql, buffer, (size_t)size);
    return size;
}

static my_bool close_and_report(MARIADB_PVIO *pvio)
{
    report(0, pvio->mysql, NULL, 0);
    return original.close(pvio);
}

/* ---- patching ---- */

static void keep_original(struct st_ma_pvio_methods *methods, traffic_function *callback)
{
    assert(methods && callback && !table);
    report = callback;
    table = methods;
    original = *table;
}

bool socket_table_attach(void *caller, traffic_function *callback)
{
    struct search search = {.caller = (uintptr_t)caller};
    dl_iterate_phdr(search_file, &search);
    if (search.count != 1)
        return false;
    const struct st_ma_pvio_methods *methods = search.found->methods;
    if (!methods->read || !methods->write || !methods->close)
        return false;
    keep_original(search.found->methods, callback);
    table->read = read_and_report;
    table->write = write_and_report;
    table->close = close_and_report;
    if (original.async_read)
        table->async_read = async_read_and_report;
    if (original.async_write)
        table->async_write = async_write_and_report;
    atomic_store(&is_patched, true);
    return true;
}

void socket_table_watch_close(const MYSQL *handle, traffic_function *callback)
{
    if (atomic_load_explicit(&is_patched, memory_order_acquire) || !handle->net.pvio ||
        !handle->net.pvio->methods || !handle->net.pvio->methods->close)
        return;
    pthread_mutex_lock(&table_lock);
    if (!table) {
        keep_original(handle->net.pvio->methods, callback);
        table->close = close_and_report;
    }
    atomic_store_explicit(&is_patched, true, memory_order_release);
    pthread_mutex_unlock(&table_lock);
}

void socket_table_detach(void)
{
    if (!table)
        return;
    table->read = original.read;
    table->write = original.write;
    table->close = original.close;
    table->async_read = original.async_read;
    table->async_write = original.async_write;
    table = NULL;
    atomic_store(&is_patched, false);
}
