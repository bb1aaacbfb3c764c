/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening sockets to listen on, and accepting in portions. */
#include "gateway/net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG         4096
#define ACCEPTS_A_ROUND 64 /* so that a flood of connections does not starve signals */

void listener_describe_tcp(const char *host, long port, char *text, size_t room)
{
    snprintf(text, room, strchr(host, ':') ? "[%s]:%ld" : "%s:%ld", host, port);
}

int listener_open_tcp(struct listener *listener, const char *host, long port,
                      const char *host_option, const char *port_option, struct error *error)
{
    char service[16];
    snprintf(service, sizeof service, "%ld", port);
    struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int status = getaddrinfo(*host ? host : NULL, service, &hints, &found);
    if (status)
        return error_set(error, "%s %s: %s", host_option, host, gai_strerror(status));
    int result = 0;
    int yes = 1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) ||
        bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, BACKLOG)) {
        int reason = errno;
        result =
            error_set(error, "cannot listen on %s port %ld: %s%s%s", host, port, strerror(reason),
                      reason == EADDRINUSE ? "; give another port with " : "",
                      reason == EADDRINUSE ? port_option : "");
        if (fd >= 0)
            close(fd);
    } else {
        *listener = (struct listener){.fd = fd};
        listener_describe_tcp(host, port, listener->text, sizeof listener->text);
    }
    freeaddrinfo(found);
    return result;
}

/* A socket file that nobody answers on was left by a server that was killed. */
static bool is_in_use(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true;
    bool answers =
        connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN;
    close(fd);
    return answers;
}

int listener_open_unix(struct listener *listener, const char *path, struct error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return error_set(error, "-socket %s: the path is longer than %zu bytes", path,
                         sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (access(path, F_OK) == 0) {
        if (is_in_use(&address))
            return error_set(error, "-socket %s: another server listens there", path);
        unlink(path);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || chmod(path, 0777) ||
        listen(fd, BACKLOG)) {
        error_set(error, "cannot listen on -socket %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *listener = (struct listener){.fd = fd};
    memcpy(listener->unix_path, path, strlen(path) + 1);
    snprintf(listener->text, sizeof listener->text, "%s", path);
    return 0;
}

static void describe(const struct sockaddr_storage *address, socklen_t size, char *text,
                     size_t room)
{
    char host[NI_MAXHOST], service[NI_MAXSERV];
    const struct sockaddr_un *local = (const struct sockaddr_un *)address;
    if (address->ss_family == AF_UNIX)
        snprintf(text, room, "%s", local->sun_path);
    else if (getnameinfo((const struct sockaddr *)address, size, host, sizeof host, service,
                         sizeof service, NI_NUMERICHOST | NI_NUMERICSERV))
        snprintf(text, room, "a socket of the service manager");
    else
        snprintf(text, room, address->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, service);
}

int listener_adopt(struct listener *listener, int fd, struct error *error)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof address;
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        return error_set(error, "the service manager's socket %d: %s", fd, strerror(errno));
    *listener = (struct listener){.fd = fd};
    describe(&address, size, listener->text, sizeof listener->text);
    return 0;
}

static void on_ready(struct watch *watch, unsigned events)
{
    struct listener *listener = (struct listener *)watch;
    (void)events;
    for (int i = 0; i < ACCEPTS_A_ROUND; i++) {
        struct arrival arrival = {.peer_size = sizeof arrival.peer};
        arrival.fd = accept4(listener->fd, (struct sockaddr *)&arrival.peer, &arrival.peer_size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (arrival.fd < 0) {
            if (errno == EMFILE || errno == ENFILE) {
                log_error("gateway", "cannot accept: %s; raise the limit of open files (ulimit -n)",
                          strerror(errno));
                usleep(10000); /* the main thread has nothing better to do, and the log stays
                                  readable */
            }
            break;
        }
        listener->accepted(listener->user, &arrival);
    }
}

static void on_closed(struct watch *watch)
{
    struct listener *listener = (struct listener *)watch;
    if (listener->closed)
        listener->closed(listener);
}

int listener_start(struct listener *listener, uv_loop_t *loop,
                   void (*accepted)(void *user, const struct arrival *arrival), void *user,
                   struct error *error)
{
    listener->accepted = accepted;
    listener->user = user;
    int status = watch_open(&listener->watch, loop, listener->fd, on_ready, on_closed);
    if (status < 0)
        return error_set(error, "watching %s: %s", listener->text, uv_strerror(status));
    watch_for(&listener->watch, true, false);
    log_info("gateway", "listening on %s", listener->text);
    return 0;
}

bool listener_close(struct listener *listener)
{
    if (listener->fd < 0)
        return false;
    const bool is_watched = listener->watch.is_open;
    if (is_watched)
        watch_close(&listener->watch);
    else
        close(listener->fd);
    listener->fd = -1;
    if (listener->unix_path[0])
        unlink(listener->unix_path);
    return is_watched;
}
