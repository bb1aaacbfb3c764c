/* SPDX-License-Identifier: Apache-2.0
 *
 * From puts to orders. Of each name it is known up to which revision the store has told of it, and up to which it
 * is settled: ordered, or known to be done here.
 *
 *     settled <= told       the difference is an order that is due
 *     foreign               some put in between was not this node's
 *     busy                  this node is at it: what is foreign is known once its own put is answered
 *
 * A put holds only if the key has the revision that is known here. So one that etcd carries out late, when nobody waits for
 * it any more, cannot undo what has been done since. Where another node was quicker, it is tried again. One whose answer
 * is missing is doubtful: whether it was done is read from a key of the same transaction, ASKED_ROOM NAME, which says
 * whose put it was; until then nothing is settled.
 *
 * Whether a put of "1" was granted is read from a second key, which nodes write in the same transaction: it has the same
 * revision then. */
#include "cluster/plugin_keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* uthash: out of memory is reported, not fatal. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define RETRY_MS    1000
#define UNCERTAIN   16 /* revisions of one name that may be ours; more are foreign */
#define OWN         8
#define KEY_BYTES   512
#define TOKEN_BYTES 48
#define GRANTS_ROOM "disabled/"
#define ASKED_ROOM  "asked/"

struct key {
    struct plugin_keys *keys;
    char name[PLUGIN_KEYS_NAME_BYTES + 1];
    int64_t told, settled; /* revisions; 0: there is no key */
    bool exists, disabled; /* as told */
    bool was_granted;      /* ... as of the last order */
    bool foreign;
    bool is_checking; /* whether it was granted is being read */
    int64_t checked;  /* ... of which revision */
    unsigned busy;
    int64_t uncertain[UNCERTAIN]; /* revisions that were told while busy */
    size_t uncertain_count;
    int64_t own[OWN]; /* revisions of this node's last puts that were answered: a ring */
    size_t own_count;
    int64_t last_own;               /* the last of them */
    bool due_disabled, due_granted; /* of the last statement, */
    bool is_due;                    /* which is not put yet, */
    bool is_putting;                /* or is being put, */
    int64_t due_after;              /* where the key has this revision; */
    bool has_failed;                /* if it has changed since, others have been asked */
    bool is_doubtful, was_unknown;  /* whether it was done is not known; was not, once */
    bool is_looking;                /* at that */
    bool is_behind;                 /* somebody was quicker, and news of that have not come */
    char token[TOKEN_BYTES];        /* of that put alone */
    char sent_token[TOKEN_BYTES];   /* of the one that is being put */
    UT_hash_handle hh;
};

struct plugin_keys {
    struct store *store;
    char *prefix; /* owned */
    struct plugin_keys_options options;
    pthread_mutex_t lock; /* of all that follows */
    struct key *names;
    unsigned long long author, puts; /* tokens are made of them */
    bool has_begun;                  /* there was news */
    bool was_lost;                   /* before that */
    bool is_reached, is_stopped, has_timer;
    char why[256];
};

/* ---- Names ---- */

static bool is_name(const char *name, size_t size)
{
    return size > 0 && size <= PLUGIN_KEYS_NAME_BYTES && !memchr(name, '/', size) &&
           !memchr(name, 0, size);
}

static struct key *find_or_add(struct plugin_keys *keys, const char *name, size_t size)
{
    struct key *key = NULL;
    if (!is_name(name, size))
        return NULL;
    HASH_FIND(hh, keys->names, name, size, key);
    if (key || HASH_COUNT(keys->names) >= PLUGIN_KEYS_NAMES)
        return key;
    key = calloc(1, sizeof *key);
    if (!key)
        return NULL;
    key->keys = keys;
    memcpy(key->name, name, size);
    const unsigned before = HASH_COUNT(keys->names);
    HASH_ADD_KEYPTR(hh, keys->names, key->name, size, key);
    if (HASH_COUNT(keys->names) > before)
        return key;
    free(key);
    return NULL;
}

/* ---- Orders ---- */

static bool is_own(const struct key *key, int64_t revision)
{
    for (size_t i = 0; i < OWN; i++)
        if (key->own[i] == revision)
            return true;
    return false;
}

static void check_grant(struct key *key);
static void set_timer(struct plugin_keys *keys);

static void give_order(struct key *key, bool is_granted)
{
    const struct plugin_order order = {.name = key->name,
                                       .disabled = key->disabled,
                                       .is_granted = is_granted,
                                       .flushes = key->foreign};
    key->settled = key->told;
    key->foreign = false;
    key->was_granted = key->disabled && is_granted;
    if (!key->keys->is_stopped)
        key->keys->options.order(key->keys->options.user, &order);
}

