/* SPDX-License-Identifier: Apache-2.0
 *
 * What the gateway says of each statement, one line of JSON for each general event, in the file
 * that WITNESS_FILE names. Only what make fuzz-server compares with the server: the integration
 * tests' recorder tells all facts and costs ten times as much. A line is written with one write(),
 * before the callback returns: a client that reads the end of a reply finds the reply's lines in
 * the file. Texts are bytes: those that are not printable ASCII are written as \u00XX. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/plugin.h>

static int file = -1;

static void put_text(FILE *out, weir_string string)
{
    if (!string.data) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (size_t i = 0; i < string.size; i++) {
        unsigned char c = (unsigned char)string.data[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void put_tables(FILE *out, const weir_session *session)
{
    weir_table table;
    for (size_t i = 0; weir_statement_table(session, i, &table); i++) {
        fputs(i ? ",[" : "[", out);
        put_text(out, table.schema);
        fputc(',', out);
        put_text(out, table.name);
        fprintf(out, ",%u]", table.access);
    }
}

static void put_parts(FILE *out, const weir_session *session)
{
    weir_part part;
    for (size_t i = 0; weir_statement_part(session, i, &part); i++) {
        fputs(i ? ",[" : "[", out);
        put_text(out, part.kind);
        fputc(',', out);
        put_text(out, part.specific_kind);
        fprintf(out, ",%u]", part.flags);
    }
}

#define TEXT(name)                                                                                 \
    do {                                                                                           \
        fputs(",\"" #name "\":", out);                                                             \
        put_text(out, weir_##name(session));                                                       \
    } while (0)
#define NUMBER(name)                                                                               \
    do {                                                                                           \
        uint64_t value = weir_##name(session);                                                     \
        if (value == WEIR_ABSENT)                                                                  \
            fputs(",\"" #name "\":null", out);                                                     \
        else                                                                                       \
            fprintf(out, ",\"" #name "\":%llu", (unsigned long long)value);                        \
    } while (0)

static void put_statement(FILE *out, const weir_session *session)
{
    TEXT(command);
    TEXT(sql);
    TEXT(kind);
    TEXT(specific_kind);
    NUMBER(statement_index);
    NUMBER(statement_count);
    NUMBER(names_known);
    NUMBER(digest_exact);
    NUMBER(reading_known);
    fputs(",\"tables\":[", out);
    put_tables(out, session);
    fputs("],\"parts\":[", out);
    put_parts(out, session);
    fputc(']', out);
}

weir_verdict Validate(const weir_manifest *manifest)
{
    (void)manifest;
    const char *path = getenv("WITNESS_FILE");
    if (!path)
        return weir_fail("WITNESS_FILE is not set");
    file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return file < 0 ? weir_fail("%s: %s", path, strerror(errno)) : WEIR_OK;
}

weir_verdict OnInit(const weir_manifest *manifest)
{
    (void)manifest;
    return WEIR_OK;
}

weir_verdict OnShutdown(const weir_manifest *manifest)
{
    (void)manifest;
    close(file);
    return WEIR_OK;
}

weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char *command)
{
    (void)command;
    char *line = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&line, &size);
    if (!out)
        return weir_fail("no memory");
    fprintf(out, "{\"event\":\"%s\"", weir_general_event_name(event));
    NUMBER(backend_connection_id);
    NUMBER(statement_number);
    TEXT(database);
    TEXT(current_user);
    TEXT(current_role);
    if (event == WEIR_STARTING) {
        put_statement(out, session);
    } else {
        NUMBER(error_code);
        TEXT(sqlstate);
        TEXT(message);
        TEXT(refused_by);
    }
    fputs("}\n", out);
    bool ok = !fclose(out) && write(file, line, size) == (ssize_t)size;
    free(line);
    return ok ? WEIR_OK : weir_fail("cannot write: %s", strerror(errno));
}
