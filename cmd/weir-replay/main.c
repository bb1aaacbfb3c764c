/* SPDX-License-Identifier: Apache-2.0
 *
 * weir-replay: recorded conversations into a plugin, without a server. Options, and where recordings
 * come from. */
#include <stdlib.h>
#include <string.h>

#include "player.h"
#include "trace/capture/trace_capture.h"

enum { EXIT_USAGE = 2, PENDING_LIMIT = 16 << 20 };

struct replay_options {
    char *config;
    int level;
    bool help, manual, version;
};

static const char *const levels[] = {
#define X(enumerator, name, colour) name,
    LOG_LEVELS(X)
#undef X
        NULL};

#define AT(field) offsetof(struct replay_options, field)

static const struct option_row rows[] = {
    {.name = "config",
     .type = OPTION_TEXT,
     .offset = AT(config),
     .argument = "FILE",
     .help = "A configuration file as weir-server has it. Only [plugin.NAME] is read."},
    {.name = "L",
     .type = OPTION_CHOICE,
     .offset = AT(level),
     .letter = "log-level",
     .argument = "LEVEL",
     .fallback = "warn",
     .choices = levels,
     .help = "What is logged on standard error: error, warn, info or debug."},
    {.name = "help", .type = OPTION_FLAG, .offset = AT(help), .letter = "h", .help = "This text."},
    {.name = "manual",
     .type = OPTION_FLAG,
     .offset = AT(manual),
     .help = "The manual page, in roff."},
    {.name = "V",
     .type = OPTION_FLAG,
     .offset = AT(version),
     .letter = "version",
     .help = "The version."},
};

