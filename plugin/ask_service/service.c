/* SPDX-License-Identifier: Apache-2.0
 *
 * The socket never blocks: whoever waits does so in poll(), for as long as the deadline allows. */
#include "service.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char timed_out[] = "the service has not answered in time";

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until the socket is ready. Returns NULL, or that the deadline has passed. */
static const char *wait_until_ready(int socket, short events, int64_t deadline_ms)
{
    for (;;) {
        int64_t left = deadline_ms - now_ms();
        struct pollfd ready = {.fd = socket, .events = events};
        if (left <= 0)
            return timed_out;
        if (poll(&ready, 1, (int)left) > 0)
            return NULL;
    }
}

/* ---- Connecting ---- */

#define UNIX "unix://"
#define TCP  "tcp://"

static int starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

int service_address_ok(const char *address)
{
    struct sockaddr_un local;
    if (starts_with(address, UNIX))
        return address[strlen(UNIX)] == '/' &&
               strlen(address + strlen(UNIX)) < sizeof local.sun_path;
    return starts_with(address, TCP) && strrchr(address, ':') > address + strlen(TCP);
}

static const char *connect_to(struct service *service, const struct sockaddr *address,
                              socklen_t size, int64_t deadline_ms)
{
    int problem = 0;
    socklen_t problem_size = sizeof problem;
    service->socket = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (service->socket < 0)
        return strerror(errno);
    if (connect(service->socket, address, size) == 0)
        return NULL;
    if (errno != EINPROGRESS)
        return strerror(errno);
    const char *failed = wait_until_ready(service->socket, POLLOUT, deadline_ms);
    if (failed)
        return failed;
    getsockopt(service->socket, SOL_SOCKET, SO_ERROR, &problem, &problem_size);
    return problem ? strerror(problem) : NULL;
}

static const char *connect_unix(struct service *service, int64_t deadline_ms)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    snprintf(local.sun_path, sizeof local.sun_path, "%s", service->address + strlen(UNIX));
    return connect_to(service, (struct sockaddr *)&local, sizeof local, deadline_ms);
}

static const char *connect_tcp(struct service *service, int64_t deadline_ms)
{
    char host[256];
    const char *start = service->address + strlen(TCP), *colon = strrchr(start, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    snprintf(host, sizeof host, "%.*s", (int)(colon - start), start);
    int status = getaddrinfo(host, colon + 1, &hints, &found);
    if (status)
        return gai_strerror(status);
    const char *failed = connect_to(service, found->ai_addr, found->ai_addrlen, deadline_ms);
    freeaddrinfo(found);
    return failed;
}

void service_close(struct service *service)
{
    if (service->socket >= 0)
        close(service->socket);
    service->socket = -1;
}

/* ---- Asking ---- */

static const char *send_all(int socket, const char *bytes, size_t size, int64_t deadline_ms)
{
    while (size > 0) {
        ssize_t sent = send(socket, bytes, size, MSG_NOSIGNAL);
        const char *failed = NULL;
        if (sent > 0) {
            bytes += sent;
            size -= (size_t)sent;
        } else if (errno == EAGAIN || errno == EINTR) {
            failed = wait_until_ready(socket, POLLOUT, deadline_ms);
        } else {
            failed = strerror(errno);
        }
        if (failed)
            return failed;
    }
    return NULL;
}

static const char *read_line(int socket, char line[ANSWER_BYTES], int64_t deadline_ms)
{
    size_t size = 0;
    for (;;) {
        const char *failed = wait_until_ready(socket, POLLIN, deadline_ms);
        if (failed)
            return failed;
        ssize_t got = recv(socket, line + size, ANSWER_BYTES - 1 - size, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (got <= 0)
            return got < 0 ? strerror(errno) : "the service has closed the connection";
        size += (size_t)got;
        line[size] = '\0';
        char *end = strchr(line, '\n');
        if (end) {
            *end = '\0';
            return end == line + size - 1 ? NULL : "the service has sent more than one line";
        }
        if (size == ANSWER_BYTES - 1 || strlen(line) < size)
            return "the service has sent something that is no line";
    }
}

static const char *ask_once(struct service *service, const char *question, size_t size,
                            int64_t deadline_ms, char answer[ANSWER_BYTES])
{
    const char *failed = NULL;
    if (service->socket < 0)
        failed = starts_with(service->address, UNIX) ? connect_unix(service, deadline_ms)
                                                     : connect_tcp(service, deadline_ms);
    if (!failed)
        failed = send_all(service->socket, question, size, deadline_ms);
    if (!failed)
        failed = read_line(service->socket, answer, deadline_ms);
    if (failed)
        service_close(service);
    return failed;
}

/* A service that was restarted has closed the connection: that shows when it is used again. */
const char *service_ask(struct service *service, const char *question, size_t size,
                        int64_t deadline_ms, char answer[ANSWER_BYTES])
{
    int is_old = service->socket >= 0;
    const char *failed = ask_once(service, question, size, deadline_ms, answer);
    if (failed && failed != timed_out && is_old)
        failed = ask_once(service, question, size, deadline_ms, answer);
    return failed;
}
