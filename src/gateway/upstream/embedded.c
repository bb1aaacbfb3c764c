/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of the private mariadbd: files, first run, start, death and restart, end.
 *
 * libuv cannot start a process that dies with this one, so it is forked here, and SIGCHLD looked
 * for. The kernel sends the child SIGTERM when the thread that has forked it ends: the main thread,
 * which ends with the process, however that ends. */
#include "gateway/upstream/embedded.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netdb.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESTART_PAUSE_MS     200 /* doubled by each death within LIVED_MS, up to RESTART_PAUSE_MAX */
#define RESTART_PAUSE_MAX_MS 10000
#define LIVED_MS             30000
#define MAX_ARGUMENTS        32

struct embedded {
    uv_loop_t *loop;
    uv_signal_t child; /* SIGCHLD; active until the server has ended for good */
    pid_t pid;         /* of the server, while it runs */
    uv_timer_t restart;
    struct embedded_options options;
    char directory[PATH_MAX]; /* absolute data directory of the gateway */
    char data[PATH_MAX + 16]; /* the server's datadir */
    char socket[PATH_MAX + 32];
    char log[PATH_MAX + 32];
    uint64_t started_ms, pause_ms;
    int lock; /* descriptor of the data directory's lock; -1: none */
    bool running, stopping;
};

const char *embedded_socket(const struct embedded *embedded)
{
    return embedded->socket;
}

static WEIR_MUST_CHECK int make_directory(const char *path, mode_t mode, struct error *error)
{
    if (mkdir(path, mode) == 0 || errno == EEXIST)
        return 0;
    return error_set(error, "data directory %s: %s; give another with -path", path,
                     strerror(errno));
}

static WEIR_MUST_CHECK int place_files(struct embedded *embedded, struct error *error)
{
    char run[PATH_MAX + 16], temporary[PATH_MAX + 16];
    if (make_directory(embedded->options.data_directory, 0750, error))
        return -1;
    if (!realpath(embedded->options.data_directory, embedded->directory))
        return error_set(error, "data directory %s: %s", embedded->options.data_directory,
                         strerror(errno));
    snprintf(embedded->data, sizeof embedded->data, "%s/mariadb", embedded->directory);
    snprintf(run, sizeof run, "%s/run", embedded->directory);
    snprintf(embedded->socket, sizeof embedded->socket, "%s/run/mariadbd.sock",
             embedded->directory);
    snprintf(embedded->log, sizeof embedded->log, "%s/mariadbd.log", embedded->directory);
    if (strlen(embedded->socket) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return error_set(error,
                         "data directory %s: its path is too long for a Unix socket (%zu bytes "
                         "at most); give a shorter one with -path",
                         embedded->directory, sizeof((struct sockaddr_un *)0)->sun_path - 24);
    snprintf(temporary, sizeof temporary, "%s/tmp", embedded->directory);
    /* Whoever may enter the socket's directory may claim any client address: the gateway's user
     * only. And in a /tmp that containers share, two servers of the same pid would take each other's
     * temporary tables. */
    return make_directory(run, 0700, error) ? -1 : make_directory(temporary, 0700, error);
}

/* One gateway a data directory: a second one would disturb the first's server. The lock goes with
 * the process. */
static WEIR_MUST_CHECK int lock_directory(struct embedded *embedded, struct error *error)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/weir.lock", embedded->directory);
    embedded->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (embedded->lock < 0)
        return error_set(error, "data directory %s: %s", embedded->directory, strerror(errno));
    if (flock(embedded->lock, LOCK_EX | LOCK_NB))
        return error_set(error,
                         "data directory %s: another weir-server uses it; give another with -path",
                         embedded->directory);
    return 0;
}

static WEIR_MUST_CHECK int check_program(const char *program, struct error *error)
{
    if (access(program, X_OK) == 0)
        return 0;
    return error_set(error,
                     "-mariadbd %s: %s; install mariadb-server-core, or give the program's path",
                     program, strerror(errno));
}

static bool resolves(const char *name)
{
    struct addrinfo *found = NULL;
    if (getaddrinfo(name, NULL, NULL, &found) != 0)
        return false;
    freeaddrinfo(found);
    return true;
}

