/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocated when a plugin sets the first limit of a command: most commands have none. */
#include "gateway/statement/limits.h"

#include <stdlib.h>

enum limit_sort { LIMIT_ROWS, LIMIT_BYTES, LIMIT_TIME, LIMIT_SORTS };

struct statement_limits {
    uint64_t most[LIMIT_SORTS]; /* 0: any number */
    struct plugin_refusal refusals[LIMIT_SORTS];
};

int limits_add(void *owner, const weir_limits *limits, const struct plugin_refusal *refusal)
{
    struct observed *observed = owner;
    struct command *command = &observed->command;
    const uint64_t most[LIMIT_SORTS] = {limits->rows, limits->bytes, limits->time};
    if (command->phase != COMMAND_STARTING || command->code == WIRE_COM_CHANGE_USER)
        return 0;
    if (!command->limits && !(command->limits = calloc(1, sizeof *command->limits)))
        return 0;
    for (int sort = 0; sort < LIMIT_SORTS; sort++) {
        uint64_t before = command->limits->most[sort];
        if (!most[sort] || (before && before <= most[sort]))
            continue;
        command->limits->most[sort] = most[sort];
        command->limits->refusals[sort] = *refusal;
    }
    return 1;
}

bool limits_are_set(const struct observed *observed)
{
    return observed->command.limits != NULL;
}

long limits_seconds(const struct observed *observed)
{
    const struct statement_limits *limits = observed->command.limits;
    uint64_t ns = limits ? limits->most[LIMIT_TIME] : 0;
    return (long)(ns / CLOCK_NS_PER_S + (ns % CLOCK_NS_PER_S != 0));
}

const struct plugin_refusal *limits_passed(const struct observed *observed, uint64_t rows,
                                           uint64_t bytes)
{
    const struct statement_limits *limits = observed->command.limits;
    if (limits && limits->most[LIMIT_ROWS] && rows > limits->most[LIMIT_ROWS])
        return &limits->refusals[LIMIT_ROWS];
    if (limits && limits->most[LIMIT_BYTES] && bytes > limits->most[LIMIT_BYTES])
        return &limits->refusals[LIMIT_BYTES];
    return NULL;
}

const struct plugin_refusal *limits_timed_out(const struct observed *observed)
{
    const struct statement_limits *limits = observed->command.limits;
    return limits && limits->most[LIMIT_TIME] ? &limits->refusals[LIMIT_TIME] : NULL;
}
