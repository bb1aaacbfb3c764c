/* SPDX-License-Identifier: Apache-2.0
 *
 * A file is cut into blocks of a fixed size; a line belongs to the block in which it begins. Threads
 * take the next block, read it, sieve its lines, parse what is left and choose. The caller's thread
 * takes the blocks in their order out of a ring, so what it visits is in the order of the file, and
 * memory is bounded by the ring.
 *
 *     next ──► [ b7 reading ][ b8 free ][ b5 ready ][ b6 reading ] ◄── due
 *
 * With a window of time, the times at the beginnings of a block and of the next one say whether it
 * can have a record of it. That looks at each block of the file, not at halves of halves, because a
 * clock that was put back makes a log that is not in order as a whole; a look costs one small read.
 *
 * Blocks are read, not mapped: a log that is cut while it is read must not end the reader. */
#include "scan.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sieve.h"
#include "when.h"

#define BLOCK_BYTES  (1U << 20)
#define MORE_BYTES   (64U << 10) /* read at once to find the end of a line */
#define SAMPLE_BYTES (8U << 10)  /* read at once to find a time */
#define MOST_THREADS 16

struct found {
    struct entry *entry; /* NULL: the line is no record */
    size_t begin, size;  /* in the block's bytes */
};

enum block_state { BLOCK_FREE, BLOCK_TAKEN, BLOCK_READY };

struct block {
    enum block_state state;
    uint64_t offset; /* of bytes in the file */
    struct strbuf bytes;
    struct found *found;
    size_t count, room;
    int error_code; /* errno of what failed; 0: nothing */
};

struct scan {
    int fd;
    uint64_t size;
    const struct conditions *conditions;
    struct log_form form;
    struct sieve sieve;
    uint64_t slack_ns;
    size_t block_count, ring_size;
    struct block *ring;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t next, due; /* blocks: the next one to be taken, and the next one to be visited */
    bool stopped;
};

/* ---- Reading ---- */

/* Adds up to `size` bytes of the file. Fewer: it ends there. -1 and errno. */
static int read_at(const struct scan *scan, uint64_t offset, size_t size, struct strbuf *bytes)
{
    char *room = strbuf_room(bytes, size);
    size_t got = 0;
    if (!room) {
        errno = ENOMEM;
        return -1;
    }
    while (got < size) {
        ssize_t part = pread(scan->fd, room + got, size - got, (off_t)(offset + got));
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return -1;
        if (part == 0)
            break;
        got += (size_t)part;
    }
    strbuf_end(bytes, room + got);
    return 0;
}

/* Bytes of the file from an offset on, but not more than `size`. */
static size_t left_of(const struct scan *scan, uint64_t offset, size_t size)
{
    return scan->size - offset < size ? (size_t)(scan->size - offset) : size;
}

/* Reads a block's lines whole: from the byte before it, which says whether a line begins with it, to
 * the end of the last line that begins in it. Sets where the first one begins and where the next
 * block's does; both are the same when none begins here. */
static int read_block(const struct scan *scan, size_t index, struct block *block, size_t *begin,
                      size_t *end)
{
    uint64_t start = (uint64_t)index * BLOCK_BYTES;
    size_t before = start ? 1 : 0;
    block->offset = start - before;
    strbuf_reset(&block->bytes);
    size_t own = before + left_of(scan, start, BLOCK_BYTES);
    if (read_at(scan, block->offset, own, &block->bytes) < 0)
        return -1;
    *begin = *end = 0;
    if (before) {
        const char *newline = memchr(block->bytes.data, '\n', block->bytes.size);
        *begin = newline ? (size_t)(newline + 1 - block->bytes.data) : block->bytes.size;
        if (*begin >= own)
            *begin = *end = block->bytes.size;
        if (*begin == *end && *begin)
            return 0;
    }
    size_t looked = block->bytes.size ? block->bytes.size - 1 : 0;
    for (;;) {
        const char *newline = memchr(block->bytes.data + looked, '\n', block->bytes.size - looked);
        uint64_t offset = block->offset + block->bytes.size;
        *end = newline ? (size_t)(newline + 1 - block->bytes.data) : block->bytes.size;
        if (newline || offset >= scan->size)
            return 0;
        looked = block->bytes.size;
        if (read_at(scan, offset, left_of(scan, offset, MORE_BYTES), &block->bytes) < 0)
            return -1;
        if (block->bytes.size == looked) {
            *end = looked; /* the file has become shorter */
            return 0;
        }
    }
}

