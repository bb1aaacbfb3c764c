/* SPDX-License-Identifier: Apache-2.0
 *
 * What a plugin does wrong, said in the log: each message at most once a second, whatever other
 * messages there are, and with the number of times that it was left out. */
#ifndef WEIR_PLUGIN_HOST_COMPLAINTS_H
#define WEIR_PLUGIN_HOST_COMPLAINTS_H

#include <pthread.h>
#include <stdint.h>

#define COMPLAINT_BYTES 640 /* longest message and its NUL; the rest is cut */
#define COMPLAINTS_KEPT 8   /* different messages whose repetitions are counted at a time */

struct complaints {
    pthread_mutex_t lock;
    struct complaint {
        uint64_t logged_ns; /* monotonic; 0: the place is free */
        uint64_t left_out;  /* times since then */
        char message[COMPLAINT_BYTES];
    } kept[COMPLAINTS_KEPT];
};

void complaints_init(struct complaints *complaints);

/* Logs "NAME MESSAGE", or counts it. Repetitions of other messages whose second is over are logged
 * with it. now_ns: monotonic. Any thread. */
void complaints_add(struct complaints *complaints, const char *name, uint64_t now_ns,
                    const char *message);

/* Logs the repetitions that have not been logged. */
void complaints_end(struct complaints *complaints, const char *name);

#endif
