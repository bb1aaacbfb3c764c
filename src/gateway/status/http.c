/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP side: which page is asked for, by whom, and libmicrohttpd's thread. It answers GET and
 * HEAD, takes no bodies, and keeps few connections for a short time: whoever reaches the port can
 * make it busy, but not the gateway. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/status/pages.h"

#define CONNECTIONS     32    /* at the same time; more wait in the socket's queue */
#define IDLE_SECONDS    10    /* of a connection */
#define REQUEST_BYTES   16384 /* memory of a connection: a request line and its headers */
#define TOKEN_BYTES     4096  /* longest token */
#define TOKEN_LEAST     16    /* shortest one: it can be guessed at from afar */
#define BEARER          "Bearer "
#define TLS_PRIORITIES  "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define OPEN_METRICS    "application/openmetrics-text"
#define TYPE_TEXT       "text/plain; charset=utf-8"
#define TYPE_JSON       "application/json"
#define TYPE_PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_OPEN       OPEN_METRICS "; version=1.0.0; charset=utf-8"

/* X(path, function, type, open): open pages are answered without the token, too. */
#define PAGES(X)                                                                                   \
    X("/status", page_status, TYPE_JSON, false)                                                    \
    X("/metrics", page_metrics, TYPE_PROMETHEUS, false)                                            \
    X("/healthz", page_health, TYPE_TEXT, true)                                                    \
    X("/readyz", page_ready, TYPE_TEXT, true)                                                      \
    X("/config", page_config, TYPE_JSON, false)

static const struct page {
    const char *path;
    unsigned (*write)(struct status_request *request);
    const char *type;
    bool is_open;
} pages[] = {
#define X(path, function, type, open) {path, function, type, open},
    PAGES(X)
#undef X
};

struct status_port {
    struct status_options options;
    const struct status_source *source;
    struct MHD_Daemon *daemon; /* NULL: it could not be started again */
    struct strbuf token;       /* empty: none is asked for. Changes while the thread stands only */
};

/* ---- Requests ---- */

/* Takes as long for every token of that length. */
static bool is_token(const struct strbuf *token, const char *shown)
{
    const size_t size = strlen(shown);
    volatile unsigned differs = size != token->size;
    for (size_t i = 0; i < size && i < token->size; i++)
        differs |= (unsigned char)(token->data[i] ^ shown[i]);
    return differs == 0;
}

static bool shows_token(const struct status_port *port, struct MHD_Connection *connection)
{
    const char *shown =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    if (port->token.size == 0)
        return true;
    return shown && strncasecmp(shown, BEARER, strlen(BEARER)) == 0 &&
           is_token(&port->token, shown + strlen(BEARER));
}

/* Whether the Host names this machine by an address, or as localhost. A browser that is led to the
 * loopback under a name of somebody else's (DNS rebinding) says that name. */
static bool is_own_host(const char *host)
{
    static const char local[] = "localhost";
    const size_t size = strcspn(host, ":");
    char address[INET_ADDRSTRLEN];
    struct in_addr ignored;
    if (host[0] == '[' || (size == sizeof local - 1 && strncasecmp(host, local, size) == 0))
        return true; /* no name begins with a bracket */
    if (size == 0 || size >= sizeof address)
        return false;
    memcpy(address, host, size);
    address[size] = '\0';
    return inet_pton(AF_INET, address, &ignored) == 1;
}

/* Where no token is asked for: only programs of this machine, on their own account. HTTP/1.0 has no
 * Host, and no browser speaks it. */
static bool is_led_astray(const struct status_port *port, struct MHD_Connection *connection)
{
    const char *host =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    return port->token.size == 0 && host && !is_own_host(host);
}

/* Takes ownership of the body. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              struct strbuf *body)
{
    const size_t size = body->size;
    char *bytes = strbuf_detach(body);
    struct MHD_Response *response =
        bytes ? MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE) : NULL;
    if (!response) {
        free(bytes);
        strbuf_release(body);
        return MHD_NO; /* there is no memory: the connection is closed */
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
    struct strbuf body = STRBUF_INIT;
    strbuf_printf(&body, "%s\n", text);
    return answer(connection, status, TYPE_TEXT, &body);
}

static bool takes_open_metrics(struct MHD_Connection *connection)
{
    const char *accept =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    return accept && strstr(accept, OPEN_METRICS);
}

static enum MHD_Result give_page(const struct status_port *port, const struct page *page,
                                 struct MHD_Connection *connection)
{
    struct status_request request = {.source = port->source,
                                     .is_trusted = shows_token(port, connection),
                                     .takes_open_metrics = takes_open_metrics(connection),
                                     .body = STRBUF_INIT};
    if (!page->is_open && !request.is_trusted)
        return refuse(connection, MHD_HTTP_UNAUTHORIZED,
                      "this page needs the token: Authorization: Bearer TOKEN");
    const unsigned status = page->write(&request);
    const bool is_open_metrics = page->write == page_metrics && request.takes_open_metrics;
    return answer(connection, status, is_open_metrics ? TYPE_OPEN : page->type, &request.body);
}

