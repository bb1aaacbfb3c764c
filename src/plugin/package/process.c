/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs compilers and pkg-config: argument lists, and posix_spawn() with the output in a pipe. No
 * shell is involved; settings such as CFLAGS are split by wordexp(), with command substitution
 * forbidden. SIGINT and SIGQUIT are ignored while the child runs and are the child's alone, as
 * system() does it: an interrupt ends the compiler, and this process removes its temporary files. */
#include "plugin/package/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

/* Takes item. */
static void add_owned(struct arguments *arguments, char *item)
{
    char **items = item ? realloc(arguments->items, (arguments->count + 2) * sizeof *items) : NULL;
    if (!items) {
        arguments->failed = true;
        free(item);
        return;
    }
    items[arguments->count++] = item;
    items[arguments->count] = NULL;
    arguments->items = items;
}

void arguments_add(struct arguments *arguments, const char *format, ...)
{
    struct strbuf text = STRBUF_INIT;
    va_list values;
    va_start(values, format);
    strbuf_vprintf(&text, format, values);
    va_end(values);
    add_owned(arguments, strbuf_detach(&text));
}

int arguments_split(struct arguments *arguments, const char *text, const char *what,
                    struct error *error)
{
    wordexp_t words;
    if (!text)
        return 0;
    char *line = strdup(text);
    if (!line)
        return error_set(error, "%s: not enough memory", what);
    for (char *p = line; (p = strchr(p, '\n'));)
        *p = ' '; /* pkg-config's output ends in one; wordexp() takes none */
    int status = wordexp(line, &words, WRDE_NOCMD);
    free(line);
    if (status == WRDE_NOSPACE)
        wordfree(&words);
    if (status != 0)
        return error_set(error, "%s=%s: cannot be split into words; quote what is special in it",
                         what, text);
    for (size_t i = 0; i < words.we_wordc; i++)
        add_owned(arguments, strdup(words.we_wordv[i]));
    wordfree(&words);
    return 0;
}

void arguments_add_all(struct arguments *to, const struct arguments *from)
{
    for (size_t i = 0; i < from->count; i++)
        arguments_add(to, "%s", from->items[i]);
}

void arguments_release(struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->count; i++)
        free(arguments->items[i]);
    free(arguments->items);
    memset(arguments, 0, sizeof *arguments);
}

static void read_all(int file, struct strbuf *output)
{
    char bytes[4096];
    ssize_t size;
    while ((size = read(file, bytes, sizeof bytes)) > 0 || (size < 0 && errno == EINTR))
        if (size > 0)
            strbuf_add(output, bytes, (size_t)size);
}

static int wait_for(pid_t child, const char *program, struct error *error)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return error_set(error, "waiting for %s: %s", program, strerror(errno));
    if (WIFSIGNALED(status))
        return error_set(error, "%s was ended by signal %d", program, WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        return error_set(error, "%s failed with exit status %d", program, WEXITSTATUS(status));
    return 0;
}

/* Starts the child with default signals and, when wanted, its output on the pipe's writing end. */
static int spawn(const struct arguments *arguments, const int *ends, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t interrupts;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    sigaddset(&interrupts, SIGQUIT);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &interrupts);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    if (ends)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    int code =
        posix_spawnp(child, arguments->items[0], &actions, &attributes, arguments->items, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

int process_run(const struct arguments *arguments, struct strbuf *output, struct error *error)
{
    if (arguments->failed || arguments->count == 0)
        return error_set(error, "not enough memory to run a program");
    int ends[2];
    if (output && pipe2(ends, O_CLOEXEC) < 0)
        return error_set(error, "pipe: %s", strerror(errno));
    /* An interrupt from the terminal ends the child; this process then cleans up after it. */
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old_interrupt, old_quit;
    sigaction(SIGINT, &ignore, &old_interrupt);
    sigaction(SIGQUIT, &ignore, &old_quit);
    pid_t child;
    int code = spawn(arguments, output ? ends : NULL, &child), status;
    if (output)
        close(ends[1]);
    if (code == 0) {
        if (output)
            read_all(ends[0], output);
        status = wait_for(child, arguments->items[0], error);
    } else {
        status = error_set(error, "%s: %s", arguments->items[0], strerror(code));
    }
    if (output)
        close(ends[0]);
    sigaction(SIGINT, &old_interrupt, NULL);
    sigaction(SIGQUIT, &old_quit, NULL);
    return status;
}
