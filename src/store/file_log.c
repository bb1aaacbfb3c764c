/* SPDX-License-Identifier: Apache-2.0
 *
 * Appends with one write() a record, and cuts what was written of a record that did not fit, so that the file
 * always ends with a whole one. */
#include "store/file_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/file_record.h"

#define FILE_NAME   "data"
#define FRESH_NAME  "data.new"
#define KEEP_BYTES  (1U << 20) /* a file that is smaller is not written anew */
#define WRITE_BYTES (1U << 16) /* that are collected for one write() */
#define ITEM_BYTES  40         /* of a record, besides key and value: about */

static const char magic[] = "weir store 1\n";
#define MAGIC_BYTES (sizeof magic - 1)

/* ---- Clocks ---- */

uint64_t file_log_now_ns(void)
{
    return clock_read_ns(CLOCK_BOOTTIME);
}

static uint64_t wall_of(uint64_t ends_ns)
{
    const uint64_t now = file_log_now_ns();
    return clock_wall_ns() + (ends_ns > now ? ends_ns - now : 0);
}

/* No lease lasts longer than it was granted for, whatever the wall clock says. */
static void set_ends(struct store_data *data)
{
    const uint64_t now = file_log_now_ns(), wall = clock_wall_ns();
    for (size_t i = 0; i < data->lease_count; i++) {
        struct data_lease *lease = &data->leases[i];
        const uint64_t most = (uint64_t)lease->ttl_s * CLOCK_NS_PER_S;
        const uint64_t left = lease->ends_ns > wall ? lease->ends_ns - wall : 0;
        lease->ends_ns = now + (left < most ? left : most);
    }
}

/* ---- Writing ---- */

struct rewriting {
    int file;
    size_t size;
    struct strbuf text;
    bool failed; /* errno says why */
};

static void pass_on(struct rewriting *writing, size_t least)
{
    if (writing->text.failed && !writing->failed) {
        writing->failed = true;
        errno = ENOMEM;
    }
    if (writing->failed || writing->text.size < least)
        return;
    writing->failed = disk_write(writing->file, writing->text.data, writing->text.size) < 0;
    writing->size += writing->text.size;
    strbuf_reset(&writing->text);
}

/* A record for each lease and each key: what they are now. */
static void write_data(struct rewriting *writing, const struct store_data *data)
{
    struct data_step step = {.revision = data->revision, .last_lease = data->last_lease};
    strbuf_add(&writing->text, magic, MAGIC_BYTES);
    file_record_write(&writing->text, &step);
    for (size_t i = 0; i < data->lease_count && !writing->failed; i++) {
        step = (struct data_step){.revision = data->revision, .lease = data->leases[i]};
        step.lease.ends_ns = wall_of(step.lease.ends_ns);
        file_record_write(&writing->text, &step);
        pass_on(writing, WRITE_BYTES);
    }
    for (size_t i = 0; i < data->key_count && !writing->failed; i++) {
        struct data_item alone = *data->keys[i];
        alone.next = NULL;
        step = (struct data_step){.revision = data->revision, .items = &alone};
        file_record_write(&writing->text, &step);
        pass_on(writing, WRITE_BYTES);
    }
    pass_on(writing, 0);
}

static size_t live_bytes(const struct store_data *data)
{
    return data->bytes + (data->key_count + data->lease_count) * ITEM_BYTES;
}

/* The next size from which much of the file is of the past. */
static void plan_rewrite(struct file_log *log, const struct store_data *data)
{
    log->rewrite_at = 2 * live_bytes(data) + KEEP_BYTES;
    if (log->rewrite_at < log->size + KEEP_BYTES)
        log->rewrite_at = log->size + KEEP_BYTES;
}

