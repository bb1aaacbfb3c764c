/* SPDX-License-Identifier: Apache-2.0
 *
 * The system variables audit_log_*, as the other files want them. The only place that knows their
 * names and types; manifest.toml says what they mean. */
#ifndef AUDIT_LOG_SETTINGS_H
#define AUDIT_LOG_SETTINGS_H

#include <weir/check.h>

#include "collect.h"
#include "journal.h"

/* Reads everything. The strings live as long as the plugin. -1 and the problem. */
WEIR_MUST_CHECK int settings_read(struct journal_options *journal, struct sink_options *sink,
                                  char **filter_file, struct error *error);

/* Each of these is a load or two. */
const struct format *settings_format(void);
/* The one of a value of audit_log_format. */
const struct format *settings_format_at(int64_t value);
bool settings_log_starting(void);
void settings_collect(struct collect_options *options);

/* What conditions of filters can ask for. */
void settings_filter_subject(struct filter_subject *subject);
/* Whether statements that succeed within this time are left out, in us; 0: none. */
uint64_t settings_slow_us(void);
/* Accounts that are let in while the log cannot be written; a list as account_in_list() reads it. */
weir_string settings_emergency_accounts(void);
/* Accounts of which nothing is aborted; a list as account_in_list() reads it. */
weir_string settings_abort_exempt(void);

/* Passes on what may change while the server runs. */
void settings_apply(struct journal *journal, struct sink_options *sink);

#endif
