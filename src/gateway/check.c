/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be said of a configuration without starting anything: the same steps as a start, up to the first that
 * reaches out. Whether a port is free, or a server answers, only a start can tell. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "gateway/backends.h"
#include "gateway/configuration.h"

static WEIR_MUST_CHECK int check_certificate(const struct gateway_options *options,
                                             struct error *error)
{
    const struct tls_options tls = configuration_tls(options);
    struct tls_context *context = NULL;
    int status = tls_context_open(&context, &tls, error);
    if (status == 0)
        status = configuration_check_tls(options, context != NULL, error);
    tls_context_free(context);
    return status;
}

static WEIR_MUST_CHECK int check_backends(struct gateway_configuration *configuration,
                                          struct error *error)
{
    struct upstream_options list[GATEWAY_BACKENDS_MOST];
    struct upstream_set_options set;
    backends_describe(configuration, list, &set);
    struct upstream_set *upstreams = upstream_set_new(&set, error);
    upstream_set_free(upstreams);
    return upstreams ? 0 : -1;
}

static WEIR_MUST_CHECK int check_token(const struct gateway_options *options, struct error *error)
{
    const char *path = options->status_token_file;
    if (options->report_status && path && *path && access(path, R_OK))
        return error_set(error, "-status-token-file %s: %s", path, strerror(errno));
    return 0;
}

int gateway_check(struct gateway_configuration *configuration, struct error *error)
{
    const struct gateway_options *options = &configuration->options;
    if (configuration_prepare(configuration, error) || check_certificate(options, error) ||
        check_backends(configuration, error) || check_token(options, error))
        return -1;
    return 0;
}
