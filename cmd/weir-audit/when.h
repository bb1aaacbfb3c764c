/* SPDX-License-Identifier: Apache-2.0
 *
 * Times: as people write them on the command line, and as they stand in logs. */
#ifndef WEIR_AUDIT_WHEN_H
#define WEIR_AUDIT_WHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* What a time that a person writes covers: a day, an hour, a minute ..., in ns since 1970. */
struct when {
    uint64_t first, last; /* the first nanosecond, and the last one */
};

/* Reads "2026-01-31", "2026-01-31 23:59", "2026-01-31T23:59:59.5Z", "... +02:00", "03:00",
 * "yesterday 03:00", "today", "now", "-2h". Without a zone it is this machine's time. A local time
 * that there is twice, when clocks are put back, covers both. now_ns: since 1970. -1 and a message
 * that says what can be written. */
int when_parse(const char *text, uint64_t now_ns, struct when *when,
               struct error *error) WEIR_MUST_CHECK;

/* Reads a duration, "250ms", "2s", "1.5m", "3h", into nanoseconds. -1 and the message. */
int when_parse_duration(const char *text, uint64_t *ns, struct error *error) WEIR_MUST_CHECK;

#define WHEN_HELP                                                                                  \
    "write 2026-01-31, '2026-01-31 23:59:59', 2026-01-31T23:59:59Z, '2026-01-31 23:59 +02:00', "   \
    "'yesterday 03:00', 03:00, today, now or -2h; without a zone it is local time"

/* Reads the time of a record in UTC: "2026-01-31T23:59:59.123456Z", or with a blank in place of
 * the T, and without fraction or Z. false: it is none. */
bool when_read_stamp(const char *text, size_t size, uint64_t *ns);

/* Reads the time of a line of server_audit, local time: "20260131 23:59:59". */
bool when_read_local_stamp(const char *text, size_t size, uint64_t *ns);

#endif
