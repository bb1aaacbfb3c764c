/* SPDX-License-Identifier: Apache-2.0
 *
 * The set of servers that the gateway connects to: which one a session gets, and what clients are
 * greeted with before they have one.
 *
 * What a greeting promises is kept by whichever server the session gets later: the capabilities are those
 * that all of the set have, the version and the character set those of the first that is up. A server
 * that differs in more than that is refused, with a sentence in the log and in ADMIN SHOW BACKENDS:
 * one of another family (MariaDB or not), because drivers choose their dialect by the version; and one
 * that cannot be asked for an account's method of authentication. */
#ifndef WEIR_GATEWAY_UPSTREAM_SET_H
#define WEIR_GATEWAY_UPSTREAM_SET_H

#include "gateway/upstream/policy.h"
#include "gateway/upstream/upstream.h"

struct upstream_set;

struct upstream_set_options {
    const struct upstream_options *upstreams; /* copied; their texts are borrowed */
    size_t count;                             /* 1 to UPSTREAM_MOST */
    enum upstream_policy policy;
    /* Makes what upstream_tag() returns, when one is started (main thread). NULL from it: no memory. May be
     * NULL. */
    const void *(*tag)(void *user, const struct upstream *upstream, unsigned number);
    void *tag_user;
};

/* ---- Its life, as an upstream's: main thread ---- */

struct upstream_set *upstream_set_new(const struct upstream_set_options *options,
                                      struct error *error) WEIR_MUST_CHECK;

/* on_looked is called after each look, once all have been looked at. answers: one does. */
int upstream_set_start(struct upstream_set *set, struct uv_loop_s *loop,
                       upstream_on_looked *on_looked, void *user,
                       struct error *error) WEIR_MUST_CHECK;
void upstream_set_stop(struct upstream_set *set);

/* ---- Another one in place of it, without losing a session ---- */

/* Prepares it: loads certificates, and begins to look at those that are new. An upstream of which nothing differs but numbers
 * and its role stays. on_ready is called from the loop once all have been looked at, if that is later: see
 * upstream_set_is_prepared(). Returns 0, and commit or abandon is due; or -1 and a message. */
int upstream_set_prepare(struct upstream_set *set, const struct upstream_set_options *options,
                         void (*on_ready)(void *user), void *user,
                         struct error *error) WEIR_MUST_CHECK;
bool upstream_set_is_prepared(const struct upstream_set *set);

/* From now on sessions get those. Upstreams that are not among them live until their sessions have ended. */
void upstream_set_commit(struct upstream_set *set);
void upstream_set_abandon(struct upstream_set *set);

void upstream_set_free(struct upstream_set *set); /* set may be NULL */

/* ---- What is in it: any thread ---- */

size_t upstream_set_count(struct upstream_set *set);

/* By its number. The caller has a session or a pin that keeps it, or is the main thread. */
struct upstream *upstream_set_at(struct upstream_set *set, size_t number);

/* By its place: those of the configuration in their order, then those that were removed and still have sessions; or by
 * its tag. Pinned: upstream_unpin() is due. NULL: there is none. */
struct upstream *upstream_set_pin_at(struct upstream_set *set, size_t place);
struct upstream *upstream_set_pin(struct upstream_set *set, const void *tag);

/* What clients are greeted with. Returns false if no server that may be used was ever reached. */
bool upstream_set_profile(struct upstream_set *set,
                          struct upstream_profile *profile) WEIR_MUST_CHECK;

/* Chooses a server for a session, which counts as one of its from now on
 * (upstream_count_session(-1) is due). wanted: a name or a role; NULL: any. tried: bits of the numbers that are not
 * to be chosen. *others: how many more could have been. Returns its number, or POLICY_NONE and a
 * message. */
size_t upstream_set_choose(struct upstream_set *set, const char *wanted, uint32_t tried,
                           size_t *others, struct error *error) WEIR_MUST_CHECK;

/* Sets the mode of the server with that name. Returns 0, or -1 and a message: there is no such server,
 * or none would be left for those who could enable it again. */
int upstream_set_change(struct upstream_set *set, const char *name, enum upstream_mode mode,
                        struct error *error) WEIR_MUST_CHECK;

#endif