/* mariadb-install-db insists on it, as many chroots and small containers find out. */
static WEIR_MUST_CHECK int check_names(struct error *error)
{
    char name[HOST_NAME_MAX + 1] = "";
    if ((gethostname(name, sizeof name - 1) == 0 && resolves(name)) || resolves("localhost"))
        return 0;
    return error_set(
        error,
        "neither localhost nor this machine's name, %s, can be looked up, and "
        "mariadb-install-db goes no further then: put the line \"127.0.0.1 localhost\" "
        "into /etc/hosts",
        name);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static const char *user_name(void)
{
    const struct passwd *entry = getpwuid(geteuid());
    return entry ? entry->pw_name : "root";
}

static WEIR_MUST_CHECK int run_and_wait(char *const *arguments, const char *output,
                                        struct error *error)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_APPEND,
                                     0640);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    pid_t child = -1;
    int result = 0;
    int status = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (status)
        result =
            error_set(error, "%s: %s; install mariadb-server-core", arguments[0], strerror(status));
    else if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
        result = error_set(error, "%s failed; its output is in %s", arguments[0], output);
    return result;
}

static WEIR_MUST_CHECK int initialise(struct embedded *embedded, struct error *error)
{
    if (check_names(error) < 0)
        return -1;
    log_info("backend", "first run: initialising the embedded MariaDB in %s (some seconds)",
             embedded->data);
    /* Made under another name and renamed when complete: a first run that was interrupted leaves
     * nothing that looks finished. */
    char half[PATH_MAX + 32], datadir[PATH_MAX + 64], tmpdir[PATH_MAX + 32], user[64];
    snprintf(half, sizeof half, "%s.initialising", embedded->data);
    nftw(half, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    snprintf(datadir, sizeof datadir, "--datadir=%s", half);
    snprintf(tmpdir, sizeof tmpdir, "--tmpdir=%s/tmp", embedded->directory);
    snprintf(user, sizeof user, "--user=%s", user_name());
    char *arguments[] = {"mariadb-install-db",
                         "--no-defaults",
                         datadir,
                         tmpdir,
                         user,
                         "--auth-root-authentication-method=normal",
                         "--skip-test-db",
                         "--skip-name-resolve",
                         NULL};
    if (run_and_wait(arguments, embedded->log, error))
        return -1;
    if (rename(half, embedded->data))
        return error_set(error, "data directory %s: %s", embedded->data, strerror(errno));
    log_info("backend", "embedded MariaDB initialised; its account root@localhost has no password "
                        "and is reachable from this machine only: set one with "
                        "ALTER USER root@localhost IDENTIFIED BY '...'");
    return 0;
}

/* The pid file alone proves nothing (numbers are used again), so the process must name this data
 * directory. One that has ended, but that nobody has waited for, names nothing. */
static bool is_our_server(const struct embedded *embedded, long pid)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%ld/cmdline", pid);
    FILE *file = pid > 1 ? fopen(path, "re") : NULL;
    if (!file)
        return false;
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    return memmem(text, size, embedded->data, strlen(embedded->data)) != NULL;
}

/* A gateway that was killed takes its server with it, but that takes its time to end in order, and
 * has the data locked until then. */
static void end_left_over(const struct embedded *embedded)
{
    char path[PATH_MAX + 48], text[32];
    snprintf(path, sizeof path, "%s/run/mariadbd.pid", embedded->directory);
    FILE *file = fopen(path, "re");
    long pid = 0;
    if (file) {
        if (fgets(text, sizeof text, file))
            pid = strtol(text, NULL, 10);
        fclose(file);
    }
    if (!is_our_server(embedded, pid))
        return;
    log_warn("backend", "a mariadbd of an earlier run (pid %ld) is still there; ending it", pid);
    while (is_our_server(embedded, pid) && kill((pid_t)pid, SIGTERM) == 0)
        usleep(50000);
}

static void start_server(struct embedded *embedded);

static void on_restart(uv_timer_t *timer)
{
    start_server(timer->data);
}