/* Writes all of it to another name, and renames that. errno says what has failed. */
static int rewrite(struct file_log *log, const struct store_data *data)
{
    struct rewriting writing = {.text = STRBUF_INIT};
    writing.file =
        openat(log->folder, FRESH_NAME, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (writing.file < 0)
        return -1;
    write_data(&writing, data);
    strbuf_release(&writing.text);
    if (writing.failed || fsync(writing.file) < 0 ||
        renameat(log->folder, FRESH_NAME, log->folder, FILE_NAME) < 0) {
        const int code = errno;
        close(writing.file);
        unlinkat(log->folder, FRESH_NAME, 0);
        errno = code;
        return -1;
    }
    if (log->file >= 0)
        close(log->file);
    log->file = writing.file;
    log->size = writing.size;
    log->is_behind = fsync(log->folder) < 0; /* it may be the old one after a power cut */
    log->is_dirty = false;
    plan_rewrite(log, data);
    return log->is_behind ? -1 : 0;
}

static int unwritable(struct error *error)
{
    return error_set(error, "the store's file cannot be written: %s", strerror(errno));
}

int file_log_append(struct file_log *log, const struct store_data *data,
                    const struct data_step *step, struct error *error)
{
    struct strbuf text = STRBUF_INIT;
    struct data_step written = *step;
    if (log->is_behind && rewrite(log, data) < 0)
        return unwritable(error);
    if (written.lease.id)
        written.lease.ends_ns = wall_of(written.lease.ends_ns);
    file_record_write(&text, &written);
    if (text.failed) {
        strbuf_release(&text);
        return error_set(error, "out of memory");
    }
    const int status = disk_write(log->file, text.data, text.size);
    if (status < 0) {
        unwritable(error);
        log->is_behind = ftruncate(log->file, (off_t)log->size) < 0 ||
                         lseek(log->file, (off_t)log->size, SEEK_SET) < 0;
    } else {
        log->size += text.size;
        log->is_dirty = true;
    }
    strbuf_release(&text);
    return status;
}

int file_log_sync(struct file_log *log, struct error *error)
{
    if (!log->is_dirty)
        return 0;
    log->is_dirty = false;
    if (fdatasync(log->file) == 0)
        return 0;
    log->is_behind = true; /* what the disk has of it is anybody's guess */
    return error_set(error, "the store's file cannot be synced: %s", strerror(errno));
}

void file_log_tidy(struct file_log *log, const struct store_data *data)
{
    if (log->size < log->rewrite_at)
        return;
    if (rewrite(log, data) < 0) {
        log_warn("store", "the store's file cannot be written anew: %s", strerror(errno));
        plan_rewrite(log, data);
    }
}

/* ---- Opening ---- */

static int apply_all(struct file_log *log, const char *folder, const char *bytes, size_t size,
                     struct store_data *data, struct error *error)
{
    enum file_record_result failure;
    if (size < MAGIC_BYTES || memcmp(bytes, magic, MAGIC_BYTES) != 0)
        return error_set(
            error, "%s/" FILE_NAME " is no store of this version of weir; move it away", folder);
    log->size =
        MAGIC_BYTES + file_records_apply(bytes + MAGIC_BYTES, size - MAGIC_BYTES, data, &failure);
    if (failure == FILE_RECORD_NO_MEMORY)
        return error_set(error, "%s/" FILE_NAME ": out of memory", folder);
    if (failure == FILE_RECORD_WRONG)
        return error_set(error,
                         "%s/" FILE_NAME " is damaged at byte %zu; restore it, or move it away",
                         folder, log->size);
    if (log->size < size)
        log_warn("store",
                 "%s/" FILE_NAME ": its last record is not whole, as a crash leaves it; the last "
                 "%zu bytes are cut off",
                 folder, size - log->size);
    return 0;
}

static int read_file(struct file_log *log, const char *folder, struct store_data *data,
                     struct error *error)
{
    struct stat stat;
    int status = fstat(log->file, &stat);
    const size_t size = status == 0 ? (size_t)stat.st_size : 0;
    void *bytes = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, log->file, 0) : NULL;
    if (status < 0 || bytes == MAP_FAILED)
        return error_set(error, "%s/" FILE_NAME ": %s", folder, strerror(errno));
    status = apply_all(log, folder, bytes ? bytes : "", size, data, error);
    if (bytes)
        munmap(bytes, size);
    if (status == 0 && log->size < size)
        log->is_behind = ftruncate(log->file, (off_t)log->size) < 0;
    if (status == 0 && lseek(log->file, (off_t)log->size, SEEK_SET) < 0)
        log->is_behind = true;
    return status;
}

static int open_file(struct file_log *log, const char *folder, struct store_data *data,
                     struct error *error)
{
    log->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (log->folder < 0)
        return error_set(error, "%s: %s", folder, strerror(errno));
    if (flock(log->folder, LOCK_EX | LOCK_NB) < 0)
        return error_set(error, "%s: another process uses it", folder);
    log->file = openat(log->folder, FILE_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (log->file >= 0)
        return read_file(log, folder, data, error);
    if (errno == ENOENT && rewrite(log, data) == 0)
        return 0;
    return error_set(error, "%s/" FILE_NAME ": %s", folder, strerror(errno));
}

int file_log_open(struct file_log *log, const char *folder, struct store_data *data,
                  struct error *error)
{
    assert(log->folder < 0 && data->key_count == 0);
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return error_set(error, "%s cannot be made: %s", folder, strerror(errno));
    if (open_file(log, folder, data, error) < 0) {
        file_log_close(log);
        data_release(data);
        return -1;
    }
    set_ends(data);
    plan_rewrite(log, data);
    return 0;
}

void file_log_close(struct file_log *log)
{
    if (log->file >= 0)
        close(log->file);
    if (log->folder >= 0)
        close(log->folder);
    *log = (struct file_log)FILE_LOG_INIT;
}
