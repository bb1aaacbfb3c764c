/* SPDX-License-Identifier: Apache-2.0
 *
 * From the text of -backend and the tables [[backend]] to a list of backends. */
#include "backends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "password.h"

#define AT(member) offsetof(struct backend_settings, member)

#define TEXT(name_, member, argument_, help_)                                                      \
    {                                                                                              \
        .name = (name_), .type = OPTION_TEXT, .offset = AT(member), .argument = (argument_),       \
        .help = (help_)                                                                            \
    }

static const struct option_row rows[] = {
    TEXT("name", name, "NAME",
         "What plugins, the log and the metrics call it. Without it: its address."),
    TEXT("address", address, "ADDRESS", "tcp://host:port or unix:///path. It must be there."),
    TEXT(
        "role", role, "ROLE",
        "What plugins can choose a backend by; \"standby\": it gets sessions only when no other is "
        "up; \"auto\": a check finds out."),
    {.name = "weight",
     .type = OPTION_NUMBER,
     .offset = AT(weight),
     .argument = "N",
     .fallback = "1",
     .minimum = 1,
     .maximum = 1000,
     .help = "Its share of the sessions, beside the others' weights."},
    {.name = "proxy-protocol",
     .type = OPTION_FLAG,
     .offset = AT(proxy_protocol),
     .help = "As the option proxy-protocol, which counts where this is not given."},
    {.name = "status-port",
     .type = OPTION_NUMBER,
     .offset = AT(status_port),
     .argument = "PORT",
     .fallback = "0",
     .minimum = 0,
     .maximum = 65535,
     .help = "As backend-status-port, which counts where this is not given."},
    TEXT("tls", tls, "MODE", "As backend-tls."),
    TEXT("ssl-ca", ssl_ca, "FILE", "As backend-ssl-ca."),
    TEXT("ssl-cert", ssl_cert, "FILE", "As backend-ssl-cert."),
    TEXT("ssl-key", ssl_key, "FILE", "As backend-ssl-key."),
    TEXT("ssl-name", ssl_name, "NAME", "As backend-ssl-name."),
    TEXT("tls-version", tls_version, "LIST", "As backend-tls-version."),
    TEXT("ssl-cipher", ssl_cipher, "LIST", "As backend-ssl-cipher."),
};

const struct option_table backend_option_table = {
    .program = "weir-server", .rows = rows, .count = sizeof rows / sizeof *rows};

/* Adds one with the defaults. Returns NULL and a message if there are too many, or no memory. */
static struct backend_settings *add(struct backend_list *backends,
                                    const struct server_options *options, struct error *error)
{
    if (backends->count == GATEWAY_BACKENDS_MOST) {
        error_set(error, "more than %d backends", GATEWAY_BACKENDS_MOST);
        return NULL;
    }
    struct backend_settings *settings = &backends->settings[backends->count++];
    if (options_defaults(&backend_option_table, settings, error))
        return NULL;
    settings->proxy_protocol = options->proxy_protocol;
    settings->status_port = options->backend_status_port;
    return settings;
}

static int fill_from_text(struct backend_list *backends, const struct server_options *options,
                          struct error *error)
{
    for (const char *at = options->backend; at; at = strchr(at, ',')) {
        at += *at == ',';
        const size_t size = strcspn(at, ",");
        struct backend_settings *settings = add(backends, options, error);
        if (!settings)
            return -1;
        if (size == 0)
            return error_set(error, "-backend %s: there is nothing between two commas",
                             options->backend);
        settings->address = strndup(at, size);
        if (!settings->address)
            return error_set(error, "not enough memory");
    }
    return 0;
}

