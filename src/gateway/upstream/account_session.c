/* SPDX-License-Identifier: Apache-2.0
 *
 * A session of Connector/C, with everything switched off that a server could ask of it. */
#include "gateway/upstream/account_session.h"

#include <arpa/inet.h>
#include <mysql.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "wire/wire.h"

/* Those that prove that the password is known without showing it to the server. */
#define METHODS "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password"

struct account_session {
    MYSQL *mysql;
    char label[ADDRESS_TEXT_BYTES + 256];
};

void account_session_init_library(void)
{
    if (mysql_library_init(0, NULL, NULL))
        log_error("backend", "Connector/C cannot be initialised: checks with an account will fail");
}

static int fail(struct account_session *session, const char *what, struct error *error)
{
    const char *said = mysql_error(session->mysql);
    return error_set(error, "backend %s: %s: %s", session->label, what,
                     log_foreign(said, strlen(said)));
}

static void set_text(MYSQL *mysql, enum mysql_option option, const char *text)
{
    if (text && *text)
        mysql_optionsv(mysql, option, text);
}

/* With a fingerprint the library insists on TLS, and on that certificate, before it sends the login. */
static void set_tls(MYSQL *mysql, const struct account_target *target)
{
    const struct upstream_tls_options *options = &target->tls->options;
    const my_bool yes = 1;
    if (!*target->fingerprint)
        return;
    mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
    mysql_optionsv(mysql, MARIADB_OPT_TLS_PEER_FP, target->fingerprint);
    set_text(mysql, MYSQL_OPT_SSL_CERT, options->certificate);
    set_text(mysql, MYSQL_OPT_SSL_KEY, options->key);
    set_text(mysql, MYSQL_OPT_SSL_CIPHER, options->cipher);
    set_text(mysql, MARIADB_OPT_TLS_VERSION, options->version);
}

static void set_options(MYSQL *mysql, const struct account_target *target)
{
    const unsigned seconds = (unsigned)target->timeout_s, off = 0;
    struct strbuf header = STRBUF_INIT;
    mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_optionsv(mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_optionsv(mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
    mysql_optionsv(mysql, MYSQL_OPT_LOCAL_INFILE, &off);
    mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH, METHODS);
    set_tls(mysql, target);
    if (target->sends_proxy_header) {
        wire_encode_proxy_header(&header, NULL, NULL);
        if (!header.failed) /* copied */
            mysql_optionsv(mysql, MARIADB_OPT_PROXY_HEADER, header.data, header.size);
    }
    strbuf_release(&header);
}

/* Writes the IP address as text; "": it has none. Returns its port. */
static unsigned print_ip(const struct sockaddr_storage *storage, char room[INET6_ADDRSTRLEN])
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)storage;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)storage;
    room[0] = 0;
    if (storage->ss_family == AF_INET) {
        inet_ntop(AF_INET, &v4->sin_addr, room, INET6_ADDRSTRLEN);
        return ntohs(v4->sin_port);
    }
    if (storage->ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &v6->sin6_addr, room, INET6_ADDRSTRLEN);
        return ntohs(v6->sin6_port);
    }
    return 0;
}

/* The address as the library wants it: a host and a port, or a path. */
static MYSQL *connect_to(MYSQL *mysql, const struct account_target *target)
{
    const struct sockaddr_storage *storage = &target->address->storage;
    const struct sockaddr_un *path = (const struct sockaddr_un *)storage;
    char host[INET6_ADDRSTRLEN];
    const unsigned port = print_ip(storage, host);
    return mysql_real_connect(mysql, *host ? host : NULL, target->user,
                              target->password ? target->password : "", NULL, port,
                              *host ? NULL : path->sun_path, 0);
}

struct account_session *account_session_open(const struct account_target *target,
                                             struct error *error)
{
    if (target->tls->mode >= UPSTREAM_TLS_REQUIRED && !*target->fingerprint) {
        error_set(error, "backend %s: TLS is demanded, and no check has succeeded with it yet",
                  target->label);
        return NULL;
    }
    struct account_session *session = calloc(1, sizeof *session);
    if (session)
        session->mysql = mysql_init(NULL);
    if (!session || !session->mysql) {
        error_set(error, "backend %s: not enough memory", target->label);
        free(session);
        return NULL;
    }
    snprintf(session->label, sizeof session->label, "%s", target->label);
    set_options(session->mysql, target);
    if (connect_to(session->mysql, target))
        return session;
    fail(session, "the gateway's own account cannot log in", error);
    account_session_close(session);
    return NULL;
}

void account_session_close(struct account_session *session)
{
    if (session)
        mysql_close(session->mysql);
    free(session);
}

void account_session_own_host(const struct account_session *session, char *room)
{
    struct sockaddr_storage own = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof own;
    if (getsockname(mysql_get_socket(session->mysql), (struct sockaddr *)&own, &size))
        own.ss_family = AF_UNSPEC;
    print_ip(&own, room);
    if (!*room)
        snprintf(room, INET6_ADDRSTRLEN, "localhost");
}

int account_session_ask(struct account_session *session, const char *statement, char *value,
                        size_t room, struct error *error)
{
    MYSQL *mysql = session->mysql;
    *value = 0;
    if (mysql_real_query(mysql, statement, strlen(statement)))
        return fail(session, statement, error);
    MYSQL_RES *result = mysql_use_result(mysql);
    if (!result && mysql_field_count(mysql))
        return fail(session, statement, error);
    if (!result)
        return 0;
    const unsigned columns = mysql_num_fields(result);
    MYSQL_ROW row = mysql_fetch_row(result);
    if (row && row[columns - 1])
        snprintf(value, room, "%s", row[columns - 1]);
    const bool failed = !row && mysql_errno(mysql);
    if (!failed)
        mysql_free_result(result); /* reads what is left */
    int status = failed ? fail(session, statement, error) : 0;
    if (failed)
        mysql_free_result(result);
    return status;
}
