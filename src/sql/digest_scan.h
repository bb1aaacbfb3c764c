/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the room: the scanner of the digest, which is TiDB's, byte for byte, in the one state its
 * digester uses (utf8mb4, no SQL mode). lexer.h is the one that follows the session. */
#ifndef WEIR_SQL_DIGEST_SCAN_H
#define WEIR_SQL_DIGEST_SCAN_H

#include <stdbool.h>
#include <stddef.h>

enum digest_class {
    DIGEST_END,
    DIGEST_INVALID,    /* `at` stays where the scanner gave up */
    DIGEST_IDENTIFIER, /* unquoted */
    DIGEST_QUOTED,     /* in back quotes */
    DIGEST_STRING,
    DIGEST_INT,
    DIGEST_NUMBER, /* decimal, float or hex */
    DIGEST_BIT,
    DIGEST_NULL,    /* \N */
    DIGEST_PARAM,   /* ? */
    DIGEST_CHARSET, /* N before a string */
    DIGEST_USER_VARIABLE,
    DIGEST_SYSTEM_VARIABLE,
    DIGEST_PUNCTUATION,
    DIGEST_EMPTY, /* a token that prints as nothing */
};

struct digest_token {
    enum digest_class class;
    size_t start;   /* offset of the token's first byte */
    size_t literal; /* offset and bytes of the literal, before decoding */
    size_t literal_size;
    size_t prefix_size;  /* bytes from start that belong before a decoded literal (@@global.) */
    unsigned char quote; /* the literal is the inside of quotes of this kind; 0: it is plain */
};

struct digest_scanner {
    const unsigned char *text; /* borrowed */
    size_t size;
    size_t at;
    bool in_code; /* inside an executable comment */
};

void digest_scan(struct digest_scanner *scanner, struct digest_token *token);

/* Skips white space and comments. False: a comment without an end is left to digest_scan(). */
bool digest_skip_blank(struct digest_scanner *scanner);

/* The literal as TiDB has it before lower-casing: writes it to out, which has room for prefix_size
 * + literal_size bytes, and returns its size. */
size_t digest_literal(const struct digest_scanner *scanner, const struct digest_token *token,
                      unsigned char *out);

#endif
