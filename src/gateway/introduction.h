/* SPDX-License-Identifier: Apache-2.0
 *
 * What a session is given when its client has connected: addresses, an id, a scramble, and what the
 * server says of itself. */
#ifndef WEIR_GATEWAY_INTRODUCTION_H
#define WEIR_GATEWAY_INTRODUCTION_H

#include "gateway/worker.h"

struct introduction {
    struct session_arrival arrival; /* points into the rest */
    struct upstream_profile profile;
};

/* Fills *introduction, which must stay where it is until session_new() has returned. */
void introduce(struct introduction *introduction, const struct worker *worker,
               const struct arrival *arrival);

#endif
