/* SPDX-License-Identifier: Apache-2.0
 *
 * Pending answers of plugins: the host's functions behind weir_hold_reply(), weir_release(),
 * weir_hold_verdict() and weir_decide(). */
#ifndef WEIR_PLUGIN_HOST_PLUGIN_HOLDS_H
#define WEIR_PLUGIN_HOST_PLUGIN_HOLDS_H

#include "plugin/host/plugin_host.h"

/* Members of plugin_host. hold and hold_verdict: on the session's thread, NULL when nothing can be
 * held now. release and decide: any thread, once a hold. */
weir_hold *plugin_host_hold(weir_session *session, const weir_plugin *plugin);
void plugin_host_release(weir_hold *hold, weir_verdict verdict);
weir_hold *plugin_host_hold_verdict(weir_session *session, const weir_plugin *plugin);
void plugin_host_decide(weir_hold *hold, weir_verdict verdict, uint32_t error_code,
                        const char *sqlstate, const char *message, size_t message_size);

/* The member of plugin_host behind weir_limit_statement(). */
int plugin_host_limit_statement(weir_session *session, const weir_plugin *plugin,
                                const weir_limits *limits, const char *message, size_t size);

/* The member of plugin_host behind weir_choose_backend(). */
int plugin_host_choose_backend(weir_session *session, const char *name, size_t size);

/* Writes what a client can be sent: 16 bits of number (0, more, or a client library's own: 1045), five
 * characters of state (otherwise "28000"), 511 bytes of message. What the plugin asked for and cannot
 * have is in the log. by is NULL: the caller knows whose it is. */
void plugin_refusal_set(struct plugin_refusal *refusal, const struct weir_plugin *plugin,
                        uint32_t error_code, const char *sqlstate, const char *message,
                        size_t message_size);

#endif
