/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of weir-server: one table, and the struct that it fills. */
#ifndef WEIR_SERVER_OPTIONS_H
#define WEIR_SERVER_OPTIONS_H

#include "base/base.h"

struct server_options {
    /* Listening */
    char *host;
    long port;
    char *socket;
    char *proxy_networks, *backend_first_networks;
    long workers, max_connections;
    /* Status port */
    bool report_status;
    char *status_host;
    long status;
    bool status_is_given; /* by somebody: it is no default */
    bool status_tls;
    char *status_token_file;
    /* TLS */
    char *ssl_cert, *ssl_key, *ssl_ca;
    bool auto_tls, require_secure_transport;
    /* Compression */
    char *compression;
    long compression_level, zstd_level;
    /* Backend */
    char *path;
    char *backend;
    int backend_policy;
    char *backend_check_user, *backend_check_password, *backend_check_password_file,
        *backend_check_query, *backend_check_expect;
    bool backend_check_galera;
    long backend_check_interval, backend_status_port, backend_rise, backend_fall,
        backend_slow_start, backend_lost_timeout;
    char *backend_compression;
    bool proxy_protocol, backend_first;
    char *mariadbd;
    /* TLS to the backend */
    char *backend_tls, *backend_ssl_ca, *backend_ssl_cert, *backend_ssl_key, *backend_ssl_name,
        *backend_tls_version, *backend_ssl_cipher;
    /* Cluster */
    char *cluster, *cluster_name, *advertise;
    bool cluster_required;
    int cluster_unreached; /* index of gateway_unreached_policies */
    char *cluster_ssl_ca, *cluster_ssl_cert, *cluster_ssl_key;
    char *cluster_user, *cluster_password, *cluster_password_file;
    /* Plugins */
    char *plugin_dir, *plugin_load, *plugin_locked;
    bool skip_plugin_on_failure;
    char *trace_plugin, *trace_user, *trace_host;
    /* Limits */
    long handshake_timeout, connect_timeout, graceful_wait, drain_timeout, hold_timeout,
        stall_limit, max_command_bytes, max_prepared_bytes;
    /* General */
    char *config, *log_file;
    int level;
    bool version, help, manual, manual_file, sample, check;
};

extern const struct option_table server_option_table;

#endif
