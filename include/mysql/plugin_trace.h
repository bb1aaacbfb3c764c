/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol trace plugins: what their sources include.
 *
 * The names and values are those of MySQL's header of the same name, so that a plugin written for
 * MySQL compiles as it is, in C and in C++. A plugin is one shared object that declares
 *
 *     mysql_declare_client_plugin(TRACE)
 *         "name", "author", "description", {1, 0, 0}, "license", NULL,
 *         plugin_init, plugin_deinit, plugin_options,   (each may be NULL)
 *         trace_start, trace_stop, trace_event          (each may be NULL)
 *     mysql_end_client_plugin;
 *
 * The life of one connection: trace_start() once, with what it returns handed to the other two;
 * trace_event() for each event; trace_stop() once, after the connection ended or trace_event()
 * returned something other than 0. Pointers in the arguments are valid during the call only. Calls
 * for different connections may come from different threads.
 *
 * Where it runs: in every program that uses MariaDB Connector/C (environment: LIBMYSQL_PLUGINS), in
 * weir-server
 * (-trace-plugin) and in weir-trace. The connection handle is a MYSQL in all of them: user, host,
 * db and thread_id can be read; only in the first one can it be used for more. */
#ifndef MYSQL_PLUGIN_TRACE_INCLUDED
#define MYSQL_PLUGIN_TRACE_INCLUDED

#include <stdarg.h>
#include <stddef.h>

#include <mysql.h>

/* MariaDB's <mysql/client_plugin.h> wants headers that are not installed. All that a trace plugin
 * needs of it is here, so it is kept out. */
#ifndef MYSQL_CLIENT_PLUGIN_INCLUDED
#define MYSQL_CLIENT_PLUGIN_INCLUDED
#endif

#ifndef MYSQL_CLIENT_PLUGIN_HEADER
#define MYSQL_CLIENT_PLUGIN_HEADER                                                                 \
    int type;                                                                                      \
    unsigned int interface_version;                                                                \
    const char *name;                                                                              \
    const char *author;                                                                            \
    const char *desc;                                                                              \
    unsigned int version[3];                                                                       \
    const char *license;                                                                           \
    void *mysql_api;                                                                               \
    int (*init)(char *, size_t, int, va_list);                                                     \
    int (*deinit)(void);                                                                           \
    int (*options)(const char *option, const void *);

struct st_mysql_client_plugin {
    MYSQL_CLIENT_PLUGIN_HEADER
};
#endif

/* The number under which Connector/C takes a trace plugin. Oracle's is 3, which weir's own hosts
 * take as well. */
#undef MYSQL_CLIENT_TRACE_PLUGIN
#define MYSQL_CLIENT_TRACE_PLUGIN 102
#undef MYSQL_CLIENT_TRACE_PLUGIN_INTERFACE_VERSION
#define MYSQL_CLIENT_TRACE_PLUGIN_INTERFACE_VERSION 0x0100

/* Stages of a connection, in the order of their values, 0 and up: PROTOCOL_STAGE_CONNECTING ... */
#define PROTOCOL_STAGE_LIST(X)                                                                     \
    X(CONNECTING)              /* until the connection is there */                                 \
    X(WAIT_FOR_INIT_PACKET)    /* the server's greeting is due */                                  \
    X(AUTHENTICATE)            /* until the server accepts or refuses */                           \
    X(SSL_NEGOTIATION)         /* the TLS handshake */                                             \
    X(READY_FOR_COMMAND)       /* nothing is due from the server */                                \
    X(WAIT_FOR_PACKET)         /* one packet of no special form */                                 \
    X(WAIT_FOR_RESULT)         /* OK, ERR, a column count or a request for a file */               \
    X(WAIT_FOR_FIELD_DEF)      /* definitions of columns */                                        \
    X(WAIT_FOR_ROW)            /* rows */                                                          \
    X(FILE_REQUEST)            /* the client sends a file */                                       \
    X(WAIT_FOR_PS_DESCRIPTION) /* the answer to COM_STMT_PREPARE */                                \
    X(WAIT_FOR_PARAM_DEF)      /* definitions of parameters */                                     \
    X(DISCONNECTED)            /* the connection is gone */

/* Events, in the order of their values: TRACE_EVENT_ERROR ... The comment names the arguments that
 * are filled; all others are 0 or NULL. */
#define TRACE_EVENT_LIST(X)                                                                        \
    X(ERROR)                /* the client found an error: see mysql_errno(), mysql_error() */      \
    X(CONNECTING)           /* about to connect */                                                 \
    X(CONNECTED)            /* connected */                                                        \
    X(DISCONNECTED)         /* the connection is closed */                                         \
    X(SEND_SSL_REQUEST)     /* pkt: the request for TLS */                                         \
    X(SSL_CONNECT)          /* the TLS handshake begins */                                         \
    X(SSL_CONNECTED)        /* it is done */                                                       \
    X(INIT_PACKET_RECEIVED) /* pkt: the greeting, the parts of the scramble joined in place */     \
    X(AUTH_PLUGIN)          /* plugin_name: the authentication method from here on */              \
    X(SEND_AUTH_RESPONSE)   /* pkt: the answer to the greeting */                                  \
    X(SEND_AUTH_DATA)       /* pkt: what the authentication method sends */                        \
    X(AUTHENTICATED)        /* the server accepted */                                              \
    X(SEND_COMMAND)         /* cmd: command byte; hdr: fixed part; pkt: the rest */                \
    X(SEND_FILE)            /* pkt: a piece of the file, NULL at its end */                        \
    X(READ_PACKET)          /* a packet is waited for */                                           \
    X(PACKET_RECEIVED)      /* pkt: it is here */                                                  \
    X(PACKET_SENT)          /* pkt_len: bytes of the packet just sent; pkt is NULL */

