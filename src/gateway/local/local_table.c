/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of the statements that the gateway answers itself, from statements.def. */
#include <assert.h>

#include "gateway/local/local.h"

static const struct local_statement *const table[] = {
#define X(row) &row,
#include "gateway/local/statements.def"
#undef X
};

const struct local_statement *local_find(const struct observed *observed,
                                         const struct wire_packet *packet)
{
    assert(observed && packet);
    if (packet->payload_size == 0) /* an empty command is COM_SLEEP */
        return NULL;
    const struct session_environment *environment = observed->environment;
    const unsigned lacks = (environment->has_variables ? 0 : LOCAL_NEEDS_VARIABLES) |
                           (environment->has_functions ? 0 : LOCAL_NEEDS_FUNCTIONS);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (!(table[i]->needs & lacks) && table[i]->matches(observed, packet))
            return table[i];
    return NULL;
}
