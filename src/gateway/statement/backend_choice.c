/* SPDX-License-Identifier: Apache-2.0
 *
 * The choice is a copy of the name: the plugin's goes with its callback. */
#include "gateway/statement/backend_choice.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MOST 63 /* bytes of a backend's name or role that can be chosen */

int backend_choice_set(void *owner, weir_string name)
{
    struct observed *observed = owner;
    const bool is_settled =
        observed->is_connected || (observed->backend_first && observed->identity.user);
    if (is_settled || !name.data || name.size == 0 || name.size > NAME_MOST ||
        memchr(name.data, 0, name.size))
        return 0;
    char *copy = strndup(name.data, name.size);
    if (!copy)
        return 0;
    free(observed->wanted_backend);
    observed->wanted_backend = copy;
    return 1;
}
