/* SPDX-License-Identifier: Apache-2.0
 *
 * A store of this process alone, kept in a file, in a thread of its own.
 *
 * What was acknowledged is on the disk: it survives kill -9 and a power cut. What cannot be written has not
 * been done, and the old value stays. Leases go on by the wall clock while nobody runs.
 *
 * A folder that cannot be used (another process has it, its file is damaged, there is no room) makes requests
 * fail and followers LOST, with a message; it is tried again once a second while something is asked. */
#ifndef WEIR_STORE_FILE_STORE_H
#define WEIR_STORE_FILE_STORE_H

#include "store/interface.h"

#define FILE_STORE_BYTES_MOST (64U << 20) /* of all keys and values; a write beyond it fails */

/* Starts the thread; nothing is read yet. The folder (copied) is made if it is not there. Returns owned
 * (store_free()), or NULL and *error. Requests that are queued when the store is freed are carried out. */
struct store *file_store_new(const char *folder, struct error *error) WEIR_MUST_CHECK;

#endif
