/* SPDX-License-Identifier: Apache-2.0
 *
 * The scripted server: reads one request of each connection, has it answered, and closes. */
#include "scripted_etcd.h"

#include <arpa/inet.h>
#include <assert.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct scripted_connection {
    struct scripted_etcd *etcd;
    int socket;
    SSL *tls;
    pthread_t thread;
};

static ssize_t read_some(struct scripted_connection *connection, char *bytes, size_t room)
{
    return connection->tls ? SSL_read(connection->tls, bytes, (int)room)
                           : read(connection->socket, bytes, room);
}

static void write_all(struct scripted_connection *connection, const char *bytes, size_t size)
{
    while (size) {
        ssize_t written = connection->tls ? SSL_write(connection->tls, bytes, (int)size)
                                          : send(connection->socket, bytes, size, MSG_NOSIGNAL);
        if (written <= 0)
            return;
        bytes += written;
        size -= (size_t)written;
    }
}

void scripted_begin(struct scripted_request *request)
{
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
    write_all(request->connection, head, sizeof head - 1);
}

void scripted_piece(struct scripted_request *request, const void *bytes, size_t size)
{
    write_all(request->connection, bytes, size);
}

void scripted_say(struct scripted_request *request, int status, const char *body)
{
    struct strbuf out = STRBUF_INIT;
    strbuf_printf(&out, "HTTP/1.1 %d Said\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                  status, strlen(body), body);
    write_all(request->connection, out.data, out.size);
    strbuf_release(&out);
}

void scripted_hang(struct scripted_request *request)
{
    char byte;
    (void)!read_some(request->connection, &byte, 1); /* a shutdown ends it, too */
}

/* Copies what follows `name` in a line of the head. */
static void read_field(const char *head, const char *name, char *out, size_t room)
{
    const char *at = strstr(head, name);
    size_t size = at ? strcspn(at + strlen(name), " \r\n") : 0;
    assert(size < room);
    if (at)
        memcpy(out, at + strlen(name), size);
    out[size] = 0;
}

/* Returns false if the client has gone before its request was whole. */
static bool read_request(struct scripted_connection *connection, struct scripted_request *request)
{
    static const char end_of_head[] = "\r\n\r\n";
    char bytes[8192] = "", length[16];
    size_t size = 0, wanted = sizeof bytes;
    while (size < wanted) {
        ssize_t got = read_some(connection, bytes + size, sizeof bytes - 1 - size);
        if (got <= 0)
            return false;
        size += (size_t)got;
        bytes[size] = 0;
        const char *body = strstr(bytes, end_of_head);
        if (!body)
            continue;
        read_field(bytes, "Content-Length: ", length, sizeof length);
        wanted = (size_t)(body - bytes) + 4 + strtoul(length, NULL, 10);
    }
    read_field(bytes, "POST ", request->path, sizeof request->path);
    read_field(bytes, "Authorization: ", request->token, sizeof request->token);
    snprintf(request->body, sizeof request->body, "%s", strstr(bytes, end_of_head) + 4);
    return true;
}

static void *serve(void *user)
{
    struct scripted_connection *connection = user;
    struct scripted_etcd *etcd = connection->etcd;
    struct scripted_request request = {.etcd = etcd, .connection = connection, .user = etcd->user};
    if (etcd->tls) {
        connection->tls = SSL_new(etcd->tls);
        SSL_set_fd(connection->tls, connection->socket);
    }
    if ((!etcd->tls || SSL_accept(connection->tls) == 1) && read_request(connection, &request)) {
        request.number = atomic_fetch_add(&etcd->requests, 1) + 1;
        etcd->answer(&request);
    }
    if (connection->tls)
        SSL_shutdown(connection->tls);
    shutdown(connection->socket, SHUT_RDWR);
    return NULL;
}

static void *accept_all(void *user)
{
    struct scripted_etcd *etcd = user;
    while (!atomic_load(&etcd->stopping)) {
        int socket = accept(etcd->listener, NULL, NULL);
        if (socket < 0)
            continue;
        struct scripted_connection *connection = calloc(1, sizeof *connection);
        assert(connection && etcd->connection_count < SCRIPTED_CONNECTIONS);
        connection->etcd = etcd;
        connection->socket = socket;
        etcd->connections[etcd->connection_count++] = connection;
        int failed = pthread_create(&connection->thread, NULL, serve, connection);
        assert(!failed);
    }
    return NULL;
}

void scripted_start(struct scripted_etcd *etcd, scripted_answer *answer, void *user, void *tls)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    memset(etcd, 0, sizeof *etcd);
    etcd->answer = answer;
    etcd->user = user;
    etcd->tls = tls;
    etcd->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = etcd->listener < 0 ||
                 bind(etcd->listener, (struct sockaddr *)&address, sizeof address) ||
                 listen(etcd->listener, 64) ||
                 getsockname(etcd->listener, (struct sockaddr *)&address, &size);
    assert(!failed);
    etcd->port = ntohs(address.sin_port);
    snprintf(etcd->url, sizeof etcd->url, "%s://127.0.0.1:%d", tls ? "https" : "http", etcd->port);
    failed = pthread_create(&etcd->thread, NULL, accept_all, etcd);
    assert(!failed);
}

void scripted_stop(struct scripted_etcd *etcd)
{
    atomic_store(&etcd->stopping, true);
    shutdown(etcd->listener, SHUT_RDWR);
    pthread_join(etcd->thread, NULL);
    for (size_t i = 0; i < etcd->connection_count; i++) {
        struct scripted_connection *connection = etcd->connections[i];
        shutdown(connection->socket, SHUT_RDWR);
        pthread_join(connection->thread, NULL);
        SSL_free(connection->tls);
        close(connection->socket);
        free(connection);
    }
    close(etcd->listener);
}