/* Gives the order that is due, if it can be known. The flag is given after this node's own puts, too: two nodes that
 * want different things end up with what was put last. */
static void settle(struct key *key)
{
    if (key->busy || key->is_checking || key->is_doubtful)
        return;
    for (size_t i = 0; i < key->uncertain_count; i++)
        key->foreign = key->foreign || !is_own(key, key->uncertain[i]);
    key->uncertain_count = 0;
    if (key->told <= key->settled)
        return;
    if (key->disabled && !is_own(key, key->told))
        check_grant(key);
    else
        give_order(key, true);
}

static void on_grant(void *user, const struct store_answer *answer)
{
    struct key *key = user;
    pthread_mutex_lock(&key->keys->lock);
    key->is_checking = false;
    if (answer->status != STORE_DONE)
        set_timer(key->keys); /* looks again */
    else if (key->busy || key->told != key->checked)
        settle(key);
    else
        give_order(key, answer->count == 1 && answer->entries[0].revision == key->told);
    pthread_mutex_unlock(&key->keys->lock);
}

static struct store_bytes own_key(const struct key *key, const char *kind, char room[KEY_BYTES])
{
    snprintf(room, KEY_BYTES, "%s%s%s", key->keys->prefix, kind, key->name);
    return STORE_TEXT(room);
}

static void check_grant(struct key *key)
{
    char room[KEY_BYTES];
    const struct store_request request = {.action = STORE_READ,
                                          .key = own_key(key, GRANTS_ROOM, room),
                                          .done = on_grant,
                                          .user = key};
    key->checked = key->told;
    key->is_checking = store_call(key->keys->store, &request);
    if (!key->is_checking)
        set_timer(key->keys);
}

/* ---- News ---- */

/* A revision that may be ours is judged once our own put is answered. */
static void note_put(struct key *key, int64_t revision, bool exists, bool disabled)
{
    if (revision <= key->told)
        return;
    key->told = revision;
    key->is_behind = false;
    key->exists = exists;
    key->disabled = disabled;
    if (is_own(key, revision))
        return;
    if ((key->busy || key->is_doubtful) && key->uncertain_count < UNCERTAIN)
        key->uncertain[key->uncertain_count++] = revision;
    else
        key->foreign = true;
}

/* TiDB's rule: "1" is disabled, whatever else there is is not, and nor is what is missing. */
static void take_entry(struct plugin_keys *keys, const struct store_entry *entry)
{
    const size_t prefix = sizeof PLUGIN_KEYS_PREFIX - 1;
    if (entry->key.size <= prefix)
        return;
    struct key *key = find_or_add(keys, entry->key.data + prefix, entry->key.size - prefix);
    const bool disabled =
        !entry->is_deleted && entry->value.size == 1 && entry->value.data[0] == '1';
    if (key)
        note_put(key, entry->revision, !entry->is_deleted, disabled);
}

static bool is_among(const struct key *key, const struct store_news *news)
{
    const size_t prefix = sizeof PLUGIN_KEYS_PREFIX - 1, size = strlen(key->name);
    for (size_t i = 0; i < news->count; i++)
        if (news->entries[i].key.size == prefix + size &&
            memcmp(news->entries[i].key.data + prefix, key->name, size) == 0)
            return true;
    return false;
}

/* What was there before this node began has been read at its start. */
static void take_everything(struct plugin_keys *keys, const struct store_news *news)
{
    for (struct key *key = keys->names; key; key = key->hh.next)
        if (key->told && !is_among(key, news))
            note_put(key, news->revision, false, false);
    for (size_t i = 0; i < news->count; i++)
        take_entry(keys, &news->entries[i]);
    if (keys->has_begun || keys->was_lost)
        return;
    for (struct key *key = keys->names; key; key = key->hh.next)
        key->foreign = false;
}

static void put_what_is_due(struct plugin_keys *keys);

static void on_news(void *user, const struct store_news *news)
{
    struct plugin_keys *keys = user;
    pthread_mutex_lock(&keys->lock);
    keys->is_reached = news->kind != STORE_LOST;
    snprintf(keys->why, sizeof keys->why, "%s", news->message);
    if (news->kind == STORE_LOST) {
        keys->was_lost = true;
        pthread_mutex_unlock(&keys->lock);
        return;
    }
    if (news->kind == STORE_EVERYTHING)
        take_everything(keys, news);
    for (size_t i = 0; news->kind == STORE_CHANGES && i < news->count; i++)
        take_entry(keys, &news->entries[i]);
    keys->has_begun = true;
    for (struct key *key = keys->names; key; key = key->hh.next)
        settle(key);
    put_what_is_due(keys);
    pthread_mutex_unlock(&keys->lock);
}

