/* SPDX-License-Identifier: Apache-2.0
 *
 * Which backend plugins have chosen for a session (weir_choose_backend()), until it has one. */
#ifndef WEIR_GATEWAY_STATEMENT_BACKEND_CHOICE_H
#define WEIR_GATEWAY_STATEMENT_BACKEND_CHOICE_H

#include "gateway/statement/observed.h"

/* A plugin wants a backend with this name or role. owner: the observed, which keeps a copy. Returns 1, or 0:
 * the session has its backend already, no backend can have such a name, or there is no memory. */
int backend_choice_set(void *owner, weir_string name);

#endif
