/* SPDX-License-Identifier: Apache-2.0
 *
 * A network is the range of addresses from its first to its last. The ranges of a list are sorted
 * and those that touch are merged, so that they are disjoint and one binary search finds the only
 * range that can hold an address. IPv4 and IPv6 have lists of their own: ::/0 says nothing about
 * IPv4. */
#include "networks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scopes.h"

/* A range of IPv4 in host order, and an index by the first two bytes: with a million networks a
 * binary search over all of them is a microsecond of cache misses, over what two bytes leave of
 * them a tenth of that. */
struct range4 {
    uint32_t first, last;
};

#define INDEX_ENTRIES 65537 /* [n]: how many ranges begin before the address n << 16 */

struct list {
    struct range *ranges;
    size_t count, room;
    struct range4 *ranges4; /* IPv4, once it is sorted; NULL: none */
    uint32_t *index;
};

enum verb { ALLOW, DENY, VERBS };
static const char *const verbs[VERBS] = {"allow", "deny"};
enum family { IPV4, IPV6, FAMILIES };

struct networks {
    struct list lists[VERBS][FAMILIES];
    struct scopes scopes;
    size_t count;
    bool has_allow; /* of any family: then who is not allowed is refused */
};

static int add(struct list *list, const struct range *range)
{
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 16;
        struct range *ranges = realloc(list->ranges, room * sizeof *ranges);
        if (!ranges)
            return -1;
        list->ranges = ranges;
        list->room = room;
    }
    list->ranges[list->count++] = *range;
    return 0;
}

static int by_first(const void *a, const void *b)
{
    return memcmp(((const struct range *)a)->first, ((const struct range *)b)->first,
                  ADDRESS_BYTES);
}

static void sort_and_merge(struct list *list)
{
    size_t kept = 0;
    if (list->count)
        qsort(list->ranges, list->count, sizeof *list->ranges, by_first);
    for (size_t i = 0; i < list->count; i++) {
        const struct range *range = &list->ranges[i];
        struct range *before = kept ? &list->ranges[kept - 1] : NULL;
        if (!before || memcmp(range->first, before->last, ADDRESS_BYTES) > 0)
            list->ranges[kept++] = *range;
        else if (memcmp(range->last, before->last, ADDRESS_BYTES) > 0)
            memcpy(before->last, range->last, ADDRESS_BYTES);
    }
    list->count = kept;
}

static uint32_t number_of(const uint8_t *address)
{
    return (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 |
           address[3];
}

/* Makes the index. -1: no memory. */
static int index_list(struct list *list)
{
    if (list->count == 0)
        return 0;
    list->ranges4 = malloc(list->count * sizeof *list->ranges4);
    list->index = malloc(INDEX_ENTRIES * sizeof *list->index);
    if (!list->ranges4 || !list->index)
        return -1;
    uint32_t begun = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct range4 *range = &list->ranges4[i];
        *range = (struct range4){number_of(list->ranges[i].first), number_of(list->ranges[i].last)};
        for (; begun <= range->first >> 16; begun++)
            list->index[begun] = (uint32_t)i;
    }
    for (; begun < INDEX_ENTRIES; begun++)
        list->index[begun] = (uint32_t)list->count;
    free(list->ranges);
    list->ranges = NULL;
    return 0;
}