static void schedule_restart(struct embedded *embedded)
{
    uint64_t lived = uv_now(embedded->loop) - embedded->started_ms;
    embedded->pause_ms = lived > LIVED_MS ? RESTART_PAUSE_MS : 2 * embedded->pause_ms;
    if (embedded->pause_ms > RESTART_PAUSE_MAX_MS)
        embedded->pause_ms = RESTART_PAUSE_MAX_MS;
    uv_timer_start(&embedded->restart, on_restart, embedded->pause_ms, 0);
}

static void close_handles(struct embedded *embedded)
{
    if (!uv_is_closing((uv_handle_t *)&embedded->restart))
        uv_close((uv_handle_t *)&embedded->restart, NULL);
    if (!uv_is_closing((uv_handle_t *)&embedded->child))
        uv_close((uv_handle_t *)&embedded->child, NULL);
}

static void server_ended(struct embedded *embedded, int status)
{
    embedded->running = false;
    if (embedded->stopping) {
        log_info("backend", "embedded MariaDB has stopped");
        close_handles(embedded);
    } else {
        log_error("backend",
                  "embedded MariaDB died (status %d, signal %d); starting it again; see %s",
                  WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                  WIFSIGNALED(status) ? WTERMSIG(status) : 0, embedded->log);
        schedule_restart(embedded);
    }
    if (embedded->options.on_state)
        embedded->options.on_state(embedded->options.user, false);
}

static void on_child(uv_signal_t *handle, int number)
{
    struct embedded *embedded = handle->data;
    int status = 0;
    (void)number;
    if (embedded->running && waitpid(embedded->pid, &status, WNOHANG) == embedded->pid)
        server_ended(embedded, status);
}

/* What the private server is started with. One argument that is not fixed each has its buffer. */
struct server_arguments {
    char datadir[PATH_MAX + 32], socket[PATH_MAX + 48], pid[PATH_MAX + 48], log[PATH_MAX + 48];
    char user[64], defaults[PATH_MAX + 48], tmpdir[PATH_MAX + 32];
    char *list[MAX_ARGUMENTS];
};

static void fill_arguments(const struct embedded *embedded, struct server_arguments *arguments)
{
    size_t n = 0;
    char own[PATH_MAX + 32];
    snprintf(own, sizeof own, "%s/mariadb.cnf", embedded->directory);
    snprintf(arguments->defaults, sizeof arguments->defaults, "--defaults-file=%s", own);
    snprintf(arguments->datadir, sizeof arguments->datadir, "--datadir=%s", embedded->data);
    snprintf(arguments->socket, sizeof arguments->socket, "--socket=%s", embedded->socket);
    snprintf(arguments->pid, sizeof arguments->pid, "--pid-file=%s/run/mariadbd.pid",
             embedded->directory);
    snprintf(arguments->log, sizeof arguments->log, "--log-error=%s", embedded->log);
    snprintf(arguments->tmpdir, sizeof arguments->tmpdir, "--tmpdir=%s/tmp", embedded->directory);
    snprintf(arguments->user, sizeof arguments->user, "--user=%s", user_name());
    arguments->list[n++] = (char *)embedded->options.mariadbd;
    arguments->list[n++] = access(own, R_OK) == 0 ? arguments->defaults : "--no-defaults";
    arguments->list[n++] = arguments->datadir;
    arguments->list[n++] = arguments->tmpdir;
    arguments->list[n++] = arguments->socket;
    arguments->list[n++] = arguments->pid;
    arguments->list[n++] = arguments->log;
    arguments->list[n++] = arguments->user;
    arguments->list[n++] = "--skip-networking";
    /* The socket's peer counts as localhost; clients' own addresses come in the header. */
    arguments->list[n++] = "--proxy-protocol-networks=localhost";
    /* It would trust the operating system's user at the other end, which is always the gateway. */
    arguments->list[n++] = "--unix-socket=OFF";
    arguments->list[n] = NULL;
}

/* The service manager's words are the gateway's: a MariaDB would say that it is ready, too. In the
 * child, whose memory is its own. */
static void forget_service_manager(void)
{
    static const char name[] = "NOTIFY_SOCKET=";
    char **kept = environ;
    for (char **variable = environ; *variable; variable++)
        if (strncmp(*variable, name, sizeof name - 1) != 0)
            *kept++ = *variable;
    *kept = NULL;
}

