/* SPDX-License-Identifier: Apache-2.0
 *
 * A shared library that looks to src/trace/attach as Connector/C does: a declaration of its socket
 * functions, and imports of OpenSSL. It reads what the test says it reads. */
#ifndef WEIR_TESTS_FAKE_CLIENT_H
#define WEIR_TESTS_FAKE_CLIENT_H

#include <mysql/plugin_trace.h>

#include <ma_pvio.h>

/* The library's table of socket functions. */
struct st_ma_pvio_methods *fake_client_methods(void);

/* The next read, of the socket and of TLS, gives these bytes; borrowed. */
void fake_client_will_read(const void *bytes, size_t size);

/* As the library loads and unloads a plugin. Returns what init returns. */
int fake_client_init(struct st_mysql_client_plugin_TRACE *plugin, char *text, size_t size, ...);
int fake_client_deinit(struct st_mysql_client_plugin_TRACE *plugin);

/* As it uses a connection, by its table of functions. */
void fake_client_read(MYSQL *handle);
void fake_client_write(MYSQL *handle, const void *bytes, size_t size);
void fake_client_close(MYSQL *handle);

/* As it uses a TLS connection; the handle is the SSL's application data. */
void fake_client_tls_read(MYSQL *handle);
void fake_client_tls_write(MYSQL *handle, const void *bytes, size_t size);

#endif
