/* SPDX-License-Identifier: Apache-2.0
 *
 * Prepared statements of a session, by id: what was prepared, so that an Execute can be shown with
 * its text, and the types of its parameters, which clients send only once; and what has been found
 * out about the text, so that it is read once and not in each Execute. Kept only when some plugin is
 * loaded; bounded by max-prepared-bytes a session, past which a Prepare is refused.
 *
 * Of long data the beginning is kept, up to LONG_DATA_KEPT bytes a parameter and as long as there is
 * room: a client streams what does not fit into memory. How much came is always known. */
#ifndef WEIR_GATEWAY_STATEMENT_PREPARED_H
#define WEIR_GATEWAY_STATEMENT_PREPARED_H

#include <uthash.h>

#include "gateway/statement/observed.h"

#define LONG_DATA_KEPT 65536 /* bytes */

/* The value of a parameter that COM_STMT_SEND_LONG_DATA has given. */
struct long_data {
    uint16_t parameter;
    uint64_t size; /* bytes that came; kept holds the first of them */
    struct strbuf kept;
    UT_hash_handle hh;
};

struct prepared {
    uint32_t id;
    uint16_t parameter_count;
    size_t text_size;
    struct sql_kinds kinds;
    struct sql_mode mode; /* that it was lexed in */
    char *database; /* in which its names were looked up; NUL-terminated, "" for none; NULL: it
                       is not known */
    char *types; /* of the parameters, as sent with the last execution that sent any; NULL: never */
    size_t types_size;
    bool types_unsent;  /* the backend has not read them: the gateway answered that execution */
    uint8_t *long_bits; /* a bit a parameter: it has long data; NULL: none has */
    struct long_data *long_data; /* map by parameter; one for each bit, but when memory ran out */
    size_t long_bytes;           /* what it takes of the session's room */
    struct plugin_refusal *refusal; /* of long data: executions are answered with it; owned */
    struct memo *memo;              /* what plugins have asked for; owned; NULL: nothing yet */
    UT_hash_handle hh;
    char text[]; /* text_size bytes and a NUL */
};

/* Whether another `size` bytes of text may be kept. */
bool prepared_has_room(const struct observed *observed, size_t size);

/* Remembers what was prepared (command.text, copied, in the session's mode and database). NULL: no
 * memory. An older statement of that id is removed. */
struct prepared *prepared_add(struct observed *observed, uint32_t id, uint16_t parameter_count);

/* The statement of an id; WIRE_STATEMENT_LAST means the last one. NULL: unknown. */
struct prepared *prepared_find(const struct observed *observed, uint32_t id);

/* An Execute names the types of its parameters: keeps a copy for those that do not. */
void prepared_note_types(struct prepared *prepared, struct wire_string types);

/* COM_STMT_SEND_LONG_DATA for a parameter: added to what came before. prepared may be NULL. */
void prepared_add_long_data(struct observed *observed, struct prepared *prepared,
                            unsigned parameter, const uint8_t *bytes, size_t size);

/* The long data of a parameter. NULL: it has none, or there was no memory. */
const struct long_data *prepared_long_data(const struct prepared *prepared, unsigned parameter);

/* An Execute has used the long data up. */
void prepared_clear_long_data(struct observed *observed, struct prepared *prepared);

/* COM_STMT_SEND_LONG_DATA was refused; the statement cannot be executed until COM_STMT_RESET.
 * prepared may be NULL: the server does not know the statement either. */
void prepared_keep_refusal(struct prepared *prepared, const struct plugin_refusal *refusal);

/* COM_STMT_RESET. */
void prepared_reset(struct observed *observed, struct prepared *prepared);

/* COM_STMT_CLOSE. */
void prepared_remove(struct observed *observed, uint32_t id);

/* COM_RESET_CONNECTION, COM_CHANGE_USER, the end. */
void prepared_release(struct observed *observed);

#endif