/* In the child: only what may be called between fork() and exec() of a process with threads. Writes
 * errno to `report` when the program cannot be run. */
static _Noreturn void become_server(char *const *arguments, pid_t gateway, int report)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL); /* an ignored signal stays so */
    setsid(); /* the terminal's Ctrl-C is for the gateway, which stops it in order */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != gateway) /* it has died before that */
        _exit(1);
    forget_service_manager();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
        dup2(null, STDERR_FILENO) >= 0)
        execv(arguments[0], arguments);
    int error = errno;
    ssize_t written = write(report, &error, sizeof error);
    _exit(written > 0 ? 1 : 2);
}

/* Forks the server. Returns 0 once its program runs, or errno. */
static int spawn_server(struct embedded *embedded, char *const *arguments)
{
    int report[2], error = 0;
    const pid_t gateway = getpid();
    if (pipe2(report, O_CLOEXEC))
        return errno;
    const pid_t child = fork();
    if (child == 0)
        become_server(arguments, gateway, report[1]);
    error = child < 0 ? errno : 0;
    close(report[1]);
    int reported = 0;
    ssize_t got = 0;
    while (child > 0 && (got = read(report[0], &reported, sizeof reported)) < 0 && errno == EINTR)
        continue;
    close(report[0]);
    if (got == (ssize_t)sizeof reported) { /* otherwise exec() has closed the pipe */
        waitpid(child, NULL, 0);
        return reported;
    }
    embedded->pid = child;
    return error;
}

static void start_server(struct embedded *embedded)
{
    struct server_arguments arguments = {.list = {NULL}};
    fill_arguments(embedded, &arguments);
    embedded->started_ms = uv_now(embedded->loop);
    int error = spawn_server(embedded, arguments.list);
    if (error) {
        log_error("backend", "starting %s: %s; install mariadb-server-core or give -mariadbd",
                  embedded->options.mariadbd, strerror(error));
        schedule_restart(embedded);
        return;
    }
    embedded->running = true;
    if (embedded->options.on_state)
        embedded->options.on_state(embedded->options.user, true);
}

/* The loop's handles, which end with close_handles(). */
static WEIR_MUST_CHECK int open_handles(struct embedded *embedded, struct error *error)
{
    int status = uv_signal_init(embedded->loop, &embedded->child);
    if (status == 0)
        status = uv_signal_start(&embedded->child, on_child, SIGCHLD);
    if (status < 0)
        return error_set(error, "watching the embedded MariaDB: %s", uv_strerror(status));
    embedded->child.data = embedded;
    uv_timer_init(embedded->loop, &embedded->restart);
    embedded->restart.data = embedded;
    return 0;
}

struct embedded *embedded_start(uv_loop_t *loop, const struct embedded_options *options,
                                struct error *error)
{
    assert(loop && options->data_directory && options->mariadbd);
    struct embedded *embedded = calloc(1, sizeof *embedded);
    if (!embedded) {
        error_set(error, "out of memory");
        return NULL;
    }
    embedded->loop = loop;
    embedded->options = *options;
    embedded->pause_ms = RESTART_PAUSE_MS;
    embedded->lock = -1;
    if (check_program(options->mariadbd, error) || place_files(embedded, error) ||
        lock_directory(embedded, error) ||
        (access(embedded->data, F_OK) != 0 && initialise(embedded, error))) {
        embedded_free(embedded);
        return NULL;
    }
    end_left_over(embedded);
    unlink(embedded->socket);
    if (open_handles(embedded, error)) {
        embedded_free(embedded);
        return NULL;
    }
    start_server(embedded);
    return embedded;
}

void embedded_stop(struct embedded *embedded)
{
    if (embedded->stopping)
        return;
    embedded->stopping = true;
    uv_timer_stop(&embedded->restart);
    if (embedded->running)
        kill(embedded->pid, SIGTERM);
    else
        close_handles(embedded);
}

void embedded_free(struct embedded *embedded)
{
    if (embedded->lock >= 0)
        close(embedded->lock);
    free(embedded);
}
