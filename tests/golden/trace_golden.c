/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversations recorded with a real client library, and the callbacks that its tracing made.
 *
 *     test_trace_golden FOLDER     (exit status 77: the folder is not there)
 *
 * FOLDER/<class>/<server>/<scenario>/ holds wire.jsonl[.gz] and events.jsonl[.gz] (also
 * wire.2.jsonl ...). Each one is fed in three ways: neighbouring pieces of one direction joined, as
 * recorded, and byte by byte. A short one is also cut off after each of its bytes: what is
 * reported until then must be what the whole one begins with. What must hold depends on the class:
 *
 *   exact            every callback, with all its arguments
 *   local-errors     the same without ERROR, which the client raised by itself
 *   tls-prefix       up to the request for TLS
 *   not-derivable    nothing but an orderly end */
#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "trace/capture/trace_capture.h"
#include "trace/protocol/trace_protocol.h"

enum { SKIPPED = 77, KEEP_LIMIT = 1 << 28, SHOWN_BYTES = 64 };
enum { CUT_OFF_MAX_BYTES = 640, TAIL_MAX_EVENTS = 3 };

enum class { EXACT, LOCAL_ERRORS, TLS_PREFIX, NOT_DERIVABLE, CLASS_COUNT };
static const char *const class_names[] = {"exact", "local-errors", "tls-prefix", "not-derivable"};

enum cut { JOINED, RECORDED, BYTES, CUT_COUNT };
static const char *const cut_names[] = {"joined", "as recorded", "byte by byte"};

struct piece {
    enum wire_direction direction;
    uint8_t *bytes;
    size_t size;
};

struct recording {
    struct piece *pieces;
    size_t count;
};

static void put_hex(struct strbuf *out, const uint8_t *bytes, size_t size)
{
    if (!bytes) {
        strbuf_add_text(out, "null");
        return;
    }
    strbuf_add_text(out, "\"");
    for (size_t i = 0; i < size; i++)
        strbuf_printf(out, "%02x", bytes[i]);
    strbuf_add_text(out, "\"");
}

/* One callback as a line, as the recordings have it. */
static void put_event(struct strbuf *out, const char *stage, const char *event,
                      const struct st_trace_event_args *args)
{
    size_t shown = args->pkt_len < SHOWN_BYTES ? args->pkt_len : SHOWN_BYTES;
    strbuf_printf(out, "%s %s %s cmd=%d hdr=", stage, event,
                  args->plugin_name ? args->plugin_name : "-", args->cmd);
    put_hex(out, args->hdr, args->hdr_len);
    strbuf_printf(out, "/%zu pkt=", args->hdr_len);
    put_hex(out, args->pkt, args->pkt ? shown : 0);
    strbuf_printf(out, "/%zu", args->pkt_len);
    if (args->pkt)
        strbuf_printf(out, " crc=%08lx", crc32_z(0, args->pkt, args->pkt_len));
    strbuf_add_text(out, "\n");
}

static int sink(void *context, enum protocol_stage stage, enum trace_event event,
                const struct st_trace_event_args *args)
{
    put_event(context, protocol_stage_name(stage), trace_event_name(event), args);
    return 0;
}

static void put_json_hex(struct strbuf *out, const json_t *value)
{
    if (json_is_string(value))
        strbuf_printf(out, "\"%s\"", json_string_value(value));
    else
        strbuf_add_text(out, "null");
}

