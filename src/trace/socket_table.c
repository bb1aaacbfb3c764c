/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/socket_table.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

/* Only <ma_pvio.h> of the installed headers describes the table. */
#include <ma_pvio.h>

#include "trace/import_table.h"

enum { PVIO_PLUGIN_TYPE = 101, PVIO_PLUGIN_VERSION = 0x0100 };

struct declaration {
    MYSQL_CLIENT_PLUGIN_HEADER
    struct st_ma_pvio_methods *methods;
};

/* The file that holds an address, as it lies in memory. */
struct object {
    uintptr_t caller;
    const struct declaration *found;
    unsigned count;
};

static struct st_ma_pvio_methods *table, original;
static socket_bytes *listener;
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool is_watching; /* the table is ours already */

static bool holds(const struct dl_phdr_info *info, uintptr_t address, size_t size)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && address >= start && address - start < segment->p_memsz &&
            segment->p_memsz - (address - start) >= size)
            return true;
    }
    return false;
}

static bool is_declaration(const struct dl_phdr_info *info, const struct declaration *candidate)
{
    static const char name[] = "pvio_socket";
    return candidate->type == PVIO_PLUGIN_TYPE &&
           candidate->interface_version == PVIO_PLUGIN_VERSION &&
           holds(info, (uintptr_t)candidate->name, sizeof name) &&
           memcmp(candidate->name, name, sizeof name) == 0 &&
           holds(info, (uintptr_t)candidate->methods, sizeof *candidate->methods);
}

static int scan_object(struct dl_phdr_info *info, size_t size, void *context)
{
    struct object *object = context;
    (void)size;
    if (!holds(info, object->caller, 1))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W) ||
            segment->p_memsz < sizeof(struct declaration))
            continue;
        const char *start = (const char *)info->dlpi_addr + segment->p_vaddr; // NOLINT
        size_t skew = (uintptr_t)start % sizeof(void *);
        for (size_t at = skew ? sizeof(void *) - skew : 0;
             at <= segment->p_memsz - sizeof(struct declaration); at += sizeof(void *)) {
            const struct declaration *candidate = (const struct declaration *)(start + at);
            if (is_declaration(info, candidate)) {
                object->found = candidate;
                object->count++;
            }
        }
    }
    return 1;
}

static ssize_t read_through(MARIADB_PVIO *pvio, uchar *buffer, size_t length)
{
    ssize_t size = original.read(pvio, buffer, length);
    listener(0, pvio->mysql, buffer, (size_t)size);
    return size;
}

static ssize_t write_through(MARIADB_PVIO *pvio, const uchar *buffer, size_t length)
{
    ssize_t size = original.write(pvio, buffer, length);
    listener(1, pvio->mysql, buffer, (size_t)size);
    return size;
}

/* The same for programs that use the library's functions which do not wait. */
static ssize_t async_read_through(MARIADB_PVIO *pvio, uchar *buffer, size_t length)
{
    ssize_t size = original.async_read(pvio, buffer, length);
    listener(0, pvio->mysql, buffer, (size_t)size);
    return size;
}

static ssize_t async_write_through(MARIADB_PVIO *pvio, const uchar *buffer, size_t length)
{
    ssize_t size = original.async_write(pvio, buffer, length);
    listener(1, pvio->mysql, buffer, (size_t)size);
    return size;
}

static my_bool close_through(MARIADB_PVIO *pvio)
{
    listener(0, pvio->mysql, NULL, 0);
    return original.close(pvio);
}

/* ---- TLS: OpenSSL's own two calls, in the same file ---- */

typedef int ssl_call(void *ssl, void *buffer, int size);
static void *tls_caller;                              /* NULL: not attached */
static ssl_call *ssl_read, *ssl_write;                /* OpenSSL's */
static void *(*ssl_data)(const void *ssl, int index); /* SSL_get_ex_data() */
enum { HANDLE_INDEX = 0 /* SSL_get_app_data()'s; Connector/C keeps the MYSQL there */ };

/* What went well is shown; what did not leaves errno and OpenSSL's errors as they are. */
static int ssl_read_through(void *ssl, void *buffer, int size)
{
    int got = ssl_read(ssl, buffer, size);
    if (got > 0)
        listener(0, ssl_data(ssl, HANDLE_INDEX), buffer, (size_t)got);
    return got;
}

static int ssl_write_through(void *ssl, void *buffer, int size)
{
    int sent = ssl_write(ssl, buffer, size);
    if (sent > 0)
        listener(1, ssl_data(ssl, HANDLE_INDEX), buffer, (size_t)sent);
    return sent;
}

/* A function of a library that the caller's file is linked with. */
static void *find_function(void *caller, const char *name)
{
    Dl_info info;
    void *file = dladdr(caller, &info) && info.dli_fname
                     ? dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD)
                     : NULL;
    void *function = file ? dlsym(file, name) : NULL;
    if (file)
        dlclose(file);
    return function ? function : dlsym(RTLD_DEFAULT, name);
}

/* false: the file does not call OpenSSL, or has it linked in. */
static bool attach_tls(void *caller)
{
    *(void **)&ssl_data = find_function(caller, "SSL_get_ex_data");
    if (!ssl_data)
        return false;
    tls_caller = caller;
    return import_table_replace(caller, "SSL_read", (void *)ssl_read_through, (void **)&ssl_read) &&
           import_table_replace(caller, "SSL_write", (void *)ssl_write_through,
                                (void **)&ssl_write);
}

static void detach_tls(void)
{
    void *ours = NULL;
    if (tls_caller && ssl_read)
        import_table_replace(tls_caller, "SSL_read", (void *)ssl_read, &ours);
    if (tls_caller && ssl_write)
        import_table_replace(tls_caller, "SSL_write", (void *)ssl_write, &ours);
    tls_caller = NULL;
    ssl_read = ssl_write = NULL;
}

bool socket_table_attach(void *caller, socket_bytes *callback, bool needs_tls)
{
    struct object object = {.caller = (uintptr_t)caller};
    dl_iterate_phdr(scan_object, &object);
    if (object.count != 1)
        return false;
    listener = callback;
    table = object.found->methods;
    original = *table;
    table->read = read_through;
    table->write = write_through;
    table->close = close_through;
    if (original.async_read)
        table->async_read = async_read_through;
    if (original.async_write)
        table->async_write = async_write_through;
    atomic_store(&is_watching, true);
    if (attach_tls(caller) || !needs_tls)
        return true;
    socket_table_detach();
    return false;
}

void socket_table_watch_close(const MYSQL *handle, socket_bytes *callback)
{
    if (atomic_load_explicit(&is_watching, memory_order_acquire) || !handle->net.pvio ||
        !handle->net.pvio->methods)
        return;
    pthread_mutex_lock(&table_lock);
    if (!table) {
        listener = callback;
        table = handle->net.pvio->methods;
        original = *table;
        table->close = close_through;
    }
    atomic_store_explicit(&is_watching, true, memory_order_release);
    pthread_mutex_unlock(&table_lock);
}

void socket_table_detach(void)
{
    if (!table)
        return;
    detach_tls();
    table->read = original.read;
    table->write = original.write;
    table->close = original.close;
    table->async_read = original.async_read;
    table->async_write = original.async_write;
    table = NULL;
    atomic_store(&is_watching, false);
}
