/* SPDX-License-Identifier: Apache-2.0
 *
 * From the text of an address to sockets that connect to it. */
#include "gateway/upstream/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_PORT "3306"

/* ---- The text ---- */

static bool starts_with(const char *text, const char *start, const char **rest)
{
    size_t size = strlen(start);
    bool does = strncmp(text, start, size) == 0;
    if (does)
        *rest = text + size;
    return does;
}

static int parse_unix(struct address_name *name, const char *path, struct error *error)
{
    struct sockaddr_un *address = (struct sockaddr_un *)&name->path.storage;
    if (*path != '/')
        return error_set(error, "-backend unix://%s: give an absolute path, unix:///path", path);
    if (strlen(path) >= sizeof address->sun_path)
        return error_set(error, "-backend unix://%s: the path is longer than %zu bytes", path,
                         sizeof address->sun_path - 1);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, strlen(path) + 1);
    name->path.size = sizeof *address;
    return 0;
}

/* host:port, [v6]:port, host */
static int parse_tcp(struct address_name *name, const char *text, struct error *error)
{
    const char *host = text;
    const char *end = text + strlen(text);
    const char *colon = strrchr(text, ':');
    if (*text == '[') {
        host = text + 1;
        end = strchr(text, ']');
        colon = end && end[1] ? end + 1 : NULL;
        if (colon && *colon != ':')
            end = NULL;
    } else if (colon) {
        end = colon;
    }
    const char *port = colon ? colon + 1 : DEFAULT_PORT;
    if (!end || end == host || (size_t)(end - host) >= sizeof name->host || !*port ||
        strlen(port) >= sizeof name->port)
        return error_set(error, "-backend tcp://%s: give tcp://host:port", text);
    memcpy(name->host, host, (size_t)(end - host));
    memcpy(name->port, port, strlen(port) + 1);
    return 0;
}

int address_parse(struct address_name *name, const char *text, struct error *error)
{
    assert(name && text);
    const char *rest = NULL;
    *name = (struct address_name){.text = ""};
    snprintf(name->text, sizeof name->text, "%s", text);
    if (starts_with(text, "unix://", &rest))
        return parse_unix(name, rest, error);
    if (starts_with(text, "tcp://", &rest))
        return parse_tcp(name, rest, error);
    return error_set(error, "-backend %s: give tcp://host:port or unix:///path", text);
}

/* ---- What it means ---- */

int address_look_up(const struct address_name *name, struct address_list *found,
                    struct error *error)
{
    assert(name && found && name->text[0]);
    *found = (struct address_list){.count = 0};
    if (!name->host[0]) {
        found->list[found->count++] = name->path;
        return 0;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *answers = NULL;
    int status = getaddrinfo(name->host, name->port, &hints, &answers);
    if (status)
        return error_set(error, "backend %s: %s", name->text, gai_strerror(status));
    for (struct addrinfo *each = answers; each && found->count < ADDRESS_LIST_MAX;
         each = each->ai_next) {
        struct address *address = &found->list[found->count++];
        assert(each->ai_addrlen <= sizeof address->storage);
        memcpy(&address->storage, each->ai_addr, each->ai_addrlen);
        address->size = each->ai_addrlen;
    }
    freeaddrinfo(answers);
    return found->count ? 0 : error_set(error, "backend %s: it has no address", name->text);
}

bool address_is_same(const struct address *a, const struct address *b)
{
    return a->size == b->size && memcmp(&a->storage, &b->storage, a->size) == 0;
}

const char *address_describe(const struct address *address, char text[ADDRESS_TEXT_BYTES])
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->storage;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->storage;
    const struct sockaddr_un *path = (const struct sockaddr_un *)&address->storage;
    char host[INET6_ADDRSTRLEN] = "";
    switch (address->storage.ss_family) {
    case AF_INET:
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(text, ADDRESS_TEXT_BYTES, "%s:%u", host, ntohs(v4->sin_port));
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(text, ADDRESS_TEXT_BYTES, "[%s]:%u", host, ntohs(v6->sin6_port));
        break;
    default:
        snprintf(text, ADDRESS_TEXT_BYTES, "%.*s", (int)sizeof path->sun_path, path->sun_path);
        break;
    }
    return text;
}

int address_connect(const struct address *address, bool *in_progress)
{
    assert(address->size > 0 && in_progress);
    *in_progress = false;
    int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&address->storage, address->size) == 0)
        return fd;
    *in_progress = errno == EINPROGRESS;
    if (*in_progress)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}