/* The same line from a line of events.jsonl. */
static void put_recorded_event(struct strbuf *out, const json_t *e)
{
    const char *method = json_string_value(json_object_get(e, "plugin_name"));
    const json_t *crc = json_object_get(e, "pkt_crc32");
    if (strcmp(json_string_value(json_object_get(e, "cb")), "event") != 0)
        return;
    strbuf_printf(out, "%s %s %s cmd=%d hdr=", json_string_value(json_object_get(e, "stage")),
                  json_string_value(json_object_get(e, "event")), method ? method : "-",
                  (int)json_integer_value(json_object_get(e, "cmd")));
    put_json_hex(out, json_object_get(e, "hdr"));
    strbuf_printf(
        out, "/%" JSON_INTEGER_FORMAT " pkt=", json_integer_value(json_object_get(e, "hdr_len")));
    put_json_hex(out, json_object_get(e, "pkt"));
    strbuf_printf(out, "/%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(e, "pkt_len")));
    if (json_is_string(crc))
        strbuf_printf(out, " crc=%s", json_string_value(crc));
    strbuf_add_text(out, "\n");
}

static bool load_events(const char *path, struct strbuf *out)
{
    gzFile file = gzopen(path, "rb");
    char line[65536];
    if (!file)
        return false;
    while (gzgets(file, line, sizeof line)) {
        json_error_t problem;
        json_t *event = json_loads(line, 0, &problem);
        if (event)
            put_recorded_event(out, event);
        json_decref(event);
    }
    gzclose(file);
    return true;
}

static bool load_wire(const char *path, struct recording *recording)
{
    struct error error = {""};
    enum wire_direction direction;
    const uint8_t *bytes;
    size_t size;
    int status;
    struct wirefile *file = wirefile_open(path, &error);
    if (!file)
        return false;
    while ((status = wirefile_next(file, &direction, &bytes, &size, &error)) == 1) {
        recording->pieces =
            realloc(recording->pieces, (recording->count + 1) * sizeof *recording->pieces);
        struct piece *piece = &recording->pieces[recording->count++];
        *piece = (struct piece){direction, malloc(size + 1), size};
        memcpy(piece->bytes, bytes, size);
    }
    if (status < 0)
        fprintf(stderr, "%s\n", error.message);
    wirefile_close(file);
    return status == 0;
}

static void free_recording(struct recording *recording)
{
    for (size_t i = 0; i < recording->count; i++)
        free(recording->pieces[i].bytes);
    free(recording->pieces);
    *recording = (struct recording){NULL, 0};
}

static void replay(const struct recording *recording, enum cut cut, bool has_tls,
                   struct strbuf *out)
{
    struct trace_conversation conversation;
    const struct trace_options options = {.keep_limit = KEEP_LIMIT, .tls_is_opaque = has_tls};
    trace_conversation_begin(&conversation, &options, sink, out);
    for (size_t i = 0; i < recording->count;) {
        const struct piece *piece = &recording->pieces[i++];
        if (cut == JOINED) {
            struct strbuf joined = STRBUF_INIT;
            strbuf_add(&joined, piece->bytes, piece->size);
            for (; i < recording->count && recording->pieces[i].direction == piece->direction; i++)
                strbuf_add(&joined, recording->pieces[i].bytes, recording->pieces[i].size);
            trace_conversation_bytes(&conversation, piece->direction, (uint8_t *)joined.data,
                                     joined.size);
            strbuf_release(&joined);
        } else {
            size_t step = cut == BYTES ? 1 : piece->size;
            for (size_t at = 0; at < piece->size; at += step)
                trace_conversation_bytes(&conversation, piece->direction, piece->bytes + at, step);
        }
    }
    trace_conversation_end(&conversation);
    trace_conversation_release(&conversation);
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        count++;
    return count;
}

/* The connection ends after `size` bytes. */
static bool is_right_cut_off(const struct recording *recording, size_t size, bool has_tls,
                             const struct strbuf *whole)
{
    struct trace_conversation conversation;
    const struct trace_options options = {.keep_limit = KEEP_LIMIT, .tls_is_opaque = has_tls};
    struct strbuf events = STRBUF_INIT;
    trace_conversation_begin(&conversation, &options, sink, &events);
    for (size_t i = 0; i < recording->count && size > 0; i++) {
        const struct piece *piece = &recording->pieces[i];
        size_t part = piece->size < size ? piece->size : size;
        trace_conversation_bytes(&conversation, piece->direction, piece->bytes, part);
        size -= part;
    }
    size_t until_then = events.size;
    trace_conversation_end(&conversation);
    trace_conversation_end(&conversation);
    trace_conversation_release(&conversation);
    bool is_right = until_then <= whole->size &&
                    memcmp(events.data, whole->data, until_then) == 0 &&
                    count_of(events.data + until_then, "\n") <= TAIL_MAX_EVENTS &&
                    count_of(events.data, " DISCONNECTED ") == 1;
    strbuf_release(&events);
    return is_right;
}

static bool check_cut_off(const char *name, const struct recording *recording, bool has_tls)
{
    struct strbuf whole = STRBUF_INIT;
    size_t all = 0, size = 0;
    for (size_t i = 0; i < recording->count; i++)
        all += recording->pieces[i].size;
    if (all > CUT_OFF_MAX_BYTES)
        return true;
    replay(recording, RECORDED, has_tls, &whole);
    while (size < all && is_right_cut_off(recording, size, has_tls, &whole))
        size++;
    if (size < all)
        printf("FAILED %s, cut off after byte %zu\n", name, size);
    strbuf_release(&whole);
    return size == all;
}

/* Leaves out what the class does not ask for. */
static void reduce(struct strbuf *events, enum class class)
{
    struct strbuf kept = STRBUF_INIT;
    char *line = events->data;
    while (line && *line) {
        char *end = strchr(line, '\n');
        size_t size = end ? (size_t)(end - line) + 1 : strlen(line);
        bool is_error = memmem(line, size, " ERROR ", 7) != NULL;
        if (!(class == LOCAL_ERRORS && is_error))
            strbuf_add(&kept, line, size);
        if (class == TLS_PREFIX && memmem(line, size, " SEND_SSL_REQUEST ", 18))
            break;
        line = end ? end + 1 : NULL;
    }
    strbuf_release(events);
    *events = kept;
}

static void report(const char *name, enum cut cut, const char *expected, const char *actual)
{
    size_t line = 1;
    while (*expected && *actual) {
        size_t a = strcspn(expected, "\n"), b = strcspn(actual, "\n");
        if (a != b || memcmp(expected, actual, a) != 0)
            break;
        expected += a + 1;
        actual += b + 1;
        line++;
    }
    printf("FAILED %s, %s, event %zu\n  expected %.*s\n  actual   %.*s\n", name, cut_names[cut],
           line, (int)strcspn(expected, "\n"), expected, (int)strcspn(actual, "\n"), actual);
}

struct totals {
    unsigned recordings[CLASS_COUNT], failed[CLASS_COUNT];
    unsigned cut_off_failed; /* of all classes */
};

/* suffix: "" or ".2". false: there is no such recording. */
static bool run_recording(const char *folder, const char *suffix, enum class class,
                          struct totals *totals)
{
    static const char *const endings[] = {"jsonl", "jsonl.gz"};
    struct recording recording = {NULL, 0};
    struct strbuf expected = STRBUF_INIT, path = STRBUF_INIT;
    bool has_wire = false, has_events = false, failed = false;
    for (int i = 0; i < 2; i++) {
        strbuf_reset(&path);
        strbuf_printf(&path, "%s/wire%s.%s", folder, suffix, endings[i]);
        struct stat unused;
        has_wire = has_wire || (stat(path.data, &unused) == 0 && load_wire(path.data, &recording));
        strbuf_reset(&path);
        strbuf_printf(&path, "%s/events%s.%s", folder, suffix, endings[i]);
        has_events = has_events || load_events(path.data, &expected);
    }
    if (has_wire && has_events) {
        totals->recordings[class]++;
        reduce(&expected, class);
        for (enum cut cut = 0; cut < CUT_COUNT && !failed; cut++) {
            struct strbuf actual = STRBUF_INIT;
            replay(&recording, cut, class == TLS_PREFIX, &actual);
            reduce(&actual, class);
            failed = strcmp(expected.data, actual.data) != 0;
            if (failed && class != NOT_DERIVABLE)
                report(folder, cut, expected.data, actual.data);
            strbuf_release(&actual);
        }
        totals->failed[class] += failed;
        totals->cut_off_failed += !check_cut_off(folder, &recording, class == TLS_PREFIX);
    }
    free_recording(&recording);
    strbuf_release(&expected);
    strbuf_release(&path);
    return has_wire && has_events;
}

static void run_folder(const char *folder, enum class class, int depth, struct totals *totals)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        struct strbuf path = STRBUF_INIT;
        strbuf_printf(&path, "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && depth > 0)
            run_folder(path.data, class, depth - 1, totals);
        strbuf_release(&path);
        free(entries[i]);
    }
    free(entries);
    if (depth == 0 && run_recording(folder, "", class, totals))
        run_recording(folder, ".2", class, totals);
}

int main(int argc, char **argv)
{
    struct totals totals = {{0}, {0}, 0};
    unsigned failed = 0, all = 0;
    struct stat folder;
    if (argc != 2 || stat(argv[1], &folder) != 0) {
        printf("no recordings: skipped\n");
        return SKIPPED;
    }
    for (enum class class = 0; class < CLASS_COUNT; class ++) {
        struct strbuf path = STRBUF_INIT;
        strbuf_printf(&path, "%s/%s", argv[1], class_names[class]);
        run_folder(path.data, class, 2, &totals);
        strbuf_release(&path);
        printf("%-14s %3u recordings, %u differ%s\n", class_names[class], totals.recordings[class],
               totals.failed[class], class == NOT_DERIVABLE ? " (as they may)" : "");
        all += totals.recordings[class];
        failed += class == NOT_DERIVABLE ? 0 : totals.failed[class];
    }
    return failed > 0 || totals.cut_off_failed > 0 || all == 0;
}