enum protocol_stage {
#define PROTOCOL_STAGE_VALUE(name) PROTOCOL_STAGE_##name,
    PROTOCOL_STAGE_LIST(PROTOCOL_STAGE_VALUE)
#undef PROTOCOL_STAGE_VALUE
        PROTOCOL_STAGE_LAST
};

enum trace_event {
#define TRACE_EVENT_VALUE(name) TRACE_EVENT_##name,
    TRACE_EVENT_LIST(TRACE_EVENT_VALUE)
#undef TRACE_EVENT_VALUE
        TRACE_EVENT_LAST
};

/* "WAIT_FOR_ROW"; "<unknown>" for a value that is not in the list. */
static inline const char *protocol_stage_name(enum protocol_stage stage)
{
    static const char *const names[] = {
#define PROTOCOL_STAGE_NAME(name) #name,
        PROTOCOL_STAGE_LIST(PROTOCOL_STAGE_NAME)
#undef PROTOCOL_STAGE_NAME
    };
    return (unsigned)stage < PROTOCOL_STAGE_LAST ? names[stage] : "<unknown>";
}

/* "PACKET_SENT"; "<unknown>" for a value that is not in the list. */
static inline const char *trace_event_name(enum trace_event event)
{
    static const char *const names[] = {
#define TRACE_EVENT_NAME(name) #name,
        TRACE_EVENT_LIST(TRACE_EVENT_NAME)
#undef TRACE_EVENT_NAME
    };
    return (unsigned)event < TRACE_EVENT_LAST ? names[event] : "<unknown>";
}

/* Lengths are bytes. Packet headers are never shown or counted, nor is the command byte: a
 * command's hdr is its fixed part (statement id and such) where it has one, pkt is what follows. */
struct st_trace_event_args {
    const char *plugin_name; /* NUL-terminated */
    int cmd;
    const unsigned char *hdr;
    size_t hdr_len;
    const unsigned char *pkt;
    size_t pkt_len;
};

struct st_mysql_client_plugin_TRACE;

/* A connection begins. What it returns is handed to the other two. */
typedef void *(tracing_start_callback)(struct st_mysql_client_plugin_TRACE *self,
                                       MYSQL *connection_handle, enum protocol_stage stage);

/* The connection's tracing is over; called once for each start. */
typedef void(tracing_stop_callback)(struct st_mysql_client_plugin_TRACE *self,
                                    MYSQL *connection_handle, void *plugin_data);

/* Something happened, in that stage. Other than 0 stops the tracing of this connection. */
typedef int(trace_event_handler)(struct st_mysql_client_plugin_TRACE *self, void *plugin_data,
                                 MYSQL *connection_handle, enum protocol_stage stage,
                                 enum trace_event event, struct st_trace_event_args args);

struct st_mysql_client_plugin_TRACE {
    MYSQL_CLIENT_PLUGIN_HEADER
    tracing_start_callback *tracing_start;
    tracing_stop_callback *tracing_stop;
    trace_event_handler *trace_event;
};

#ifdef __cplusplus
extern "C" {
#endif

/* In libweir-trace: makes the plugin work inside Connector/C. The declaration below calls it. */
void weir_trace_attach(struct st_mysql_client_plugin_TRACE *plugin);

/* Hands an option to the plugin's options function. 0: taken. (Connector/C lacks this call of
 * MySQL's.) */
int mysql_plugin_options(struct st_mysql_client_plugin *plugin, const char *option,
                         const void *value);

extern __attribute__((
    visibility("default"))) struct st_mysql_client_plugin_TRACE _mysql_client_plugin_declaration_;

#ifdef __cplusplus
}
#endif

#undef mysql_declare_client_plugin
#ifdef WEIR_TRACE_BUILT_IN /* the name of the variable: the plugin becomes part of a program of    \
                              weir's */
#define mysql_declare_client_plugin(X)                                                             \
    struct st_mysql_client_plugin_##X WEIR_TRACE_BUILT_IN = {                                      \
        MYSQL_CLIENT_##X##_PLUGIN, MYSQL_CLIENT_##X##_PLUGIN_INTERFACE_VERSION,
#else
#define mysql_declare_client_plugin(X)                                                             \
    __attribute__((constructor)) static void weir_trace_declare(void)                              \
    {                                                                                              \
        weir_trace_attach(&_mysql_client_plugin_declaration_);                                     \
    }                                                                                              \
    struct st_mysql_client_plugin_##X _mysql_client_plugin_declaration_ = {                        \
        MYSQL_CLIENT_##X##_PLUGIN, MYSQL_CLIENT_##X##_PLUGIN_INTERFACE_VERSION,
#endif

#undef mysql_end_client_plugin
#define mysql_end_client_plugin }

#endif