/* ---- One block ---- */

static bool add_found(struct block *block, struct entry *entry, size_t begin, size_t size)
{
    if (block->count == block->room) {
        size_t room = block->room ? 2 * block->room : 64;
        struct found *more = realloc(block->found, room * sizeof *more);
        if (!more)
            return false;
        block->found = more;
        block->room = room;
    }
    block->found[block->count++] = (struct found){entry, begin, size};
    return true;
}

/* Parses a line and keeps it, if it is wanted. */
static bool look_at_line(const struct scan *scan, struct block *block, size_t begin, size_t size)
{
    const char *line = block->bytes.data + begin;
    if (!sieve_passes(&scan->sieve, line, size))
        return true;
    struct entry *entry = malloc(sizeof *entry);
    if (!entry)
        return false;
    enum entry_kind kind = entry_read(entry, &scan->form, line, size);
    bool is_wanted = kind == ENTRY_RECORD && choose(scan->conditions, entry);
    if (is_wanted && add_found(block, entry, begin, size))
        return true;
    entry_release(entry);
    free(entry);
    if (kind == ENTRY_NONE)
        return add_found(block, NULL, begin, size);
    return !is_wanted;
}

static bool look_at_lines(const struct scan *scan, struct block *block, size_t begin, size_t end)
{
    while (begin < end) {
        const char *line = block->bytes.data + begin;
        const char *newline = memchr(line, '\n', end - begin);
        size_t size = newline ? (size_t)(newline - line) : end - begin;
        if (!look_at_line(scan, block, begin, size))
            return false;
        begin += size + 1;
    }
    return true;
}

/* The time of the first line that begins at the offset or after it; false: none is near. */
static bool time_at(const struct scan *scan, uint64_t offset, uint64_t *time_ns)
{
    struct strbuf bytes = {0};
    bool found = false;
    uint64_t from = offset ? offset - 1 : 0;
    if (offset < scan->size && read_at(scan, from, SAMPLE_BYTES, &bytes) == 0) {
        const char *at = bytes.data, *end = at + bytes.size;
        bool is_start = offset == 0;
        while (!found && at < end) {
            const char *newline = memchr(at, '\n', (size_t)(end - at));
            const char *stop = newline ? newline : end;
            found = is_start && sieve_time(&scan->form, at, (size_t)(stop - at), time_ns);
            is_start = true;
            at = stop + 1;
        }
    }
    strbuf_release(&bytes);
    return found;
}

static uint64_t later(uint64_t ns, uint64_t by)
{
    return ns > UINT64_MAX - by ? UINT64_MAX : ns + by;
}

/* Whether the times around a block leave room for what is wanted. What is not known does. */
static bool may_have(const struct scan *scan, size_t index)
{
    const struct conditions *conditions = scan->conditions;
    uint64_t first, next;
    if (conditions->since_ns == 0 && conditions->until_ns == UINT64_MAX)
        return true;
    if (!time_at(scan, (uint64_t)index * BLOCK_BYTES, &first))
        return true;
    bool has_next = time_at(scan, (uint64_t)(index + 1) * BLOCK_BYTES, &next);
    if (!has_next && index + 1 < scan->block_count)
        return true;
    uint64_t least = has_next && next < first ? next : first;
    uint64_t most = !has_next ? UINT64_MAX : next > first ? next : first;
    return least <= later(conditions->until_ns, scan->slack_ns) &&
           later(most, scan->slack_ns) >= conditions->since_ns;
}

