/* SPDX-License-Identifier: Apache-2.0
 *
 * A temporary folder in which a test writes plugins, packages them and reads what they recorded.
 * cmocka's includes come first, as cmocka wants them. */
#ifndef WEIR_TESTS_PLUGIN_WORKSHOP_H
#define WEIR_TESTS_PLUGIN_WORKSHOP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugin/host/plugin_host.h"
#include "plugin/package/plugin_package.h"

/* The verdict of the last event that was given to the plugins by the functions below. */
extern struct plugin_verdict verdict;

/* Each returns whether the event was allowed; assert that it was not pending. */
bool connection_event(struct plugin_registry *registry, struct weir_session *session,
                      weir_connection_event event);
bool general_event(struct plugin_registry *registry, struct weir_session *session,
                   weir_general_event event);
bool parse_event(struct plugin_registry *registry, struct weir_session *session,
                 weir_parse_event event);

/* cmocka's set-up and tear-down: *state is a struct workshop. */
int workshop_open(void **state);
int workshop_close(void **state);

struct workshop {
    char folder[64];
    char text[256 * 1024]; /* of the last workshop_read() */
};

/* An absolute path in the folder; one of a few static buffers in turn. */
const char *workshop_path(const struct workshop *workshop, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes a file, and the folders above it. */
void workshop_write(const struct workshop *workshop, const char *name, const char *text);
const char *workshop_read(struct workshop *workshop, const char *name); /* "" when there is none */

/* Number of entries of a folder of the workshop, hidden ones too. */
size_t workshop_count(const struct workshop *workshop, const char *folder);

/* Packages FOLDER/name into FOLDER/out; returns plugin_package()'s status. */
int workshop_package(const struct workshop *workshop, const char *name, struct error *error);

/* A recorder (recorder.c) of that name and version, packaged into FOLDER/out; more goes into its
 * manifest. */
void workshop_recorder(const struct workshop *workshop, const char *name, const char *version,
                       const char *more);

#endif
