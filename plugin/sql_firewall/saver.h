/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread that saves what was learned: soon, and not for each statement. */
#ifndef SQL_FIREWALL_SAVER_H
#define SQL_FIREWALL_SAVER_H

#include <stdbool.h>

/* Starts the thread, which calls save() after saver_wake(), a second later at the most frequent,
 * and once more in saver_stop() when it was woken since. False: there is no thread to be had. */
bool saver_start(void (*save)(void));
void saver_wake(void); /* any thread; never blocks for long */
void saver_stop(void);

#endif
