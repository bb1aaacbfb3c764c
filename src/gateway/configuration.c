/* SPDX-License-Identifier: Apache-2.0
 *
 * References to configurations: the last one that goes frees it, on whatever thread that is. */
#include "gateway/configuration.h"

#include <assert.h>

#include "gateway/compression_names.h"

void gateway_configuration_hold(struct gateway_configuration *configuration)
{
    atomic_fetch_add(&configuration->references, 1);
}

void gateway_configuration_drop(struct gateway_configuration *configuration)
{
    if (!configuration)
        return;
    const unsigned before = atomic_fetch_sub(&configuration->references, 1);
    assert(before > 0);
    if (before > 1)
        return;
    networks_free(configuration->proxies);
    networks_free(configuration->first);
    strbuf_release(&configuration->accounts_question);
    configuration->release(configuration);
}

int configuration_prepare(struct gateway_configuration *configuration, struct error *error)
{
    const struct gateway_options *options = &configuration->options;
    assert(!configuration->proxies);
    if (networks_parse("-proxy-protocol-networks", options->proxy_networks, &configuration->proxies,
                       error) ||
        networks_parse("-backend-first-networks", options->first_networks, &configuration->first,
                       error) ||
        compression_capabilities("compression", options->compression, &configuration->compression,
                                 error) ||
        compression_capabilities("backend-compression", options->backend_compression,
                                 &configuration->backend_compression, error))
        return -1;
    return 0;
}

struct gateway_configuration *configuration_hold(struct gateway *gateway)
{
    pthread_mutex_lock(&gateway->configuration_lock);
    struct gateway_configuration *configuration = gateway->configuration;
    gateway_configuration_hold(configuration);
    pthread_mutex_unlock(&gateway->configuration_lock);
    return configuration;
}

void configuration_replace(struct gateway *gateway, struct gateway_configuration *fresh)
{
    pthread_mutex_lock(&gateway->configuration_lock);
    struct gateway_configuration *old = gateway->configuration;
    gateway->configuration = fresh;
    gateway->options = &fresh->options;
    pthread_mutex_unlock(&gateway->configuration_lock);
    atomic_fetch_add(&gateway->configurations, 1);
    gateway_configuration_drop(old);
}

struct tls_options configuration_tls(const struct gateway_options *options)
{
    return (struct tls_options){.prefix = "-",
                                .certificate = options->tls_certificate,
                                .key = options->tls_key,
                                .ca = options->tls_ca,
                                .automatic = options->tls_automatic};
}

int configuration_check_tls(const struct gateway_options *options, bool has_one,
                            struct error *error)
{
    const char *option = has_one                ? NULL
                         : options->require_tls ? "-require-secure-transport"
                         : options->report_status && options->status_tls ? "-status-tls"
                                                                         : NULL;
    if (!option)
        return 0;
    return error_set(
        error, "%s: there is no certificate; give -ssl-cert and -ssl-key, or -auto-tls", option);
}
