/* SPDX-License-Identifier: Apache-2.0
 *
 * Backends that are tried in order. */
#include "harness_backends.h"

#include <assert.h>
#include <string.h>

const struct session_backend harness_backends[HARNESS_BACKENDS] = {
    {.name = "one", .address = "tcp://backend:3306", .label = "tcp://backend:3306", .number = 0},
    {.name = "two", .address = "tcp://two:3306", .label = "two (tcp://two:3306)", .number = 1},
    {.name = "three",
     .address = "tcp://three:3306",
     .label = "three (tcp://three:3306)",
     .number = 2},
};

/* In order; wanted is a name. */
bool harness_backend_choose(void *owner, const char *wanted, uint32_t tried,
                            struct session_choice *choice, struct error *error)
{
    struct harness *harness = owner;
    const size_t count = harness->options.several ? HARNESS_BACKENDS : 1;
    *choice = (struct session_choice){0};
    for (size_t i = count; i-- > 0;) {
        if (tried & 1U << i || (wanted && strcmp(harness->backends[i].name, wanted) != 0))
            continue;
        choice->others += choice->backend != NULL;
        choice->backend = &harness->backends[i];
    }
    if (!choice->backend)
        return error_set(error, "there is no backend %s", wanted ? wanted : "left") == 0;
    harness->sessions[choice->backend->number]++;
    return true;
}

void harness_backend_leave(void *owner, const struct session_backend *backend)
{
    struct harness *harness = owner;
    assert(harness->sessions[backend->number] == 1);
    harness->sessions[backend->number]--;
}

bool harness_backend_failed(void *owner, const struct session_choice *choice, const char *why)
{
    struct harness *harness = owner;
    assert(choice->backend && *why);
    harness->failures++;
    return false;
}
