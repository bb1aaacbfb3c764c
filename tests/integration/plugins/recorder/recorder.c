/* SPDX-License-Identifier: Apache-2.0
 *
 * The tests' eyes: each event becomes one line of JSON in the file that RECORDER_FILE names, with
 * everything that the ABI can tell. A line is written with one write() to a file opened for
 * appending, so that lines of different sessions do not mix. Text facts are bytes: those that are
 * not printable ASCII are written as \u00XX, one a byte; of a very long one only the beginning.
 *
 * It refuses, in PreAuth and ChangeUser, user "refused" with an error number and SQLSTATE of its
 * own, and user "refused_by_default" with the ABI's defaults; in Starting a text with
 * "forbidden_word" in it, with numbers of its own; in PreParse one with "forbidden_text". It fails,
 * so that on_failure decides, in Starting of a text with "failing_word" in it.
 *
 * It holds back, until the file RECORDER_FILE.release is there, the end of a text with "hold_word"
 * in it (or "hold_broken_word": and then the work has failed), and Connected of user "held". */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/plugin.h>

static int file = -1;

#define SHOWN_BYTES (512U << 10) /* of one text */

/* ---- JSON ---- */

struct line {
    FILE *out;
    char *text;
    size_t size;
    const char *separator;
};

static void line_begin(struct line *line, const char *point, const char *event)
{
    line->out = open_memstream(&line->text, &line->size);
    line->separator = ", ";
    fprintf(line->out, "{\"point\": \"%s\", \"event\": \"%s\"", point, event);
}

static void line_end(struct line *line)
{
    fputs("}\n", line->out);
    fclose(line->out);
    if (file >= 0 && write(file, line->text, line->size) != (ssize_t)line->size)
        weir_log(WEIR_LOG_ERROR, "recorder: cannot write: %s", strerror(errno));
    free(line->text);
}

