/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread that accepts one connection after the other, greets, waits for an answer and denies it. */
#include "fake_server.h"

#include <assert.h>
#include <netinet/in.h>
#include <unistd.h>

struct wire_greeting fake_greeting(const char *version)
{
    return (struct wire_greeting){
        .server_version = wire_text(version),
        .connection_id = 7,
        .scramble1 = wire_text("abcdefgh"),
        .scramble2 = wire_text("ijklmnopqrst"),
        .capabilities = WIRE_CAP(CLIENT_MYSQL) | WIRE_CAP(CLIENT_PROTOCOL_41) |
                        WIRE_CAP(CLIENT_SECURE_CONNECTION) | WIRE_CAP(CLIENT_PLUGIN_AUTH),
        .charset = 45,
        .plugin = wire_text("mysql_native_password"),
    };
}

/* All that it has to say at once, and the reset of who closes without having read. */
static void refuse_at_once(struct fake_server *server, int fd)
{
    struct strbuf out = STRBUF_INIT;
    struct wire_writer writer = wire_writer_to(&out, 0);
    struct wire_greeting greeting = fake_greeting(server->version);
    struct wire_err err = {.code = 1130,
                           .sqlstate = "HY000",
                           .message = wire_text("Proxy header is not accepted from 127.0.0.1")};
    wire_encode_greeting(&writer, &greeting);
    writer = wire_writer_to(&out, 2);
    wire_encode_err(&writer, greeting.capabilities, &err);
    (void)!send(fd, out.data, out.size, MSG_NOSIGNAL);
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    strbuf_release(&out);
}

static void greet_and_deny(struct fake_server *server, int fd)
{
    struct strbuf out = STRBUF_INIT;
    struct wire_writer writer = wire_writer_to(&out, 0);
    struct wire_greeting greeting = fake_greeting(server->version);
    struct wire_err err = {.code = 1045, .sqlstate = "28000", .message = wire_text("denied")};
    uint8_t bytes[1024];
    wire_encode_greeting(&writer, &greeting);
    if (send(fd, out.data, out.size, MSG_NOSIGNAL) > 0 && recv(fd, bytes, sizeof bytes, 0) > 0) {
        strbuf_reset(&out);
        writer = wire_writer_to(&out, 2);
        wire_encode_err(&writer, greeting.capabilities, &err);
        (void)!send(fd, out.data, out.size, MSG_NOSIGNAL);
    }
    strbuf_release(&out);
}

static void say_full(int fd)
{
    static const char full[] = "\x17\0\0\0\xff\x10\x04Too many connections";
    (void)!send(fd, full, sizeof full - 1, MSG_NOSIGNAL);
}

static void *serve(void *user)
{
    struct fake_server *server = user;
    int fd;
    while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
        atomic_fetch_add(&server->connections, 1);
        if (atomic_load(&server->hurries))
            refuse_at_once(server, fd);
        else if (atomic_load(&server->is_full))
            say_full(fd);
        else
            greet_and_deny(server, fd);
        close(fd);
    }
    return NULL;
}

void fake_server_start(struct fake_server *server, const char *version)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *server = (struct fake_server){.version = version};
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int status = bind(server->listener, (struct sockaddr *)&address, sizeof address);
    assert(status == 0);
    status = listen(server->listener, 16);
    assert(status == 0);
    server->address.size = sizeof address;
    getsockname(server->listener, (struct sockaddr *)&server->address.storage,
                &server->address.size);
    status = pthread_create(&server->thread, NULL, serve, server);
    assert(status == 0);
}

void fake_server_stop(struct fake_server *server)
{
    shutdown(server->listener, SHUT_RDWR); /* ends accept() */
    pthread_join(server->thread, NULL);
    close(server->listener);
}
