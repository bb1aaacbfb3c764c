/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs every conversation of the files *.talk, which script.h explains. A section is a test:
 *
 *     == name option ...       options: those of struct harness_options, classic, whole_only; every_end:
 *                              goes on with each cause of an end, and with every two of them; awaited:
 *                              it does not end with the loss of the client
 *     %% NAME                  a part, which %NAME stands for; parts.talk is read first
 *     query TEXT               the client's COM_QUERY, its events before it, and what the backend reads */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "script.h"

#define TALKS_MAX 512
#define PARTS_MAX 64

struct talk {
    char name[128];
    struct strbuf lines;
    struct script_options options;
    bool every_end, awaited;
};

static struct talk talks[TALKS_MAX], parts[PARTS_MAX];
static size_t talk_count, part_count;

static void read_option(const char *word, struct talk *talk)
{
    struct script_options *options = &talk->options;
    struct harness_options *harness = &options->harness;
#define IS(text)       (strcmp(word, text) == 0)
#define X(bit, option) || (IS(#option) && (harness->option = true))
    if (IS("classic"))
        harness->capabilities = STEP_CLASSIC;
    else if (IS("missing"))
        harness->missing = WIRE_CAP(CLIENT_LOCAL_FILES);
    else if (IS("small"))
        harness->max_command_bytes = 1024;
    else if (IS("large"))
        harness->max_command_bytes = 40 << 20;
    else if (IS("whole_only"))
        options->whole_only = true;
    else if (IS("every_end"))
        talk->every_end = true;
    else if (IS("awaited"))
        talk->awaited = true;
    else if (!(false STEP_OPTION_BITS(X)))
        fail_msg("%s is no option", word);
#undef X
#undef IS
}

static struct talk *begin(struct talk *table, size_t *count, size_t most, char *line)
{
    char *position = NULL;
    assert_true(*count < most);
    struct talk *talk = &table[(*count)++];
    snprintf(talk->name, sizeof talk->name, "%s", strtok_r(line, " \n", &position));
    strbuf_init(&talk->lines);
    for (char *word = strtok_r(NULL, " \n", &position); word;
         word = strtok_r(NULL, " \n", &position))
        read_option(word, talk);
    return talk;
}

static void add_part(struct talk *talk, char *name)
{
    name[strcspn(name, " \n")] = 0;
    for (size_t i = 0; i < part_count; i++)
        if (strcmp(parts[i].name, name) == 0) {
            strbuf_add(&talk->lines, parts[i].lines.data, parts[i].lines.size);
            return;
        }
    fail_msg("there is no part %s", name);
}

static void add_line(struct talk *talk, char *line)
{
    if (line[0] == '%') {
        add_part(talk, line + 1);
    } else if (strncmp(line, "query ", 6) == 0) {
        char *text = line + 6;
        text[strcspn(text, "\n")] = 0;
        strbuf_printf(&talk->lines,
                      "C0 03 '%s'\ne PreParse %s\ne Starting Query %s\nb 0 Query %s\n", text, text,
                      text, text);
    } else {
        strbuf_add_text(&talk->lines, line);
    }
}

static void read_file(const char *name)
{
    FILE *file = fopen(name, "r");
    struct talk *talk = NULL;
    char *line = NULL;
    size_t room = 0;
    assert_non_null(file);
    while (getline(&line, &room, file) > 0) {
        if (line[0] == '#')
            continue;
        if (strncmp(line, "== ", 3) == 0)
            talk = begin(talks, &talk_count, TALKS_MAX, line + 3);
        else if (strncmp(line, "%% ", 3) == 0)
            talk = begin(parts, &part_count, PARTS_MAX, line + 3);
        else if (talk)
            add_line(talk, line);
    }
    free(line);
    fclose(file);
}

/* The session goes on after some of them; the harness ends it then. */
static const char *const causes[] = {
    "client ends", "client lost", "client fails", "backend ends", "backend lost",  "backend fails",
    "deadline",    "drain",       "close",        "give failed",  "decide refuse", "decide ok",
    "work",        "worked",      "S9 ff 00",     "C9 ff 00"};

#define CAUSES (sizeof causes / sizeof *causes)

static void run_every_end(const struct talk *talk)
{
    struct script_options options = talk->options;
    struct strbuf lines = STRBUF_INIT;
    options.unchecked = true;
    for (size_t i = 0; i < CAUSES * (CAUSES + 1); i++) {
        const char *first = causes[i % CAUSES];
        const char *second = i < CAUSES ? "" : causes[i / CAUSES - 1];
        bool is_over =
            strcmp(first, "close") == 0 || (strcmp(first, "client lost") == 0 && !talk->awaited &&
                                            !talk->options.harness.works_later);
        options.whole_only = i >= CAUSES;
        strbuf_reset(&lines);
        strbuf_printf(&lines, "%s%s\n%s\n%s\n", talk->lines.data, first, is_over ? "= over" : "",
                      second);
        script_run(talk->name, lines.data, &options);
    }
    strbuf_release(&lines);
}

static void run(void **state)
{
    const struct talk *talk = *state;
    if (talk->every_end) {
        run_every_end(talk);
        return;
    }
    script_run(talk->name, talk->lines.data, &talk->options);
}

static void run_starving(void **state)
{
    const struct talk *talk = *state;
    script_starve(talk->name, talk->lines.data, &talk->options);
}

/* Arguments: files, in the order in which they are read; or, after them, -only TEXT: the names that
 * hold it, and -starve: each with allocations that fail. */
int main(int argc, char **argv)
{
    static struct CMUnitTest tests[TALKS_MAX];
    const char *only = "";
    bool starves = false;
    size_t count = 0;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "-only") == 0)
            only = argv[++i];
        else if (strcmp(argv[i], "-starve") == 0)
            starves = true;
        else
            read_file(argv[i]);
    for (size_t i = 0; i < talk_count; i++)
        if (strstr(talks[i].name, only))
            tests[count++] = (struct CMUnitTest){.name = talks[i].name,
                                                 .test_func = starves ? run_starving : run,
                                                 .initial_state = &talks[i]};
    int status = _cmocka_run_group_tests("talks", tests, count, NULL, NULL);
    for (size_t i = 0; i < talk_count; i++)
        strbuf_release(&talks[i].lines);
    for (size_t i = 0; i < part_count; i++)
        strbuf_release(&parts[i].lines);
    return status;
}