/* ---- Puts ---- */

static void put_what_is_due_of(struct key *key);

/* What was last put, or is being put, has been done. */
static void note_done(struct key *key, int64_t revision)
{
    key->own[key->own_count++ % OWN] = revision;
    key->last_own = revision;
    key->is_doubtful = key->was_unknown = false;
    if (strcmp(key->sent_token, key->token) == 0)
        key->is_due = false;
}

static void give_up(struct key *key)
{
    log_info("cluster",
             "%s was changed elsewhere meanwhile; what was done here is not asked of others",
             log_foreign(key->name, strlen(key->name)));
    key->is_due = key->is_doubtful = key->was_unknown = false;
}

static void note_failure(struct key *key, const struct store_answer *answer)
{
    if (!key->has_failed)
        log_warn("cluster", "other nodes were not asked about %s: %s; they will be",
                 log_foreign(key->name, strlen(key->name)), answer->message);
    /* Before there was news, which revision it has is not known: then nobody can have been quicker. */
    key->has_failed = key->keys->has_begun || answer->status == STORE_UNKNOWN;
    key->is_doubtful = key->was_unknown = key->was_unknown || answer->status == STORE_UNKNOWN;
    set_timer(key->keys);
}

/* The key's, as far as is known. */
static int64_t revision_of(const struct key *key)
{
    const int64_t told = key->exists ? key->told : 0;
    return key->last_own > key->told ? key->last_own : told;
}

static void on_put(void *user, const struct store_answer *answer)
{
    struct key *key = user;
    pthread_mutex_lock(&key->keys->lock);
    key->busy--;
    key->is_putting = false;
    if (answer->status == STORE_DONE)
        note_done(key, answer->revision);
    else if (answer->status != STORE_DIFFERS)
        note_failure(key, answer);
    else if (key->was_unknown)
        key->is_doubtful = true; /* it may have been done after all */
    else if (key->has_failed)
        give_up(key);
    if (answer->status == STORE_DIFFERS)
        key->is_behind = revision_of(key) == key->due_after;
    if (answer->status == STORE_DONE || answer->status == STORE_DIFFERS)
        put_what_is_due_of(key);
    settle(key);
    pthread_mutex_unlock(&key->keys->lock);
}

static void put(struct key *key)
{
    char room[KEY_BYTES], grant[KEY_BYTES], asked[KEY_BYTES];
    struct store_request request = {
        .action = STORE_WRITE, .write_count = 2, .done = on_put, .user = key};
    snprintf(room, sizeof room, PLUGIN_KEYS_PREFIX "%s", key->name);
    memcpy(key->sent_token, key->token, sizeof key->token);
    request.writes[0] = (struct store_write){.key = STORE_TEXT(room),
                                             .value = STORE_TEXT(key->due_disabled ? "1" : "0")};
    request.writes[1] = (struct store_write){.key = own_key(key, ASKED_ROOM, asked),
                                             .value = STORE_TEXT(key->sent_token)};
    if (key->due_granted)
        request.writes[request.write_count++] =
            (struct store_write){.key = own_key(key, GRANTS_ROOM, grant), .value = STORE_TEXT("1")};
    request.compares[request.compare_count++] =
        (struct store_compare){.key = request.writes[0].key, .revision = key->due_after};
    key->is_putting = store_call(key->keys->store, &request);
    if (key->is_putting)
        key->busy++;
    else
        set_timer(key->keys);
}

/* Whose put the last one was. */
static void on_asked(void *user, const struct store_answer *answer)
{
    struct key *key = user;
    pthread_mutex_lock(&key->keys->lock);
    const struct store_entry *asked = answer->count ? answer->entries : NULL;
    const bool is_ours = asked && asked->value.size == strlen(key->sent_token) &&
                         memcmp(asked->value.data, key->sent_token, asked->value.size) == 0;
    key->is_looking = false;
    if (answer->status != STORE_DONE) {
        set_timer(key->keys);
    } else if (is_ours) {
        note_done(key, asked->revision);
        put_what_is_due_of(key);
    } else if (revision_of(key) != key->due_after) {
        give_up(key);
    } else {
        key->is_doubtful = false;
        put_what_is_due_of(key);
    }
    settle(key);
    pthread_mutex_unlock(&key->keys->lock);
}

static void look_who_asked(struct key *key)
{
    char room[KEY_BYTES];
    const struct store_request request = {
        .action = STORE_READ, .key = own_key(key, ASKED_ROOM, room), .done = on_asked, .user = key};
    if (key->is_looking)
        return;
    key->is_looking = store_call(key->keys->store, &request);
    if (!key->is_looking)
        set_timer(key->keys);
}

