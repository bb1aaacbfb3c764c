/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway: sessions between clients and a backend.
 *
 * gateway_run() owns the process from the first listening socket to the last closed one. This is
 * the only room that knows sockets, and the only one that joins protocol (wire), statements (sql)
 * and plugins.
 *
 * The parts, in learning order:
 *
 *   gateway.c    the main loop: listeners, signals, draining
 *   worker.c     one event loop a core; sessions are spread over them
 *   stream.c     one socket of a session
 *   session.c    a session's states, its end
 *   login_client.c, login_backend.c  greeting, PreAuth, the backend's own authentication exchange
 *   relay_client.c, relay_backend.c  bytes of both sides: commands, replies
 *   command.c, command_run.c  what a command says, and what becomes of it
 *   statement.c  the events around a command
 *   identity.c   who the session is and where: account, roles, database
 *   prepared.c   prepared statements by id
 *   tls.c        TLS of the client's side
 *   tracing.c    sessions under a trace plugin
 *   hold.c       keeping back what the client would read
 *   question.c   what the gateway asks the backend itself; permission.c: the session's grants
 *   pool.c       work that may block
 *   administration.c  SHOW PLUGINS and the other statements that the gateway answers
 *   variables.c  system variables of plugins: SELECT; variables_set.c: SET; variables_show.c: SHOW
 *   functions.c  functions of plugins: SELECT name(...)
 *   outcome.c    how such statements end
 *   answer.c     OK, ERR and result sets of the gateway's own
 *   upstream/    a room of its own: where servers are, what they say, the private mariadbd */
#ifndef WEIR_GATEWAY_GATEWAY_H
#define WEIR_GATEWAY_GATEWAY_H

#include <stdbool.h>

#include "base/base.h"
#include "plugin/plugin.h"

struct gateway_options {
    const char *host;   /* address to listen on */
    long port;          /* 0: no TCP */
    const char *socket; /* path of the Unix socket; NULL or "": none */
    const char *data_directory;
    const char *backend;  /* tcp://host:port, unix:///path; NULL or "": embedded */
    bool proxy_protocol;  /* send PROXY headers to an upstream backend */
    const char *mariadbd; /* program of the embedded backend */
    const char *tls_certificate, *tls_key, *tls_ca; /* PEM files; NULL or "": none */
    bool tls_automatic;                             /* make a certificate when there is none */
    bool require_tls;                               /* of TCP clients */
    const char *trace_plugin; /* name of a trace plugin, or its path; NULL or "": none */
    const char *trace_directory, *trace_user,
        *trace_host; /* whom to trace; NULL or "": everybody */
    long workers;    /* 0: one a core */
    long max_connections;
    long handshake_timeout_s;
    long connect_timeout_s;
    long drain_timeout_s;
    long max_command_bytes;  /* largest command that is relayed; also bounds what a session holds
                                back */
    long max_prepared_bytes; /* text of prepared statements that one session may keep for plugins */
    const char *log_file;    /* reopened on SIGHUP; NULL: standard error */
};

/* Serves until SIGTERM or SIGINT has been honoured. registry: borrowed; the caller shuts it down
 * afterwards. Returns 0, or -1 with a sentence when serving could not begin. Main thread, once a
 * process. */
int gateway_run(const struct gateway_options *options, struct plugin_registry *registry,
                struct error *error);

#endif
