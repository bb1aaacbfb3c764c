/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection to the service: one line out, one line back. Blocking, but never past a deadline. */
#ifndef ASK_SERVICE_SERVICE_H
#define ASK_SERVICE_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#define ANSWER_BYTES 512 /* longest answer and its NUL */

struct service {
    const char *address; /* unix:///path or tcp://host:port; borrowed */
    int socket;          /* -1: not connected */
};

/* Milliseconds of a clock that only goes forward: deadlines are in its time. */
int64_t now_ms(void);

/* Whether the address is written as it must be. */
int service_address_ok(const char *address);

/* Sends the question, which ends with a newline, and reads one line into answer, NUL-terminated
 * without its newline. Connects first if need be, and again if the service has closed the connection
 * since the last question. Returns NULL, or why there is no answer (static, or valid until the next
 * call on this thread); the service is then not connected. */
const char *service_ask(struct service *service, const char *question, size_t size,
                        int64_t deadline_ms, char answer[ANSWER_BYTES]);

void service_close(struct service *service);

#endif
