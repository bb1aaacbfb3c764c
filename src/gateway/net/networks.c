/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks as the first bits of an address. Everything is kept as IPv6, with IPv4 mapped into it, so that
 * there is one comparison. */
#include "gateway/net/networks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_BYTES 64 /* the longest address with its mask is shorter */
#define V4_BITS     96 /* of a mapped address, before those of IPv4 */

struct network {
    struct in6_addr address;
    unsigned bits;
};

struct networks {
    bool everybody, unix_sockets;
    size_t count;
    struct network *list;
};

/* ---- Reading ---- */

/* Decimal digits; false: it is none, or more than most. */
static bool read_bits(const char *text, unsigned most, unsigned *bits)
{
    unsigned value = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (unsigned)(*text - '0');
        if (value > most)
            return false;
    }
    *bits = value;
    return true;
}

static void map_v4(struct in6_addr *out, const struct in_addr *v4)
{
    *out = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(&out->s6_addr[12], v4, 4);
}

/* token is written to. */
static bool read_network(char *token, struct network *network)
{
    struct in_addr v4;
    char *mask = strchr(token, '/');
    if (mask)
        *mask++ = 0;
    if (inet_pton(AF_INET, token, &v4) == 1) {
        network->bits = 32;
        map_v4(&network->address, &v4);
        if (mask && !read_bits(mask, 32, &network->bits))
            return false;
        network->bits += V4_BITS;
        return true;
    }
    network->bits = 128;
    if (inet_pton(AF_INET6, token, &network->address) != 1 ||
        (mask && !read_bits(mask, 128, &network->bits)))
        return false;
    /* less than that would be all of IPv4, which nobody means who writes a mapped address */
    return !IN6_IS_ADDR_V4MAPPED(&network->address) || network->bits >= V4_BITS;
}

static bool add(struct networks *networks, char *token)
{
    if (strcmp(token, "localhost") == 0) {
        networks->unix_sockets = true;
        return true;
    }
    return read_network(token, &networks->list[networks->count]) && ++networks->count;
}

static int read_list(struct networks *networks, const char *option, const char *text,
                     struct error *error)
{
    static const char between[] = ", ";
    for (const char *at = text + strspn(text, between); *at; at += strspn(at, between)) {
        char token[TOKEN_BYTES] = "";
        const size_t size = strcspn(at, between);
        if (size < sizeof token)
            memcpy(token, at, size);
        if (!add(networks, token))
            return error_set(
                error,
                "%s: '%.*s' is no network: give addresses such as "
                "10.0.0.7, 10.0.0.0/8 or 2001:db8::/32, localhost for Unix sockets, or * "
                "alone",
                option, (int)(size < 100 ? size : 100), at);
        at += size;
    }
    return 0;
}

int networks_parse(const char *option, const char *text, struct networks **out, struct error *error)
{
    *out = NULL;
    if (!text || !*text)
        return 0;
    struct networks *networks = calloc(1, sizeof *networks);
    if (networks)
        networks->list = calloc(strlen(text) / 2 + 1, sizeof *networks->list);
    if (!networks || !networks->list) {
        networks_free(networks);
        return error_set(error, "out of memory");
    }
    networks->everybody = strcmp(text, "*") == 0;
    if (!networks->everybody && read_list(networks, option, text, error)) {
        networks_free(networks);
        return -1;
    }
    *out = networks;
    return 0;
}

void networks_free(struct networks *networks)
{
    if (networks)
        free(networks->list);
    free(networks);
}

/* ---- Looking ---- */

static bool begins_with(const struct in6_addr *address, const struct network *network)
{
    const unsigned whole = network->bits / 8, rest = network->bits % 8;
    if (IN6_IS_ADDR_V4MAPPED(address) && !IN6_IS_ADDR_V4MAPPED(&network->address))
        return false; /* ::/0 is all of IPv6 */
    if (memcmp(address, &network->address, whole) != 0)
        return false;
    return rest == 0 ||
           ((address->s6_addr[whole] ^ network->address.s6_addr[whole]) >> (8 - rest)) == 0;
}

bool networks_have(const struct networks *networks, const struct sockaddr_storage *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (!networks || networks->everybody || address->ss_family == AF_UNIX)
        return networks && (networks->everybody || networks->unix_sockets);
    memcpy(&v4, address, sizeof v4);
    memcpy(&v6, address, sizeof v6);
    if (address->ss_family == AF_INET)
        map_v4(&v6.sin6_addr, &v4.sin_addr);
    else if (address->ss_family != AF_INET6)
        return false;
    for (size_t i = 0; i < networks->count; i++)
        if (begins_with(&v6.sin6_addr, &networks->list[i]))
            return true;
    return false;
}
