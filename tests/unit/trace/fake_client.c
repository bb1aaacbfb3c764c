/* SPDX-License-Identifier: Apache-2.0
 *
 * Not built with sanitizers: its memory is searched, gaps between its variables included. */
#include "fake_client.h"

#include <string.h>

/* Of fake_openssl.c; an SSL is the handle itself. */
int SSL_read(void *ssl, void *buffer, int size);
int SSL_write(void *ssl, const void *buffer, int size);
extern const void *fake_openssl_bytes;
extern size_t fake_openssl_size;

static ssize_t socket_read(MARIADB_PVIO *pvio, uchar *buffer, size_t length)
{
    size_t size = fake_openssl_size < length ? fake_openssl_size : length;
    (void)pvio;
    memcpy(buffer, fake_openssl_bytes, size);
    return (ssize_t)size;
}

static ssize_t socket_write(MARIADB_PVIO *pvio, const uchar *buffer, size_t length)
{
    (void)pvio;
    (void)buffer;
    return (ssize_t)length;
}

static my_bool socket_close(MARIADB_PVIO *pvio)
{
    (void)pvio;
    return 0;
}

static struct st_ma_pvio_methods methods = {
    .read = socket_read, .write = socket_write, .close = socket_close};

struct {
    MYSQL_CLIENT_PLUGIN_HEADER
    struct st_ma_pvio_methods *methods;
} fake_client_declaration = {
    .type = 101, .interface_version = 0x0100, .name = "pvio_socket", .methods = &methods};

struct st_ma_pvio_methods *fake_client_methods(void)
{
    return &methods;
}

void fake_client_will_read(const void *bytes, size_t size)
{
    fake_openssl_bytes = bytes;
    fake_openssl_size = size;
}

int fake_client_init(struct st_mysql_client_plugin_TRACE *plugin, char *text, size_t size, ...)
{
    va_list none;
    va_start(none, size);
    int result = plugin->init(text, size, 0, none);
    va_end(none);
    return result;
}

int fake_client_deinit(struct st_mysql_client_plugin_TRACE *plugin)
{
    return plugin->deinit();
}

void fake_client_read(MYSQL *handle)
{
    uchar buffer[4096];
    methods.read(handle->net.pvio, buffer, sizeof buffer);
}

void fake_client_write(MYSQL *handle, const void *bytes, size_t size)
{
    methods.write(handle->net.pvio, bytes, size);
}

void fake_client_close(MYSQL *handle)
{
    methods.close(handle->net.pvio);
}

void fake_client_tls_read(MYSQL *handle)
{
    char buffer[4096];
    SSL_read(handle, buffer, sizeof buffer);
}

void fake_client_tls_write(MYSQL *handle, const void *bytes, size_t size)
{
    SSL_write(handle, bytes, (int)size);
}
