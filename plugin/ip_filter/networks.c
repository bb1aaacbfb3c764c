/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a file of rules, and deciding by them. IPv4 and IPv6 have sets of their own: ::/0 says
 * nothing about IPv4. */
#include "networks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "ranges.h"
#include "scopes.h"

enum verb { ALLOW, DENY, VERBS };
static const char *const verbs[VERBS] = {"allow", "deny"};

/* The plain networks of a verb: lists while they are read, then sets. */
struct plain {
    struct range_list list4, list6;
    struct set4 set4;
    struct set6 set6;
};

struct networks {
    struct plain plain[VERBS];
    struct scopes scopes;
    struct account_limits limits;
    size_t count;
    unsigned country_line; /* of the first rule that asks for it; 0: none does */
    bool has_allow;        /* of any family: then who is not allowed is refused */
};

static bool contains(const struct plain *plain, const struct client *client)
{
    return client->size == 4 ? set4_has(&plain->set4, client->address)
                             : set6_has(&plain->set6, client->address);
}

bool networks_pass(const struct networks *networks, const struct client *client, char ***databases)
{
    struct scope_answer answer = {0};
    *databases = NULL;
    if (contains(&networks->plain[DENY], client))
        return false;
    if (networks->scopes.count)
        answer = scopes_ask(&networks->scopes, client);
    *databases = answer.databases;
    if (answer.denied || answer.named)
        return !answer.denied && answer.allowed;
    if (answer.allowed_unnamed || answer.allowed_for_some ||
        contains(&networks->plain[ALLOW], client))
        return true;
    return !networks->has_allow && !answer.has_allow;
}

const char *networks_limited_user(const struct networks *networks, size_t index)
{
    return index < networks->limits.count ? networks->limits.items[index].user : NULL;
}

int64_t networks_limit(const struct networks *networks, weir_string user)
{
    return limits_find(&networks->limits, user);
}

bool networks_need_more(const struct networks *networks)
{
    return networks->scopes.count > 0;
}

/* ---- Reading ---- */

/* Sets the range of an address and prefix; false when the address has bits after the prefix. */
static bool set_range(struct range *range, const uint8_t *address, unsigned prefix, unsigned bits)
{
    memset(range, 0, sizeof *range);
    for (unsigned bit = 0; bit < bits; bit++) {
        uint8_t mask = (uint8_t)(0x80U >> bit % 8);
        bool is_set = address[bit / 8] & mask;
        if (bit >= prefix && is_set)
            return false;
        if (is_set)
            range->first[bit / 8] |= mask;
        if (is_set || bit >= prefix)
            range->last[bit / 8] |= mask;
    }
    return true;
}

const char *parse_network(char *text, struct range *range, bool *is_ipv6)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint8_t bytes[ADDRESS_BYTES], *address = bytes;
    char *slash = strchr(text, '/'), *end = NULL;
    if (slash)
        *slash = '\0';
    *is_ipv6 = strchr(text, ':') != NULL;
    unsigned bits = *is_ipv6 ? 128 : 32;
    if (inet_pton(*is_ipv6 ? AF_INET6 : AF_INET, text, bytes) != 1)
        return "is no IP address";
    unsigned long prefix = bits;
    if (slash && (slash[1] < '0' || slash[1] > '9'))
        return "has no number behind its '/'";
    if (slash)
        prefix = strtoul(slash + 1, &end, 10);
    if ((end && *end) || prefix > bits)
        return bits == 32 ? "has a prefix that is no number from 0 to 32"
                          : "has a prefix that is no number from 0 to 128";
    if (*is_ipv6 && prefix >= 96 && memcmp(bytes, mapped, sizeof mapped) == 0) {
        *is_ipv6 = false; /* ::ffff:10.0.0.1 is how IPv6 sockets show IPv4 clients */
        address += 12;
        prefix -= 96;
        bits = 32;
    }
    if (!set_range(range, address, (unsigned)prefix, bits))
        return "has bits set behind its prefix";
    return NULL;
}

/* "allow 10.0.0.0/8" and nothing else. */
static const char *add_plain(struct networks *networks, enum verb verb, char *network)
{
    struct range range;
    bool is_ipv6;
    const char *wrong = parse_network(network, &range, &is_ipv6);
    struct plain *plain = &networks->plain[verb];
    if (!wrong && !range_list_add(is_ipv6 ? &plain->list6 : &plain->list4, &range))
        wrong = "does not fit into memory";
    networks->has_allow = networks->has_allow || verb == ALLOW;
    return wrong;
}

static const char *add_limit(struct networks *networks, const char *user, char *rest)
{
    static const char space[] = " \t\r\n";
    const char *number = strtok_r(NULL, space, &rest);
    const char *wrong = limits_add(&networks->limits, user, number);
    return wrong || !strtok_r(NULL, space, &rest) ? wrong : "has more behind its number";
}

