/* SPDX-License-Identifier: Apache-2.0
 *
 * What the file of a store is made of: records, each of which is one step of its data, whole or not there.
 *
 *     size, 4 bytes │ the first 8 bytes of the SHA-256 of the rest │ size bytes: the step
 *
 * All numbers are little-endian. Times are wall-clock times: a lease goes on while nobody runs. */
#ifndef WEIR_STORE_FILE_RECORD_H
#define WEIR_STORE_FILE_RECORD_H

#include "store/data.h"

#define FILE_RECORD_HEAD 12 /* bytes before the step */
/* Bytes of a step, at most: what has many keys is their deletion, and the store's limit bounds them. */
#define FILE_RECORD_MOST (256U << 20)

/* Adds a step as a record, with wall-clock times. Failure shows in out->failed. */
void file_record_write(struct strbuf *out, const struct data_step *step);

enum file_record_result {
    FILE_RECORD_READ,
    FILE_RECORD_CUT,   /* it is not there whole, or has been written only in part */
    FILE_RECORD_WRONG, /* it is whole, and makes no sense */
    FILE_RECORD_NO_MEMORY,
};

/* Reads the record at the start. READ: *step is owned (data_step_release() or data_apply()), and *size
 * the bytes that it takes. */
WEIR_MUST_CHECK enum file_record_result file_record_read(const char *bytes, size_t left,
                                                         struct data_step *step, size_t *size);

/* Applies what is in a file, from its first record on, to empty data. Returns how many bytes are whole
 * records. *failure: why not all of them are; FILE_RECORD_READ: all are. CUT and WRONG are said of what follows:
 * WRONG also where a whole record follows a damaged one, which no crash leaves behind. */
size_t file_records_apply(const char *bytes, size_t size, struct store_data *data,
                          enum file_record_result *failure);

#endif
