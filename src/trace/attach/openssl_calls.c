/* SPDX-License-Identifier: Apache-2.0
 *
 * SSL_read() and SSL_write() of one file, replaced by functions that report successful calls. A failed
 * call leaves errno and OpenSSL's error queue as they are.
 *
 * Which connection it is, Connector/C keeps itself: the MYSQL is the SSL's application data. */
#include "trace/attach/openssl_calls.h"

#include <assert.h>

#include "trace/attach/import_table.h"
#include "trace/attach/loaded_file.h"

typedef int ssl_call(void *ssl, void *buffer, int size);
enum { HANDLE_INDEX = 0 /* of SSL_get_app_data() */ };

static void *patched_caller; /* NULL: not attached */
static bool reads_patched, writes_patched;
static traffic_function *report;

/* OpenSSL's own. They stay when they have been put back: a thread may still be in one of ours. */
static ssl_call *ssl_read, *ssl_write;
static void *(*ssl_data)(const void *ssl, int index); /* SSL_get_ex_data() */

static int read_and_report(void *ssl, void *buffer, int size)
{
    int got = ssl_read(ssl, buffer, size);
    if (got > 0)
        report(0, ssl_data(ssl, HANDLE_INDEX), buffer, (size_t)got);
    return got;
}

static int write_and_report(void *ssl, void *buffer, int size)
{
    int sent = ssl_write(ssl, buffer, size);
    if (sent > 0)
        report(1, ssl_data(ssl, HANDLE_INDEX), buffer, (size_t)sent);
    return sent;
}

bool openssl_calls_attach(void *caller, traffic_function *callback)
{
    assert(caller && callback && !patched_caller);
    *(void **)&ssl_data = loaded_file_function(caller, "SSL_get_ex_data");
    if (!ssl_data)
        return false;
    report = callback;
    patched_caller = caller;
    reads_patched =
        import_table_replace(caller, "SSL_read", (void *)read_and_report, (void **)&ssl_read);
    writes_patched =
        reads_patched &&
        import_table_replace(caller, "SSL_write", (void *)write_and_report, (void **)&ssl_write);
    return writes_patched;
}

/* Where this fails (the page cannot be made writable again), our function stays and calls OpenSSL's
 * own: better than to end the program. */
static void put_back(const char *name, ssl_call *own)
{
    void *ours = NULL;
    if (!import_table_replace(patched_caller, name, (void *)own, &ours))
        log_warn("trace", "%s could not be put back", name);
}

void openssl_calls_detach(void)
{
    if (!patched_caller)
        return;
    if (reads_patched)
        put_back("SSL_read", ssl_read);
    if (writes_patched)
        put_back("SSL_write", ssl_write);
    reads_patched = writes_patched = false;
    patched_caller = NULL;
}