static bool is_plain(const char *place, const char *rest)
{
    return !strpbrk(place, "@'\"`%_") && strncmp(place, "country:", 8) != 0 &&
           strcmp(place, "any") != 0 && rest[strspn(rest, " \t\r\n")] == '\0';
}

/* Reads one line. -1 and the problem. */
static int read_line(struct networks *networks, char *line, const char *path, unsigned number,
                     struct error *error)
{
    static const char space[] = " \t\r\n";
    line[strcspn(line, "#")] = '\0';
    char *rest, *verb = strtok_r(line, space, &rest), *place = strtok_r(NULL, space, &rest);
    if (!verb)
        return 0;
    int which = 0;
    bool is_limit = strcmp(verb, "limit") == 0;
    while (which < VERBS && strcmp(verb, verbs[which]) != 0)
        which++;
    if ((which == VERBS && !is_limit) || !place) {
        error_set(error,
                  "%s:%u: a rule is \"allow NETWORK\", \"deny NETWORK\" or \"limit USER NUMBER\"",
                  path, number);
        return -1;
    }
    char shown[64];
    snprintf(shown, sizeof shown, "%s", place);
    const char *wrong = is_limit ? add_limit(networks, place, rest)
                        : is_plain(place, rest)
                            ? add_plain(networks, (enum verb)which, place)
                            : scopes_add(&networks->scopes, which == ALLOW, place, rest);
    if (wrong) {
        error_set(error, "%s:%u: \"%s\" %s", path, number, shown, wrong);
        return -1;
    }
    networks->count++;
    if (!is_limit && !networks->country_line && scopes_last_asks_country(&networks->scopes))
        networks->country_line = number;
    return 0;
}

static int read_lines(struct networks *networks, FILE *file, const char *path, struct error *error)
{
    char *line = NULL;
    size_t room = 0;
    unsigned number = 0;
    int status = 0;
    ssize_t size;
    while (status == 0 && (size = getline(&line, &room, file)) >= 0) {
        number++;
        if (strlen(line) != (size_t)size) {
            error_set(error, "%s:%u: has a NUL byte in it", path, number);
            status = -1;
        } else {
            status = read_line(networks, line, path, number, error);
        }
    }
    if (status == 0 && ferror(file)) {
        error_set(error, "%s: %s", path, strerror(errno));
        status = -1;
    }
    free(line);
    return status;
}

/* Makes sets of what was read. */
static bool make_sets(struct networks *networks)
{
    bool ok = true;
    for (int verb = 0; verb < VERBS; verb++) {
        struct plain *plain = &networks->plain[verb];
        ok = ok && set4_make(&plain->set4, &plain->list4) && set6_make(&plain->set6, &plain->list6);
        range_list_release(&plain->list4);
        range_list_release(&plain->list6);
    }
    return ok;
}

/* Closes the file; NULL: errno says why it is not open. */
static struct networks *read_file(FILE *file, const char *path, struct error *error)
{
    struct networks *networks = file ? calloc(1, sizeof *networks) : NULL;
    bool ok = networks != NULL;
    if (!ok) {
        error_set(error, "%s: %s", path, strerror(errno));
    } else if (read_lines(networks, file, path, error) < 0) {
        ok = false;
    } else if (!make_sets(networks)) {
        error_set(error, "%s: does not fit into memory", path);
        ok = false;
    }
    if (file)
        fclose(file);
    if (ok)
        return networks;
    networks_free(networks);
    return NULL;
}

struct networks *networks_read(const char *path, struct error *error)
{
    return read_file(fopen(path, "re"), path, error);
}

struct networks *networks_parse(weir_string text, const char *name, struct error *error)
{
    static char nothing[1] = "\n";
    /* opened for reading, it writes nothing */
    char *bytes = text.size ? (char *)(uintptr_t)text.data : nothing;
    return read_file(fmemopen(bytes, text.size ? text.size : sizeof nothing, "r"), name, error);
}

unsigned networks_country_line(const struct networks *networks)
{
    return networks->country_line;
}

size_t networks_count(const struct networks *networks)
{
    return networks->count;
}

void networks_free(struct networks *networks)
{
    for (int verb = 0; networks && verb < VERBS; verb++) {
        struct plain *plain = &networks->plain[verb];
        range_list_release(&plain->list4);
        range_list_release(&plain->list6);
        set4_release(&plain->set4);
        set6_release(&plain->set6);
    }
    if (networks) {
        scopes_free(&networks->scopes);
        limits_free(&networks->limits);
    }
    free(networks);
}