static enum MHD_Result list_pages(struct MHD_Connection *connection)
{
    struct strbuf body = STRBUF_INIT;
    strbuf_add_text(&body, "weir's status port\n\n");
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        strbuf_printf(&body, "%s\n", pages[i].path);
    return answer(connection, MHD_HTTP_OK, TYPE_TEXT, &body);
}

/* NOLINTBEGIN(readability-non-const-parameter): the signature is the library's */
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
/* NOLINTEND(readability-non-const-parameter) */
{
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)state;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD");
    if (is_led_astray(user, connection))
        return refuse(connection, MHD_HTTP_FORBIDDEN,
                      "without a token: by address, or as localhost, and no other name");
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(pages[i].path, path) == 0)
            return give_page(user, &pages[i], connection);
    if (strcmp(path, "/") == 0)
        return list_pages(connection);
    return refuse(connection, MHD_HTTP_NOT_FOUND, "there is no such page; / lists them");
}

/* ---- The token ---- */

/* The first line of the file. */
static int read_token(const char *path, struct strbuf *token, struct error *error)
{
    char line[TOKEN_BYTES + 2] = "";
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(error, "-status-token-file %s: it cannot be read", path);
    const bool has_line = fgets(line, sizeof line, file);
    fclose(file);
    const size_t size = has_line ? strcspn(line, "\r\n") : 0;
    int status = 0;
    if (size < TOKEN_LEAST || size > TOKEN_BYTES)
        status = error_set(error,
                           "-status-token-file %s: its first line must be a token of %d to %d "
                           "characters, as made by: openssl rand -hex 32",
                           path, TOKEN_LEAST, TOKEN_BYTES);
    for (size_t i = 0; status == 0 && i < size; i++)
        if ((unsigned char)line[i] <= ' ' || (unsigned char)line[i] > '~')
            status = error_set(error, "-status-token-file %s: a token has no spaces, and is ASCII",
                               path);
    if (status == 0) {
        strbuf_reset(token);
        strbuf_add(token, line, size);
        if (token->failed)
            status = error_set(error, "-status-token-file %s: there is no memory", path);
    }
    explicit_bzero(line, sizeof line);
    return status;
}

static bool wants_token(const struct status_options *options)
{
    return options->token_file && *options->token_file;
}

/* ---- The thread ---- */

static void log_library(void *user, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static void log_library(void *user, const char *format, va_list arguments)
{
    char message[256];
    (void)user;
    vsnprintf(message, sizeof message, format, arguments);
    log_debug("status", "%s", log_foreign(message, strcspn(message, "\n")));
}

static int start_daemon(struct status_port *port, struct error *error)
{
    struct strbuf chain = STRBUF_INIT, key = STRBUF_INIT;
    const unsigned flags = MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    int status = 0;
    if (port->options.uses_tls)
        status = port->source->certificate(port->source->owner, &chain, &key, error);
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, chain.data},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, key.data},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    if (status == 0) {
        port->daemon = MHD_start_daemon(
            flags | (port->options.uses_tls ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, port,
            MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL, MHD_OPTION_LISTEN_SOCKET,
            port->options.fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
            MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
            (size_t)REQUEST_BYTES, MHD_OPTION_ARRAY,
            port->options.uses_tls ? tls : &tls[sizeof tls / sizeof *tls - 1], MHD_OPTION_END);
        if (!port->daemon)
            status = error_set(error, "the status port cannot be started; -L debug says more");
    }
    if (key.size)
        explicit_bzero(key.data, key.size);
    strbuf_release(&key);
    strbuf_release(&chain);
    return status;
}

/* The socket goes on listening: clients wait in its queue. */
static void stop_daemon(struct status_port *port)
{
    if (!port->daemon)
        return;
    MHD_quiesce_daemon(port->daemon);
    MHD_stop_daemon(port->daemon);
    port->daemon = NULL;
}

struct status_port *status_open(const struct status_options *options,
                                const struct status_source *source, struct error *error)
{
    if (!options->is_loopback && !wants_token(options)) {
        error_set(error, "-status-host: other machines can reach the status port there, so that it "
                         "needs -status-token-file FILE; or use -status-host 127.0.0.1");
        return NULL;
    }
    struct status_port *port = calloc(1, sizeof *port);
    if (!port) {
        error_set(error, "out of memory for the status port");
        return NULL;
    }
    port->options = *options;
    port->source = source;
    strbuf_init(&port->token);
    if ((wants_token(options) && read_token(options->token_file, &port->token, error)) ||
        start_daemon(port, error)) {
        strbuf_release(&port->token);
        free(port);
        return NULL;
    }
    return port;
}

int status_reload(struct status_port *port, struct error *error)
{
    struct strbuf token = STRBUF_INIT;
    if (wants_token(&port->options) && read_token(port->options.token_file, &token, error)) {
        strbuf_release(&token);
        return -1;
    }
    stop_daemon(port);
    strbuf_release(&port->token);
    port->token = token;
    return start_daemon(port, error);
}

void status_close(struct status_port *port)
{
    if (!port)
        return;
    stop_daemon(port);
    close(port->options.fd);
    strbuf_release(&port->token);
    free(port);
}
