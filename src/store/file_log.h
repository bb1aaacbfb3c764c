/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of a store: records that are appended, and all written anew, to another name and renamed, once
 * most of them are of the past.
 *
 *     FOLDER/data       "weir store 1\n", then records (file_record.h)
 *     FOLDER/data.new   while it is written anew
 *
 * The folder is locked while it is open: two processes never write to it. */
#ifndef WEIR_STORE_FILE_LOG_H
#define WEIR_STORE_FILE_LOG_H

#include "store/data.h"

struct file_log {
    int folder, file;  /* descriptors; -1: not open */
    size_t size;       /* bytes of the file that are whole records */
    size_t rewrite_at; /* size from which it is written anew */
    bool is_dirty;     /* something is not synced */
    bool is_behind;    /* the file may lack what the data have: it is written anew before more is */
};

#define FILE_LOG_INIT                                                                              \
    {                                                                                              \
        .folder = -1, .file = -1                                                                   \
    }

/* Opens FOLDER, and reads its file into *data, which is empty. Leases' ends are by the clock of
 * file_log_now_ns() in there. Returns -1 and *error, and the log is as before. */
WEIR_MUST_CHECK int file_log_open(struct file_log *log, const char *folder, struct store_data *data,
                                  struct error *error);
void file_log_close(struct file_log *log);

/* Appends a step that data are about to make. Returns -1 and *error when it is not in the file. */
WEIR_MUST_CHECK int file_log_append(struct file_log *log, const struct store_data *data,
                                    const struct data_step *step, struct error *error);
/* Brings what was appended to the disk. Returns -1 and *error when it may not be there. */
WEIR_MUST_CHECK int file_log_sync(struct file_log *log, struct error *error);
/* Writes the file anew where much of it is of the past. What fails is tried again when it has grown. */
void file_log_tidy(struct file_log *log, const struct store_data *data);

/* Never jumps, and goes on while the machine sleeps. */
uint64_t file_log_now_ns(void);

#endif
