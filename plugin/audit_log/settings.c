/* SPDX-License-Identifier: Apache-2.0
 *
 * Translates the values of the system variables into the terms of the other files: an enum's
 * number into a format, sink or strategy (by tables in the order of the manifest's enums), a
 * duration into seconds, a path into one below the data directory.
 *
 * Some variables are read once, when the plugin starts; settings_apply() passes on those that may
 * change while it runs. The paths are static buffers, because options are borrowed for the life of
 * the plugin. */
#include "settings.h"

#include <stdio.h>
#include <weir/clock.h>
#include <weir/files.h>

#define SEVERITY_INFO 6
#define NS_PER_US     1000
#define PATH_BYTES    4096 /* PATH_MAX */

/* The enums of the manifest, in its order. */
static const struct format *const formats[] = {
    [AUDIT_LOG_FORMAT_JSON] = &format_json,
    [AUDIT_LOG_FORMAT_MYSQL_JSON] = &format_mysql_json,
    [AUDIT_LOG_FORMAT_CSV] = &format_csv,
    [AUDIT_LOG_FORMAT_SERVER_AUDIT] = &format_server_audit,
    [AUDIT_LOG_FORMAT_PERCONA_JSON] = &format_percona_json};
static const struct sink_type *const sinks[] = {[AUDIT_LOG_HANDLER_FILE] = &sink_file,
                                                [AUDIT_LOG_HANDLER_SYSLOG] = &sink_syslog,
                                                [AUDIT_LOG_HANDLER_SOCKET] = &sink_socket};
static const enum strategy strategies[] = {
    [AUDIT_LOG_STRATEGY_ASYNCHRONOUS] = STRATEGY_ASYNCHRONOUS,
    [AUDIT_LOG_STRATEGY_PERFORMANCE] = STRATEGY_PERFORMANCE,
    [AUDIT_LOG_STRATEGY_SEMISYNCHRONOUS] = STRATEGY_SEMISYNCHRONOUS,
    [AUDIT_LOG_STRATEGY_SYNCHRONOUS] = STRATEGY_SYNCHRONOUS};

static char file[PATH_BYTES], filters[PATH_BYTES];

const struct format *settings_format_at(int64_t value)
{
    return formats[value];
}

const struct format *settings_format(void)
{
    return settings_format_at(weir_number_of(AUDIT_LOG_FORMAT));
}

bool settings_log_starting(void)
{
    return weir_number_of(AUDIT_LOG_STARTING);
}

void settings_collect(struct collect_options *options)
{
    options->with_digest = weir_number_of(AUDIT_LOG_DIGEST);
    options->with_tables = weir_number_of(AUDIT_LOG_TABLES);
    options->with_parameters = weir_number_of(AUDIT_LOG_PARAMETERS);
    options->sql_limit = (uint64_t)weir_number_of(AUDIT_LOG_SQL_LIMIT);
}

void settings_filter_subject(struct filter_subject *subject)
{
    subject->variables[VARIABLE_CONNECTION_POLICY] =
        (uint64_t)weir_number_of(AUDIT_LOG_CONNECTION_POLICY);
    subject->variables[VARIABLE_STATEMENT_POLICY] =
        (uint64_t)weir_number_of(AUDIT_LOG_STATEMENT_POLICY);
    subject->variables[VARIABLE_POLICY] = (uint64_t)weir_number_of(AUDIT_LOG_POLICY);
    subject->included = weir_text_of(AUDIT_LOG_INCLUDE_ACCOUNTS);
    subject->excluded = weir_text_of(AUDIT_LOG_EXCLUDE_ACCOUNTS);
}

uint64_t settings_slow_us(void)
{
    return (uint64_t)weir_number_of(AUDIT_LOG_SLOW_STATEMENTS) / NS_PER_US;
}

weir_string settings_emergency_accounts(void)
{
    return weir_text_of(AUDIT_LOG_EMERGENCY_ACCOUNT);
}

weir_string settings_abort_exempt(void)
{
    return weir_text_of(AUDIT_LOG_ABORT_EXEMPT);
}

static void apply_sink(struct sink_options *sink)
{
    atomic_store(&sink->rotate_on_size,
                 (unsigned long long)weir_number_of(AUDIT_LOG_ROTATE_ON_SIZE));
    atomic_store(&sink->rotate_every_s,
                 (unsigned long long)weir_number_of(AUDIT_LOG_ROTATE_EVERY) / CLOCK_NS_PER_S);
    atomic_store(&sink->keep_files, (unsigned long long)weir_number_of(AUDIT_LOG_ROTATIONS));
    atomic_store(&sink->keep_days, (unsigned long long)weir_number_of(AUDIT_LOG_KEEP_DAYS));
    atomic_store(&sink->compress, weir_number_of(AUDIT_LOG_COMPRESS));
}

void settings_apply(struct journal *journal, struct sink_options *sink)
{
    apply_sink(sink);
    journal_set_strategy(journal, strategies[weir_number_of(AUDIT_LOG_STRATEGY)]);
    journal_set_buffer_bytes(journal, (uint64_t)weir_number_of(AUDIT_LOG_BUFFER_SIZE));
    journal_set_chain(journal, weir_number_of(AUDIT_LOG_CHAIN));
    journal_set_allow(journal, weir_number_of(AUDIT_LOG_ON_FAILURE) == AUDIT_LOG_ON_FAILURE_ALLOW);
}

int settings_read(struct journal_options *journal, struct sink_options *sink, char **filter_file,
                  struct error *error)
{
    bool is_socket = weir_number_of(AUDIT_LOG_HANDLER) == AUDIT_LOG_HANDLER_SOCKET;
    if (!files_in_data_directory(weir_text_of(AUDIT_LOG_FILE), file, sizeof file) ||
        !files_in_data_directory(weir_text_of(AUDIT_LOG_FILTER_FILE), filters, sizeof filters)) {
        error_set(error, "the path of a file is too long");
        return -1;
    }
    sink->file = file;
    sink->address = weir_text_of(is_socket ? AUDIT_LOG_SOCKET : AUDIT_LOG_SYSLOG_SOCKET).data;
    sink->syslog_identity = weir_text_of(AUDIT_LOG_SYSLOG_IDENTITY).data;
    sink->syslog_priority = (unsigned)weir_number_of(AUDIT_LOG_SYSLOG_FACILITY) * 8 + SEVERITY_INFO;
    apply_sink(sink);
    *journal = (struct journal_options){
        .sink = sinks[weir_number_of(AUDIT_LOG_HANDLER)],
        .sink_options = sink,
        .format = settings_format(),
        .strategy = strategies[weir_number_of(AUDIT_LOG_STRATEGY)],
        .buffer_bytes = (uint64_t)weir_number_of(AUDIT_LOG_BUFFER_SIZE),
        .has_chain = weir_number_of(AUDIT_LOG_CHAIN),
        .allow_on_failure = weir_number_of(AUDIT_LOG_ON_FAILURE) == AUDIT_LOG_ON_FAILURE_ALLOW,
    };
    *filter_file = filters;
    return 0;
}