static const struct option_table table = {
    .program = "weir-replay",
    .synopsis = "replay recorded conversations into a plugin, without a server",
    .operands = "FOLDER/NAME-VERSION.so RECORDING...",
    .description =
        "weir-replay loads a plugin as weir-server does, and plays each conversation of the "
        "recordings through a session of the gateway with it. The recording is both the client and "
        "the server: a command that the plugin lets pass gets the recorded reply. What the client "
        "reads is printed, one line a command. A recording is a file of weir-trace's (lines of "
        "JSON, plain or gzipped), or a network capture (pcap, pcapng) of conversations without TLS "
        "and compression. The exit code is 1 if something could not be played.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};

/* ---- one file ---- */

struct captured {
    struct captured *next;
    struct recording recording;
    char client[STREAM_ADDRESS_BYTES];
};

struct capture {
    struct captured *first, **last;
};

static void *began(void *context, const struct stream_beginning *beginning)
{
    struct capture *capture = context;
    struct captured *captured = beginning->is_whole ? calloc(1, sizeof *captured) : NULL;
    if (!captured) {
        log_warn("replay", "a conversation without its login can't be replayed");
        return NULL;
    }
    recording_begin(&captured->recording);
    stream_address_text(beginning->client, captured->client);
    *capture->last = captured;
    capture->last = &captured->next;
    return captured;
}

static void got_bytes(void *connection, enum wire_direction direction, const uint8_t *bytes,
                      size_t size, uint64_t time_ns)
{
    struct captured *captured = connection;
    (void)time_ns;
    if (captured)
        recording_bytes(&captured->recording, direction, bytes, size);
}

static void lost(void *connection, enum wire_direction direction)
{
    (void)connection;
    (void)direction;
    log_warn("replay", "bytes are missing in the capture");
}

static void ended(void *connection)
{
    (void)connection;
}

static int play_capture(const char *path, struct plugin_registry *registry, struct error *error)
{
    static const struct stream_events events = {began, got_bytes, lost, ended};
    struct capture capture = {NULL, &capture.first};
    struct capture_counts counts = {0};
    struct streams *streams = streams_new(0, PENDING_LIMIT, &events, &capture);
    int status =
        streams ? capture_file(path, streams, &counts, error) : error_set(error, "out of memory");
    streams_free(streams);
    if (status == 0 && !capture.first)
        status = error_set(error, "there is no conversation in it");
    while (capture.first) {
        struct captured *captured = capture.first;
        capture.first = captured->next;
        if (status == 0)
            status = play(&captured->recording, registry, captured->client, stdout, error);
        recording_release(&captured->recording);
        free(captured);
    }
    return status;
}

static int play_wire_file(const char *path, struct plugin_registry *registry, struct error *error)
{
    enum wire_direction direction;
    const uint8_t *bytes;
    size_t size;
    struct recording recording;
    int status;
    struct wirefile *file = wirefile_open(path, error);
    if (!file)
        return -1;
    recording_begin(&recording);
    while ((status = wirefile_next(file, &direction, &bytes, &size, error)) == 1)
        recording_bytes(&recording, direction, bytes, size);
    wirefile_close(file);
    if (status == 0)
        status = play(&recording, registry, "127.0.0.1", stdout, error);
    recording_release(&recording);
    return status;
}

/* By its first four bytes: pcap in either order and resolution, or pcapng. */
static bool is_capture(const char *path)
{
    static const uint32_t magics[] = {0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0x0a0d0d0a};
    uint32_t magic = 0;
    FILE *file = fopen(path, "re");
    bool found = false;
    if (file && fread(&magic, sizeof magic, 1, file) == 1)
        for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
            found = found || magics[i] == magic;
    if (file)
        fclose(file);
    return found;
}

/* ---- the plugin ---- */

/* [plugin.NAME] key */
static const char *plugin_setting(void *user, const char *plugin, const char *key)
{
    const struct toml_document *file = user;
    const struct toml_node *section = file ? toml_get(toml_root(file), "plugin") : NULL;
    section = section ? toml_get(section, plugin) : NULL;
    const struct toml_node *node = section ? toml_get(section, key) : NULL;
    return node ? toml_text(node, NULL) : NULL;
}

static int play_files(const char *plugin, char **recordings, struct toml_document *config,
                      struct error *error)
{
    char folder[4096], name[256];
    const char *slash = strrchr(plugin, '/');
    const char *file = slash ? slash + 1 : plugin;
    size_t size = strlen(file);
    if (size <= 3 || strcmp(file + size - 3, ".so") != 0)
        return error_set(error, "%s: the plugin is a file, NAME-VERSION.so", plugin);
    snprintf(name, sizeof name, "%.*s", (int)(size - 3), file);
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - plugin + 1) : 2,
             slash ? plugin : "./");
    const struct plugin_options options = {
        .directory = folder, .load = name, .settings = {.value = plugin_setting, .user = config}};
    struct plugin_registry *registry = plugin_registry_load(&options, error);
    int status = registry ? 0 : -1;
    for (size_t i = 0; status == 0 && recordings[i]; i++) {
        struct error reason = {""};
        if (i > 0)
            putchar('\n');
        status = is_capture(recordings[i]) ? play_capture(recordings[i], registry, &reason)
                                           : play_wire_file(recordings[i], registry, &reason);
        if (status < 0)
            error_set(error, "%s: %s", recordings[i], reason.message);
    }
    if (registry)
        plugin_registry_shutdown(registry);
    return status;
}

static int run(const struct replay_options *options, char **operands, struct error *error)
{
    struct toml_document *config = NULL;
    if (options->help) {
        options_print_help(&table, stdout);
        return 0;
    }
    if (options->manual) {
        options_print_manual(&table, stdout);
        return 0;
    }
    if (options->version) {
        printf("weir-replay %s\n", WEIR_VERSION);
        return 0;
    }
    if (!operands[0] || !operands[1])
        return error_set(error, "give a plugin and recordings; --help says more");
    log_set_level((enum log_level)options->level);
    if (options->config && !(config = toml_read(options->config, error)))
        return -1;
    int status = play_files(operands[0], operands + 1, config, error);
    toml_free(config);
    return status;
}

int main(int argc, char **argv)
{
    struct replay_options options = {0};
    struct error error = {""};
    int first = -1, status = -1;
    if (options_defaults(&table, &options, &error) == 0)
        first = options_arguments(&table, &options, argc, argv, &error);
    if (first >= 0)
        status = run(&options, argv + first, &error);
    if (fflush(stdout) != 0 && status == 0)
        status = error_set(&error, "standard output: it can't be written");
    if (status < 0)
        fprintf(stderr, "weir-replay: %s\n", error.message);
    options_release(&table, &options);
    return status < 0 ? (first < 0 ? EXIT_USAGE : EXIT_FAILURE) : EXIT_SUCCESS;
}