static void fill_block(const struct scan *scan, size_t index, struct block *block)
{
    size_t begin = 0, end = 0;
    block->count = 0;
    block->error_code = 0;
    if (!may_have(scan, index))
        return;
    if (read_block(scan, index, block, &begin, &end) < 0)
        block->error_code = errno ? errno : EIO;
    else if (!look_at_lines(scan, block, begin, end))
        block->error_code = ENOMEM;
}

static void empty_block(struct block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        if (block->found[i].entry)
            entry_release(block->found[i].entry);
        free(block->found[i].entry);
    }
    block->count = 0;
}

/* ---- Threads ---- */

static void *work(void *argument)
{
    struct scan *scan = argument;
    pthread_mutex_lock(&scan->lock);
    while (!scan->stopped && scan->next < scan->block_count) {
        struct block *block = &scan->ring[scan->next % scan->ring_size];
        if (block->state != BLOCK_FREE) {
            pthread_cond_wait(&scan->changed, &scan->lock);
            continue;
        }
        size_t index = scan->next++;
        block->state = BLOCK_TAKEN;
        pthread_mutex_unlock(&scan->lock);
        fill_block(scan, index, block);
        pthread_mutex_lock(&scan->lock);
        block->state = BLOCK_READY;
        pthread_cond_broadcast(&scan->changed);
    }
    pthread_mutex_unlock(&scan->lock);
    return NULL;
}

/* Visits what a block has. 1: go on; 0: enough; -1 and the error. */
static int visit(const struct block *block, const struct scan_visitor *visitor, struct error *error)
{
    for (size_t i = 0; i < block->count; i++) {
        const struct found *found = &block->found[i];
        weir_string line = {block->bytes.data + found->begin, found->size};
        if (!found->entry)
            visitor->stray(visitor->context, block->offset + found->begin);
        else if (!visitor->record(visitor->context, found->entry, line))
            return 0;
    }
    return block->error_code ? error_set(error, "%s", strerror(block->error_code)) : 1;
}

static int visit_in_order(struct scan *scan, const struct scan_visitor *visitor,
                          struct error *error)
{
    int status = 1;
    pthread_mutex_lock(&scan->lock);
    while (status == 1 && scan->due < scan->block_count) {
        struct block *block = &scan->ring[scan->due % scan->ring_size];
        if (block->state != BLOCK_READY) {
            pthread_cond_wait(&scan->changed, &scan->lock);
            continue;
        }
        pthread_mutex_unlock(&scan->lock);
        status = visit(block, visitor, error);
        empty_block(block);
        pthread_mutex_lock(&scan->lock);
        block->state = BLOCK_FREE;
        scan->due++;
        pthread_cond_broadcast(&scan->changed);
    }
    scan->stopped = true;
    pthread_cond_broadcast(&scan->changed);
    pthread_mutex_unlock(&scan->lock);
    return status < 0 ? -1 : 0;
}

static unsigned count_threads(unsigned wanted, size_t blocks)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = wanted ? wanted : processors > 1 ? (unsigned)processors : 1;
    threads = threads > MOST_THREADS ? MOST_THREADS : threads;
    return threads > blocks ? (unsigned)blocks : threads;
}

static int run(struct scan *scan, unsigned wanted, const struct scan_visitor *visitor,
               struct error *error)
{
    pthread_t threads[MOST_THREADS];
    unsigned count = count_threads(wanted, scan->block_count), started = 0;
    int status = -1;
    scan->ring_size = 2 * (size_t)count + 1;
    scan->ring = calloc(scan->ring_size, sizeof *scan->ring);
    if (!scan->ring)
        return error_set(error, "there is not enough memory");
    while (started < count && pthread_create(&threads[started], NULL, work, scan) == 0)
        started++;
    if (started)
        status = visit_in_order(scan, visitor, error);
    else
        error_set(error, "no thread could be started");
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < scan->ring_size; i++) {
        empty_block(&scan->ring[i]);
        free(scan->ring[i].found);
        strbuf_release(&scan->ring[i].bytes);
    }
    free(scan->ring);
    return status;
}

