/* SPDX-License-Identifier: Apache-2.0
 *
 * What statements that are the cluster's do while it is not reached: they are refused, or carried out here with a warning. */
#include "gateway/cluster_state.h"

#define WHY_BYTES 256

void cluster_add_warning(struct strbuf *warnings, const char *text, const char *why)
{
    strbuf_printf(warnings, "%s%s: %s", warnings->size ? "; " : "", text, why);
}

int cluster_may_act(const struct cluster_link *link, struct error *error)
{
    char why[WHY_BYTES];
    if (!link->options.refuses_alone || plugin_keys_are_reached(link->keys, why, sizeof why))
        return 0;
    return error_set(
        error,
        "nothing was done: the cluster is not reached (%s), and -cluster-unreached is refuse", why);
}