static void put_string(FILE *out, weir_string string)
{
    if (!string.data) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (size_t i = 0; i < string.size && i < SHOWN_BYTES; i++) {
        unsigned char c = (unsigned char)string.data[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void put_text(struct line *line, const char *name, weir_string value)
{
    fprintf(line->out, "%s\"%s\": ", line->separator, name);
    put_string(line->out, value);
}

static void put_number(struct line *line, const char *name, uint64_t value)
{
    if (value == WEIR_ABSENT)
        fprintf(line->out, "%s\"%s\": null", line->separator, name);
    else
        fprintf(line->out, "%s\"%s\": %llu", line->separator, name, (unsigned long long)value);
}

/* ---- Facts ---- */

static void put_attributes(struct line *line, const weir_session *session)
{
    weir_string name, value;
    fprintf(line->out, ", \"attributes\": [");
    for (size_t i = 0; weir_attribute(session, i, &name, &value); i++) {
        fprintf(line->out, "%s[", i ? ", " : "");
        put_string(line->out, name);
        fputs(", ", line->out);
        put_string(line->out, value);
        fputc(']', line->out);
    }
    fputc(']', line->out);
}

static void put_parameters(struct line *line, const weir_session *session)
{
    weir_parameter parameter;
    weir_parameter_origin origin = {.struct_size = sizeof origin};
    fprintf(line->out, ", \"parameters\": [");
    for (size_t i = 0; weir_statement_parameter(session, i, &parameter); i++) {
        fprintf(line->out, "%s[", i ? ", " : "");
        put_string(line->out, parameter.type);
        fputs(", ", line->out);
        put_string(line->out, parameter.value);
        fprintf(line->out, ", %u, %u, %u]", parameter.type_code, parameter.is_null,
                parameter.is_unsigned);
    }
    fprintf(line->out, "], \"parameter_origins\": [");
    for (size_t i = 0; weir_statement_parameter_origin(session, i, &origin); i++)
        fprintf(line->out, "%s[%u, %lld]", i ? ", " : "", origin.flags, (long long)origin.size);
    fputc(']', line->out);
}

static void put_tables(struct line *line, const weir_session *session)
{
    weir_table table;
    fprintf(line->out, ", \"tables\": [");
    for (size_t i = 0; weir_statement_table(session, i, &table); i++) {
        fprintf(line->out, "%s[", i ? ", " : "");
        put_string(line->out, table.schema);
        fputs(", ", line->out);
        put_string(line->out, table.name);
        fprintf(line->out, ", %u]", table.access);
    }
    fputc(']', line->out);
}

static void put_routines(struct line *line, const weir_session *session)
{
    weir_routine routine;
    fprintf(line->out, ", \"routines\": [");
    for (size_t i = 0; weir_statement_routine(session, i, &routine); i++) {
        fprintf(line->out, "%s[", i ? ", " : "");
        put_string(line->out, routine.schema);
        fputs(", ", line->out);
        put_string(line->out, routine.name);
        fprintf(line->out, ", %u]", routine.how);
    }
    fputc(']', line->out);
}

static void put_parts(struct line *line, const weir_session *session)
{
    weir_part part;
    fprintf(line->out, ", \"parts\": [");
    for (size_t i = 0; weir_statement_part(session, i, &part); i++) {
        fprintf(line->out, "%s[", i ? ", " : "");
        put_string(line->out, part.specific_kind);
        fprintf(line->out, ", %u, ", part.flags);
        put_string(line->out, weir_part_text(session, i, WEIR_TEXT_sql));
        fputs(", ", line->out);
        put_string(line->out, weir_part_text(session, i, WEIR_TEXT_normalized));
        fputs(", ", line->out);
        put_string(line->out, weir_part_text(session, i, WEIR_TEXT_digest));
        fputs(", ", line->out);
        put_string(line->out, weir_part_text(session, i, WEIR_TEXT_redacted_sql));
        fputc(']', line->out);
    }
    fputc(']', line->out);
}

static void put_facts(struct line *line, const weir_session *session)
{
    uint8_t address[16];
    size_t address_size = weir_client_address(session, address);
    fprintf(line->out, ", \"client_address\": \"");
    for (size_t i = 0; i < address_size; i++)
        fprintf(line->out, "%02x", address[i]);
    fputc('"', line->out);
#define X(name, value, what) put_text(line, #name, weir_##name(session));
    WEIR_TEXT_FACTS(X)
#undef X
#define X(name, value, what) put_number(line, #name, weir_##name(session));
    WEIR_NUMBER_FACTS(X)
#undef X
    put_attributes(line, session);
    put_parameters(line, session);
    put_tables(line, session);
    put_routines(line, session);
    put_parts(line, session);
}

/* ---- Sessions: each carries a number that counts its events ---- */

/* In the pointer itself: a plugin that is switched off while a session ends is not told, and could
 * not free. */
static uint64_t count_event(weir_session *session)
{
    uintptr_t count = (uintptr_t)weir_session_data(session) + 1;
    weir_set_session_data(session, (void *)count);
    return count;
}

static int is(weir_string string, const char *word)
{
    return string.size == strlen(word) && !memcmp(string.data, word, string.size);
}

static int holds(weir_string string, const char *word)
{
    return string.data && memmem(string.data, string.size, word, strlen(word)) != NULL;
}

/* ---- Holding back ---- */

struct held {
    weir_hold *hold;
    weir_verdict verdict;
};

static void *release_when_told(void *argument)
{
    struct held *held = argument;
    char path[4096];
    snprintf(path, sizeof path, "%s.release", getenv("RECORDER_FILE"));
    while (access(path, F_OK))
        usleep(1000);
    weir_release(held->hold, held->verdict);
    free(held);
    return NULL;
}

static void hold_back(weir_session *session, weir_verdict verdict)
{
    struct held *held = malloc(sizeof *held);
    *held = (struct held){weir_hold_reply(session), verdict};
    pthread_t thread;
    if (!held->hold || pthread_create(&thread, NULL, release_when_told, held)) {
        weir_log(WEIR_LOG_ERROR, "recorder: nothing can be held back");
        abort();
    }
    pthread_detach(thread);
}

/* ---- The plugin ---- */

static void record_life(const char *what)
{
    struct line line;
    line_begin(&line, "life", what);
    line_end(&line);
}

weir_verdict Validate(const weir_manifest *manifest)
{
    (void)manifest;
    const char *path = getenv("RECORDER_FILE");
    if (!path) {
        weir_log(WEIR_LOG_ERROR, "recorder: RECORDER_FILE is not set");
        return WEIR_FAIL;
    }
    file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    record_life("Validate");
    return file < 0 ? WEIR_FAIL : WEIR_OK;
}

weir_verdict OnInit(const weir_manifest *manifest)
{
    struct line line;
    line_begin(&line, "life", "OnInit");
    put_text(&line, "name", (weir_string){manifest->name, strlen(manifest->name)});
    put_text(&line, "word", weir_setting("word"));
    line_end(&line);
    return WEIR_OK;
}

weir_verdict OnShutdown(const weir_manifest *manifest)
{
    (void)manifest;
    record_life("OnShutdown");
    close(file);
    return WEIR_OK;
}

weir_verdict OnFlush(const weir_manifest *manifest)
{
    (void)manifest;
    record_life("OnFlush");
    return WEIR_OK;
}

weir_verdict OnConnectionEvent(weir_session *session, weir_connection_event event)
{
    struct line line;
    line_begin(&line, "connection", weir_connection_event_name(event));
    put_number(&line, "event_number", count_event(session));
    put_facts(&line, session);
    line_end(&line);
    if (event == WEIR_CONNECTED && is(weir_user(session), "held"))
        hold_back(session, WEIR_OK);
    if (event == WEIR_PRE_AUTH || event == WEIR_CHANGE_USER) {
        if (is(weir_user(session), "refused")) {
            return weir_refuse(session, 3159, "HY000", "the recorder does not like %.*s from %.*s",
                               WEIR_STRING_ARGS(weir_user(session)),
                               WEIR_STRING_ARGS(weir_host(session)));
        }
        if (is(weir_user(session), "refused_by_default"))
            return weir_refuse(session, 0, NULL, "not today");
    }
    return WEIR_OK;
}

weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char *command)
{
    struct line line;
    line_begin(&line, "general", weir_general_event_name(event));
    put_text(&line, "command_argument", (weir_string){command, strlen(command)});
    put_number(&line, "event_number", count_event(session));
    put_facts(&line, session);
    line_end(&line);
    if (event != WEIR_STARTING) {
        if (holds(weir_sql(session), "hold_broken_word"))
            hold_back(session, WEIR_FAIL);
        else if (holds(weir_sql(session), "hold_word"))
            hold_back(session, WEIR_OK);
        return WEIR_OK;
    }
    if (holds(weir_sql(session), "forbidden_word")) {
        return weir_refuse(session, 1142, "42000", "a word is forbidden in statement %llu",
                           (unsigned long long)weir_statement_number(session));
    }
    return holds(weir_sql(session), "failing_word") ? WEIR_FAIL : WEIR_OK;
}

weir_verdict OnParseEvent(weir_session *session, weir_parse_event event)
{
    struct line line;
    line_begin(&line, "parse", event == WEIR_PRE_PARSE ? "PreParse" : "?");
    put_number(&line, "event_number", count_event(session));
    put_facts(&line, session);
    line_end(&line);
    return holds(weir_sql(session), "forbidden_text")
               ? weir_refuse(session, 0, NULL, "this text is forbidden")
               : WEIR_OK;
}

weir_verdict OnPluginEvent(weir_session *session, weir_plugin_event event, weir_string plugin)
{
    struct line line;
    line_begin(&line, "plugin", weir_plugin_event_name(event));
    put_text(&line, "plugin", plugin);
    if (session) {
        put_text(&line, "by", weir_user(session));
        put_text(&line, "sql", weir_sql(session));
        put_text(&line, "digest", weir_digest(session)); /* absent: not on the session's thread */
    }
    line_end(&line);
    return WEIR_OK;
}

weir_verdict OnGlobalVariableEvent(weir_session *session, weir_string name, weir_string value)
{
    struct line line;
    line_begin(&line, "global variable", "Set");
    put_number(&line, "event_number", count_event(session));
    put_text(&line, "name", name);
    put_text(&line, "value", value);
    put_number(&line, "connection_id", weir_connection_id(session));
    line_end(&line);
    return WEIR_OK;
}