static bool contains4(const struct list *list, const uint8_t *address)
{
    if (!list->ranges4)
        return false;
    uint32_t key = number_of(address);
    uint32_t low = list->index[key >> 16], high = list->index[(key >> 16) + 1];
    while (low < high) { /* the first range that begins behind the address */
        uint32_t middle = low + (high - low) / 2;
        if (list->ranges4[middle].first <= key)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && key <= list->ranges4[low - 1].last;
}

static bool contains6(const struct list *list, const uint8_t *address)
{
    size_t low = 0, high = list->count;
    while (low < high) { /* the first range that begins behind the address */
        size_t middle = low + (high - low) / 2;
        if (memcmp(list->ranges[middle].first, address, ADDRESS_BYTES) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && memcmp(address, list->ranges[low - 1].last, ADDRESS_BYTES) <= 0;
}

/* Whether the verb's list of the family has the address. */
static bool contains(const struct list (*lists)[FAMILIES], enum family family, const uint8_t *key)
{
    return family == IPV4 ? contains4(&(*lists)[IPV4], key) : contains6(&(*lists)[IPV6], key);
}

bool networks_pass(const struct networks *networks, const struct client *client, char ***databases)
{
    uint8_t key[ADDRESS_BYTES] = {0};
    enum family family = client->size == 4 ? IPV4 : IPV6;
    struct scope_answer answer = {0};
    memcpy(key, client->address, client->size);
    *databases = NULL;
    if (contains(&networks->lists[DENY], family, key))
        return false;
    if (networks->scopes.count)
        answer = scopes_ask(&networks->scopes, client);
    *databases = answer.databases;
    if (answer.denied || answer.named)
        return !answer.denied && answer.allowed;
    if (answer.allowed_unnamed || contains(&networks->lists[ALLOW], family, key))
        return true;
    return !networks->has_allow && !answer.has_allow;
}

bool networks_need_more(const struct networks *networks)
{
    return networks->scopes.count > 0;
}

/* ---- Reading ---- */

/* Sets the range of an address and prefix; false when the address has bits behind the prefix. */
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
    if (!wrong && add(&networks->lists[verb][is_ipv6 ? IPV6 : IPV4], &range) < 0)
        wrong = "does not fit into memory";
    networks->has_allow = networks->has_allow || verb == ALLOW;
    return wrong;
}

static bool is_plain(const char *place, const char *rest)
{
    return !strchr(place, '@') && strncmp(place, "country:", 8) != 0 && strcmp(place, "any") != 0 &&
           rest[strspn(rest, " \t\r\n")] == '\0';
}

/* Reads one line. -1 and the problem. */
static int read_line(struct networks *networks, char *line, const char *path, unsigned number,
                     char problem[PROBLEM_BYTES])
{
    static const char space[] = " \t\r\n";
    line[strcspn(line, "#")] = '\0';
    char *rest, *verb = strtok_r(line, space, &rest), *place = strtok_r(NULL, space, &rest);
    if (!verb)
        return 0;
    int which = 0;
    while (which < VERBS && strcmp(verb, verbs[which]) != 0)
        which++;
    if (which == VERBS || !place) {
        snprintf(problem, PROBLEM_BYTES, "%s:%u: a rule is \"allow NETWORK\" or \"deny NETWORK\"",
                 path, number);
        return -1;
    }
    char shown[64];
    snprintf(shown, sizeof shown, "%s", place);
    const char *wrong = is_plain(place, rest)
                            ? add_plain(networks, (enum verb)which, place)
                            : scopes_add(&networks->scopes, which == ALLOW, place, rest);
    if (wrong) {
        snprintf(problem, PROBLEM_BYTES, "%s:%u: \"%s\" %s", path, number, shown, wrong);
        return -1;
    }
    networks->count++;
    return 0;
}

static int read_lines(struct networks *networks, FILE *file, const char *path,
                      char problem[PROBLEM_BYTES])
{
    char *line = NULL;
    size_t room = 0;
    unsigned number = 0;
    int status = 0;
    ssize_t size;
    while (status == 0 && (size = getline(&line, &room, file)) >= 0) {
        number++;
        if (strlen(line) != (size_t)size) {
            snprintf(problem, PROBLEM_BYTES, "%s:%u: has a NUL byte in it", path, number);
            status = -1;
        } else {
            status = read_line(networks, line, path, number, problem);
        }
    }
    if (status == 0 && ferror(file)) {
        snprintf(problem, PROBLEM_BYTES, "%s: %s", path, strerror(errno));
        status = -1;
    }
    free(line);
    return status;
}

struct networks *networks_read(const char *path, char problem[PROBLEM_BYTES])
{
    FILE *file = fopen(path, "re");
    struct networks *networks = file ? calloc(1, sizeof *networks) : NULL;
    if (!networks) {
        snprintf(problem, PROBLEM_BYTES, "%s: %s", path, strerror(errno));
    } else if (read_lines(networks, file, path, problem) < 0) {
        networks_free(networks);
        networks = NULL;
    }
    if (file)
        fclose(file);
    bool has_room = true;
    for (int verb = 0; networks && verb < VERBS; verb++) {
        for (int family = 0; family < FAMILIES; family++)
            sort_and_merge(&networks->lists[verb][family]);
        has_room = index_list(&networks->lists[verb][IPV4]) == 0 && has_room;
    }
    if (!has_room) {
        snprintf(problem, PROBLEM_BYTES, "%s: does not fit into memory", path);
        networks_free(networks);
        networks = NULL;
    }
    return networks;
}

size_t networks_count(const struct networks *networks)
{
    return networks->count;
}

void networks_free(struct networks *networks)
{
    for (int verb = 0; networks && verb < VERBS; verb++) {
        for (int family = 0; family < FAMILIES; family++)
            free(networks->lists[verb][family].ranges);
        free(networks->lists[verb][IPV4].ranges4);
        free(networks->lists[verb][IPV4].index);
    }
    if (networks)
        scopes_free(&networks->scopes);
    free(networks);
}