/* What the file's first line says. */
static int read_form(struct scan *scan, struct error *error)
{
    struct strbuf first = {0};
    if (read_at(scan, 0, MORE_BYTES, &first) < 0) {
        strbuf_release(&first);
        return error_set(error, "%s", strerror(errno));
    }
    const char *newline = memchr(first.data, '\n', first.size);
    log_form_of_line(&scan->form, first.data,
                     newline ? (size_t)(newline - first.data) : first.size);
    strbuf_release(&first);
    return 0;
}

int scan_open(const char *path)
{
    static const unsigned char gzip[] = {0x1f, 0x8b};
    unsigned char magic[sizeof gzip];
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return -1;
    bool is_plain = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
                    (pread(fd, magic, sizeof magic, 0) != (ssize_t)sizeof magic ||
                     memcmp(magic, gzip, sizeof magic) != 0);
    if (is_plain)
        return fd;
    close(fd);
    return -1;
}

int scan_file(int fd, const struct conditions *conditions, unsigned threads,
              const struct scan_visitor *visitor, struct error *error)
{
    struct scan scan = {.fd = fd, .conditions = conditions};
    struct stat file;
    int status = -1;
    if (fstat(fd, &file) < 0) {
        error_set(error, "%s", strerror(errno));
    } else {
        scan.size = (uint64_t)file.st_size;
        scan.block_count = (size_t)((scan.size + BLOCK_BYTES - 1) / BLOCK_BYTES);
        status = read_form(&scan, error);
    }
    if (status == 0) {
        bool is_local = scan.form.format == &format_server_audit;
        scan.slack_ns = (is_local ? SCAN_LOCAL_SLACK_S : SCAN_SLACK_S) * CLOCK_NS_PER_S;
        sieve_prepare(&scan.sieve, conditions, &scan.form);
        pthread_mutex_init(&scan.lock, NULL);
        pthread_cond_init(&scan.changed, NULL);
        status = run(&scan, threads, visitor, error);
        pthread_cond_destroy(&scan.changed);
        pthread_mutex_destroy(&scan.lock);
    }
    close(fd);
    return status;
}

unsigned long scan_line_number(const char *path, uint64_t offset)
{
    char bytes[MORE_BYTES];
    unsigned long number = 1;
    FILE *file = fopen(path, "rb");
    while (file && offset) {
        size_t want = offset < sizeof bytes ? (size_t)offset : sizeof bytes;
        size_t got = fread(bytes, 1, want, file);
        if (!got)
            break;
        for (const char *at = bytes; (at = memchr(at, '\n', (size_t)(bytes + got - at))); at++)
            number++;
        offset -= got;
    }
    if (file)
        fclose(file);
    return number;
}

/* Reads 20260131T235959.123456Z as 2026-01-31T23:59:59Z. */
static bool read_name_stamp(const char *stamp, uint64_t *time_ns)
{
    char text[] = "2026-01-31T23:59:59";
    if (strlen(stamp) < sizeof "20260131T235959.123456Z" - 1 || stamp[8] != 'T' || stamp[15] != '.')
        return false;
    memcpy(text, stamp, 4);
    memcpy(text + 5, stamp + 4, 2);
    memcpy(text + 8, stamp + 6, 2);
    memcpy(text + 11, stamp + 9, 2);
    memcpy(text + 14, stamp + 11, 2);
    memcpy(text + 17, stamp + 13, 2);
    return when_read_stamp(text, sizeof text - 1, time_ns);
}

bool scan_may_have(const char *path, const struct conditions *conditions)
{
    uint64_t end;
    const char *name = strrchr(path, '/');
    for (const char *dot = strchr(name ? name : path, '.'); dot; dot = strchr(dot + 1, '.'))
        if (read_name_stamp(dot + 1, &end))
            return later(end, (SCAN_SLACK_S + 1) * CLOCK_NS_PER_S) >= conditions->since_ns;
    return true;
}
