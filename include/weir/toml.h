/* SPDX-License-Identifier: Apache-2.0
 *
 * TOML, read whole into a tree of nodes that never changes afterwards.
 *
 * The parser is toml++; nothing of C++ passes this header, no exception either. Every node knows
 * its line, so that whoever checks a value can say "FILE:LINE: ..." (toml_error()). A table's
 * members come in the order of the file. Nodes and strings are borrowed from the document and live
 * as long as it does; any thread may read them. */
#ifndef WEIR_TOML_H
#define WEIR_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TOML_FILE_BYTES (16U << 20) /* a longer file is refused */
#define TOML_DEPTH      32          /* tables and arrays inside each other; more is refused */

/* X(enumerator, name): name is what error messages call it. */
#define TOML_TYPES(X)                                                                              \
    X(TOML_STRING, "a string")                                                                     \
    X(TOML_INTEGER, "an integer")                                                                  \
    X(TOML_FLOAT, "a number with a fraction")                                                      \
    X(TOML_BOOLEAN, "true or false")                                                               \
    X(TOML_DATE, "a date or time")                                                                 \
    X(TOML_ARRAY, "a list")                                                                        \
    X(TOML_TABLE, "a table")

enum toml_type {
#define X(enumerator, name) enumerator,
    TOML_TYPES(X)
#undef X
};

struct toml_document;
struct toml_node;

/* Returns owned (toml_free), or NULL and "PATH:LINE: what is wrong" or "PATH: why it cannot be
 * read". */
struct toml_document *toml_read(const char *path, struct error *error);

/* The same from memory; name stands for the path in messages. */
struct toml_document *toml_parse(const char *text, size_t size, const char *name,
                                 struct error *error);

void toml_free(struct toml_document *document); /* document may be NULL */

const char *toml_name(const struct toml_document *document); /* the path, as given */
const struct toml_node *toml_root(const struct toml_document *document);

enum toml_type toml_type(const struct toml_node *node);
const char *toml_type_name(enum toml_type type);
unsigned toml_line(const struct toml_node *node); /* from 1; where its key or value begins */

/* A table's or list's members, in the order of the file; 0 for other nodes. */
size_t toml_count(const struct toml_node *node);
const struct toml_node *toml_at(const struct toml_node *node, size_t index); /* NULL past the end */
const char *toml_key(const struct toml_node *node); /* "" for elements of a list and for the root */
const struct toml_node *toml_get(const struct toml_node *table, const char *key); /* NULL: none */

/* The value as text, NUL-terminated: strings as they are, other scalars as TOML writes them; "" for
 * lists and tables. size (may be NULL) is the number of bytes: a TOML string can hold NUL bytes. */
const char *toml_text(const struct toml_node *node, size_t *size);

/* The value; 0 or false for nodes of another type (toml_float() takes integers too). */
int64_t toml_integer(const struct toml_node *node);
double toml_float(const struct toml_node *node);
bool toml_boolean(const struct toml_node *node);

/* Writes "FILE:LINE: " and the message (printf rules). Returns -1. */
int toml_error(const struct toml_document *document, const struct toml_node *node,
               struct error *error, const char *format, ...) __attribute__((format(printf, 4, 5)));

#ifdef __cplusplus
}
#endif

#endif
