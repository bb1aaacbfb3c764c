/* SPDX-License-Identifier: Apache-2.0
 *
 * Sinks: where finished lines go. A commit is whole lines, and the sink says how many bytes of
 * them, up to the end of a line, it has taken for good: the journal gives it the rest again, later.
 * A file takes all of a commit or nothing. Only the journal's thread calls a sink, except for
 * reopen(). */
#ifndef AUDIT_LOG_SINK_H
#define AUDIT_LOG_SINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <weir/check.h>
#include <weir/error.h>

#include "format.h"

/* Settings of a sink; borrowed until it is closed. Atomic members may change at any time. */
struct sink_options {
    const char *file;             /* FILE: absolute path */
    atomic_ullong rotate_on_size; /* bytes; 0: never */
    atomic_ullong rotate_every_s; /* seconds; 0: never */
    atomic_ullong keep_files;     /* rotated files to keep; 0: all */
    atomic_ullong keep_days;      /* days to keep rotated files; 0: for ever */
    atomic_bool compress;         /* gzip what was rotated */
    const char *address;          /* SOCKET: "unix:///path" or "tcp://host:port"; SYSLOG: path */
    const char *syslog_identity;  /* SYSLOG: the program's name in each line */
    unsigned syslog_priority;     /* SYSLOG: facility * 8 + severity */
};

/* What the log ended with when the sink was opened. */
struct sink_end {
    uint64_t sequence; /* of the last record; 0: none */
    char chain[CHAIN_TEXT_BYTES];
    uint64_t torn_bytes; /* cut off: a record that was half written when the server died */
};

struct sink;

struct sink_type {
    const char *name; /* as in the setting */
    /* Returns owned, or NULL and the problem, a sentence. */
    struct sink *(*open)(const struct sink_options *options, const struct format *format,
                         struct sink_end *end, struct error *error);
    /* Takes whole lines; *taken is how many bytes it has. sync: they must survive the machine's
     * end. -1 and the problem when it is not all. */
    int (*commit)(struct sink *sink, const char *lines, size_t size, bool sync, size_t *taken,
                  struct error *error);
    /* The following lines are in another format. */
    int (*set_format)(struct sink *sink, const struct format *format, struct error *error);
    /* Any thread: reopens what the path or address names now, for the commits that come. -1 and
     * the problem; the old one stays in use then. */
    int (*reopen)(struct sink *sink, struct error *error);
    /* Begins a new file now, and adds the name of the old one. -1 and the problem. */
    int (*rotate)(struct sink *sink, struct strbuf *name, struct error *error);
    uint64_t (*size)(struct sink *sink); /* bytes of the current file; 0 for what is no file */
    void (*close)(struct sink *sink);
};

struct sink {
    const struct sink_type *type;
    bool was_removed; /* set by a commit that found its file removed, and began a new one */
};

extern const struct sink_type sink_file, sink_syslog, sink_socket;

/* For sinks that have no file to rotate. */
WEIR_MUST_CHECK int sink_cannot_rotate(struct sink *sink, struct strbuf *name, struct error *error);

#endif
