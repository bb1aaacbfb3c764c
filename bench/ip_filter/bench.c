/* SPDX-License-Identifier: Apache-2.0
 *
 * How long ip_filter takes to read a million networks, and to decide about an address. Built and
 * run by run.sh. The addresses are all different and in no order, which is the worst for the
 * caches. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/clock.h>

#include "networks.h"

#define NETWORKS  1000000
#define DECISIONS 4000000

/* Of processor time: the machine may do something else, too. */
static double seconds(void)
{
    return (double)clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) * 1e-9;
}

static uint64_t next_random(void)
{
    static uint64_t state = 88172645463325252U;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* Four of five are IPv4, /16 to /32; the others IPv6, /32 to /64. */
static void write_networks(FILE *file)
{
    for (int i = 0; i < NETWORKS; i++) {
        uint64_t bits = next_random();
        const char *verb = i % 2 ? "allow" : "deny";
        char text[INET6_ADDRSTRLEN];
        unsigned prefix;
        if (i % 5) {
            prefix = 16 + (unsigned)(bits >> 40) % 17;
            uint32_t address = htonl((uint32_t)bits & (uint32_t)(UINT64_MAX << (32 - prefix)));
            inet_ntop(AF_INET, &address, text, sizeof text);
        } else {
            uint8_t address[16] = {0x20, 0x01};
            prefix = 32 + 8 * ((unsigned)(bits >> 60) % 5);
            memcpy(address + 2, &bits, prefix / 8 - 2);
            inet_ntop(AF_INET6, address, text, sizeof text);
        }
        fprintf(file, "%s %s/%u\n", verb, text, prefix);
    }
}

/* Seconds that one decision takes. IPv6 addresses are of the /16 that the networks are in. */
static double decide(const struct networks *networks, size_t size)
{
    struct client client = {.size = size, .address = {0x20, 0x01}, .user = "app", .user_size = 3};
    char **databases;
    size_t passed = 0;
    double start = seconds();
    for (int i = 0; i < DECISIONS; i++) {
        uint64_t bits = next_random();
        memcpy(client.address + (size == 16 ? 2 : 0), &bits, size == 16 ? sizeof bits : 4);
        passed += networks_pass(networks, &client, &databases);
    }
    double time = (seconds() - start) / DECISIONS;
    printf("an IPv%d decision takes %.0f ns (%.1f %% pass)\n", size == 4 ? 4 : 6, time * 1e9,
           100.0 * (double)passed / DECISIONS);
    return time;
}

int main(void)
{
    char path[] = "/tmp/ip_filter.XXXXXX";
    struct error error;
    int descriptor = mkstemp(path);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (!file)
        return 1;
    write_networks(file);
    fclose(file);
    double start = seconds();
    struct networks *networks = networks_read(path, &error);
    double read_time = seconds() - start;
    unlink(path);
    if (!networks) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    double longest = 0;
    printf("%zu rules read in %.2f s\n", networks_count(networks), read_time);
    for (size_t size = 4; size <= 16; size += 12) {
        double time = decide(networks, size);
        longest = time > longest ? time : longest;
    }
    networks_free(networks);
    return read_time < 2 && longest < 1e-6 ? 0 : 1;
}