static void put_what_is_due_of(struct key *key)
{
    if (key->is_putting || (!key->is_due && !key->is_doubtful))
        return;
    if (key->is_doubtful) {
        look_who_asked(key);
        return;
    }
    if (key->is_behind) {
        set_timer(key->keys);
        return;
    }
    if (!key->has_failed)
        key->due_after = revision_of(key);
    put(key);
}

static void put_what_is_due(struct plugin_keys *keys)
{
    for (struct key *key = keys->names; key; key = key->hh.next)
        put_what_is_due_of(key);
}

static void on_timer(void *user)
{
    struct plugin_keys *keys = user;
    pthread_mutex_lock(&keys->lock);
    keys->has_timer = false;
    if (keys->is_reached && !keys->is_stopped) {
        for (struct key *key = keys->names; key; key = key->hh.next)
            key->is_behind = false;
        put_what_is_due(keys);
        for (struct key *key = keys->names; key; key = key->hh.next)
            settle(key);
    }
    pthread_mutex_unlock(&keys->lock);
}

/* Where the store is not reached, news say when it is. */
static void set_timer(struct plugin_keys *keys)
{
    if (!keys->has_timer)
        keys->has_timer = store_after(keys->store, RETRY_MS, on_timer, keys);
}

/* ---- From any thread ---- */

bool plugin_keys_begin(struct plugin_keys *keys, const char *name)
{
    pthread_mutex_lock(&keys->lock);
    struct key *key = find_or_add(keys, name, strlen(name));
    if (key)
        key->busy++;
    pthread_mutex_unlock(&keys->lock);
    return key != NULL;
}

static void on_look(void *user)
{
    struct key *key = user;
    pthread_mutex_lock(&key->keys->lock);
    key->busy--;
    settle(key);
    pthread_mutex_unlock(&key->keys->lock);
}

/* The name stays busy until the store's thread has looked: only there orders are given. */
void plugin_keys_end(struct plugin_keys *keys, const char *name, const struct plugin_change *change)
{
    pthread_mutex_lock(&keys->lock);
    struct key *key = find_or_add(keys, name, strlen(name));
    assert(key && key->busy);
    if (change->is_done) {
        key->due_disabled = change->keeps_flag ? key->disabled : change->disabled;
        key->due_granted = key->due_disabled && (change->is_granted || key->was_granted);
        key->is_due = true;
        key->has_failed = false;
        snprintf(key->token, sizeof key->token, "%016llx-%llu", keys->author, ++keys->puts);
        put_what_is_due_of(key);
    }
    if (!store_after(keys->store, 0, on_look, key))
        key->busy--;
    pthread_mutex_unlock(&keys->lock);
}

bool plugin_keys_are_reached(struct plugin_keys *keys, char *why, size_t room)
{
    pthread_mutex_lock(&keys->lock);
    const bool are_reached = keys->is_reached;
    snprintf(why, room, "%s", keys->why[0] ? keys->why : "it has not answered yet");
    pthread_mutex_unlock(&keys->lock);
    return are_reached;
}

/* ---- Start and end ---- */

struct plugin_keys *plugin_keys_new(struct store *store, const struct plugin_keys_options *options)
{
    assert(store && options->order && strlen(options->prefix) < KEY_BYTES / 2);
    struct plugin_keys *keys = calloc(1, sizeof *keys);
    char *prefix = strdup(options->prefix);
    if (!keys || !prefix) {
        free(keys);
        free(prefix);
        return NULL;
    }
    keys->store = store;
    keys->options = *options;
    keys->prefix = prefix;
    if (getrandom(&keys->author, sizeof keys->author, 0) != sizeof keys->author)
        keys->author = clock_wall_ns();
    pthread_mutex_init(&keys->lock, NULL);
    if (store_follow(store, STORE_TEXT(PLUGIN_KEYS_PREFIX), on_news, keys))
        return keys;
    plugin_keys_free(keys);
    return NULL;
}

void plugin_keys_stop(struct plugin_keys *keys)
{
    pthread_mutex_lock(&keys->lock);
    keys->is_stopped = true;
    pthread_mutex_unlock(&keys->lock);
}

void plugin_keys_free(struct plugin_keys *keys)
{
    struct key *key, *next;
    if (!keys)
        return;
    HASH_ITER(hh, keys->names, key, next)
    {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the next one was read before */
        HASH_DEL(keys->names, key);
        free(key);
    }
    pthread_mutex_destroy(&keys->lock);
    free(keys->prefix);
    free(keys);
}