static int fill_from_file(struct backend_list *backends, const struct server_options *options,
                          const struct config_file *file, struct error *error)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < config_file_table_count(file, "backend"); i++) {
        struct backend_settings *settings = add(backends, options, error);
        status = settings ? config_file_set_table(file, "backend", i, &backend_option_table,
                                                  settings, error)
                          : -1;
        if (status == 0 && (!settings->address || !*settings->address))
            status = config_file_table_error(file, "backend", i, error,
                                             "a backend without address; give address = "
                                             "\"tcp://host:port\" or \"unix:///path\"");
    }
    return status;
}

static int fill_account(struct backend_list *backends, const struct server_options *options,
                        struct error *error)
{
    const bool asks = options->backend_check_query || options->backend_check_galera;
    bool finds_role = false;
    for (size_t i = 0; i < backends->count; i++)
        finds_role = finds_role || (backends->settings[i].role &&
                                    strcmp(backends->settings[i].role, "auto") == 0);
    if ((asks || finds_role) && !options->backend_check_user)
        return error_set(error, "%s: give -backend-check-user, whose session asks that",
                         finds_role ? "role = \"auto\""
                                    : "-backend-check-query, -backend-check-galera");
    if (options->backend_check_expect && !options->backend_check_query)
        return error_set(error, "-backend-check-expect: there is no -backend-check-query");
    return password_read(&backends->check_password, options->backend_check_password,
                         "-backend-check-password-file", options->backend_check_password_file,
                         error);
}

/* What the table says, and for the rest the options, as far as they mean something with it: a mode of
 * its own may do without what they give, and a certificate goes with its key. */
static struct upstream_tls_options tls_of(const struct backend_settings *own,
                                          const struct upstream_tls_options *common)
{
    static const struct upstream_tls_options nothing = {.mode = NULL};
    const bool is_off = own->tls && strcmp(own->tls, upstream_tls_mode_name(UPSTREAM_TLS_OFF)) == 0;
    const bool verifies = !own->tls || strncmp(own->tls, "verify-", strlen("verify-")) == 0;
    const bool has_pair = own->ssl_cert || own->ssl_key;
    const struct upstream_tls_options *usual = is_off ? &nothing : common;
    return (struct upstream_tls_options){
        .mode = own->tls ? own->tls : usual->mode,
        .ca = own->ssl_ca ? own->ssl_ca : (verifies ? usual->ca : NULL),
        .certificate = has_pair ? own->ssl_cert : usual->certificate,
        .key = has_pair ? own->ssl_key : usual->key,
        .version = own->tls_version ? own->tls_version : usual->version,
        .cipher = own->ssl_cipher ? own->ssl_cipher : usual->cipher,
        .name = own->ssl_name ? own->ssl_name : usual->name,
    };
}

int backend_list_fill(struct backend_list *backends, const struct server_options *options,
                      const struct config_file *file, struct error *error)
{
    *backends = (struct backend_list){.tls = {.mode = options->backend_tls,
                                              .ca = options->backend_ssl_ca,
                                              .certificate = options->backend_ssl_cert,
                                              .key = options->backend_ssl_key,
                                              .version = options->backend_tls_version,
                                              .cipher = options->backend_ssl_cipher,
                                              .name = options->backend_ssl_name}};
    int status = 0;
    if (options->backend && *options->backend)
        status = fill_from_text(backends, options, error);
    else if (file)
        status = fill_from_file(backends, options, file, error);
    if (status == 0)
        status = fill_account(backends, options, error);
    for (size_t i = 0; i < backends->count; i++) {
        const struct backend_settings *settings = &backends->settings[i];
        backends->list[i] = (struct gateway_backend){.name = settings->name,
                                                     .address = settings->address,
                                                     .role = settings->role,
                                                     .weight = settings->weight,
                                                     .proxy_protocol = settings->proxy_protocol,
                                                     .status_port = settings->status_port,
                                                     .tls = tls_of(settings, &backends->tls)};
    }
    return status;
}

void backend_list_release(struct backend_list *backends)
{
    for (size_t i = 0; i < backends->count; i++)
        options_release(&backend_option_table, &backends->settings[i]);
    free(backends->check_password);
}
