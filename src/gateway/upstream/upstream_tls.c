/* SPDX-License-Identifier: Apache-2.0
 *
 * From -backend-tls and its companions to a context. What would be silently without effect is refused:
 * a file of authorities where nobody is verified, files where TLS is off. */
#include "gateway/upstream/upstream_tls.h"

#include <string.h>

#include "gateway/net/net.h"

static const char *const mode_names[] = {
#define X(enumerator, name, what) name,
    UPSTREAM_TLS_MODES(X)
#undef X
};

const char *upstream_tls_mode_name(enum upstream_tls_mode mode)
{
    return mode_names[mode];
}

static bool is_given(const char *text)
{
    return text && *text;
}

static int find_mode(enum upstream_tls_mode *mode, const char *name, struct error *error)
{
    for (size_t i = 0; i < sizeof mode_names / sizeof *mode_names; i++)
        if (strcmp(mode_names[i], name) == 0) {
            *mode = (enum upstream_tls_mode)i;
            return 0;
        }
    return error_set(error,
                     "-backend-tls %s: give off, preferred, required, verify-ca or verify-identity",
                     name);
}

/* The first option that means something only with TLS. NULL: none is given. */
static const char *first_given(const struct upstream_tls_options *options)
{
    return is_given(options->ca)            ? "-backend-ssl-ca"
           : is_given(options->certificate) ? "-backend-ssl-cert"
           : is_given(options->key)         ? "-backend-ssl-key"
           : is_given(options->version)     ? "-backend-tls-version"
           : is_given(options->cipher)      ? "-backend-ssl-cipher"
           : is_given(options->name)        ? "-backend-ssl-name"
                                            : NULL;
}

static int decide_mode(struct upstream_tls *tls, const struct upstream_tls_options *options,
                       const char *host, struct error *error)
{
    const char *given = first_given(options);
    if (is_given(options->mode)) {
        if (find_mode(&tls->mode, options->mode, error))
            return -1;
    } else if (is_given(options->ca)) {
        tls->mode = UPSTREAM_TLS_VERIFY_CA;
    } else {
        tls->mode = *host ? UPSTREAM_TLS_PREFERRED : UPSTREAM_TLS_OFF;
    }
    if (tls->mode == UPSTREAM_TLS_OFF && given)
        return error_set(
            error, "%s: TLS to the backend is off; say -backend-tls required, or leave it out",
            given);
    if (tls->mode < UPSTREAM_TLS_VERIFY_CA && is_given(options->ca))
        return error_set(error,
                         "-backend-ssl-ca %s: -backend-tls %s verifies nobody; say -backend-tls "
                         "verify-ca or verify-identity, or leave the file out",
                         options->ca, mode_names[tls->mode]);
    if (tls->mode == UPSTREAM_TLS_VERIFY_IDENTITY && !*host && !is_given(options->name))
        return error_set(error, "-backend-tls verify-identity: a Unix socket has no name; give the "
                                "one in the server's certificate with -backend-ssl-name");
    return 0;
}

int upstream_tls_open(struct upstream_tls *tls, const struct upstream_tls_options *options,
                      const char *host, struct error *error)
{
    *tls = (struct upstream_tls){.options = *options};
    if (decide_mode(tls, options, host, error))
        return -1;
    if (tls->mode == UPSTREAM_TLS_OFF)
        return 0;
    const struct tls_options wanted = {
        .is_client = true,
        .prefix = "-backend-",
        .certificate = options->certificate,
        .key = options->key,
        .ca = options->ca,
        .version = options->version,
        .cipher = options->cipher,
        .check = tls->mode == UPSTREAM_TLS_VERIFY_IDENTITY ? TLS_CHECKS_NAME
                 : tls->mode == UPSTREAM_TLS_VERIFY_CA     ? TLS_CHECKS_CA
                                                           : TLS_CHECKS_NOTHING,
        .name = is_given(options->name) ? options->name : host,
    };
    return tls_context_open(&tls->context, &wanted, error);
}

void upstream_tls_close(struct upstream_tls *tls)
{
    tls_context_free(tls->context);
    tls->context = NULL;
}
