/* SPDX-License-Identifier: Apache-2.0
 *
 * The backends that the gateway is given: those of -backend, separated by commas, or one for each table
 * [[backend]] of the configuration file. What the command line or the environment says wins. */
#ifndef WEIR_SERVER_BACKENDS_H
#define WEIR_SERVER_BACKENDS_H

#include "config_file.h"
#include "gateway/gateway.h"
#include "options.h"

/* The settings of one; rows of backend_option_table. Texts are owned, NULL where unset. */
struct backend_settings {
    char *name, *address, *role;
    long weight, status_port;
    bool proxy_protocol;
    /* TLS; where a text is unset, that of the option whose name has "backend-" before it */
    char *tls, *ssl_ca, *ssl_cert, *ssl_key, *ssl_name, *tls_version, *ssl_cipher;
};

/* The keys of a table [[backend]]. */
extern const struct option_table backend_option_table;

struct backend_list {
    struct backend_settings settings[GATEWAY_BACKENDS_MOST];
    struct gateway_backend list[GATEWAY_BACKENDS_MOST]; /* the same, as the gateway takes them */
    size_t count;                                       /* 0: the embedded one */
    struct upstream_tls_options tls;                    /* of the options */
    char *check_password;                               /* owned; NULL: none */
};

/* Fills it. file: NULL is allowed. Returns 0, or -1 and a message; backend_list_release() is due in both
 * cases. */
WEIR_MUST_CHECK int backend_list_fill(struct backend_list *backends,
                                      const struct server_options *options,
                                      const struct config_file *file, struct error *error);
void backend_list_release(struct backend_list *backends);

#endif
