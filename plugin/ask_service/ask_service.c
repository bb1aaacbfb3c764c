/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin that cannot answer at once: before a statement runs, it asks a service.
 *
 * OnGeneralEvent copies what the service needs into a question, takes a hold of the verdict and
 * returns; the client waits, and the thread that serves it goes on with other sessions. A few
 * threads of the plugin's own take the questions, ask, and decide:
 *
 *     OnGeneralEvent ──► queue ──► thread ──► the service: "USER HOST DIGEST\n"
 *                                    └── weir_decide() ◄── "allow\n" or "deny REASON\n"
 *
 * Each hold is decided exactly once, whatever happens: by an answer, or by WEIR_FAIL when there is
 * none in time. */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <weir/plugin.h>

#include "service.h"

#define MAX_THREADS 64

/* A statement that waits. It has its own copy of what it is about, because the session's facts end
 * with the callback. */
struct question {
    struct question *next;
    weir_hold *hold;
    int64_t deadline_ms;
    size_t size;
    char line[]; /* ends with a newline */
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct question *first, **end; /* oldest first */
    bool is_ending;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static pthread_t threads[MAX_THREADS];
static size_t thread_count;

/* ---- Asking: on the plugin's own threads ---- */

/* Waits for the oldest question. Returns it, owned, or NULL when the server ends. */
static struct question *next_question(void)
{
    pthread_mutex_lock(&queue.lock);
    while (!queue.first && !queue.is_ending)
        pthread_cond_wait(&queue.changed, &queue.lock);
    struct question *question = queue.first;
    if (question) {
        queue.first = question->next;
        if (!queue.first)
            queue.end = &queue.first;
    }
    pthread_mutex_unlock(&queue.lock);
    return question;
}

static void decide(weir_hold *hold, const char *failed, const char *answer)
{
    if (failed)
        weir_decide(hold, WEIR_FAIL, 0, NULL, "%s", failed);
    else if (strcmp(answer, "allow") == 0)
        weir_decide(hold, WEIR_OK, 0, NULL, NULL);
    else if (strncmp(answer, "deny ", 5) == 0)
        weir_decide(hold, WEIR_REFUSE, 0, NULL, "Statement denied: %s", answer + 5);
    else
        weir_decide(hold, WEIR_FAIL, 0, NULL, "the service has answered \"%.100s\"", answer);
}

static void *ask(void *unused)
{
    struct service service = {weir_text_of(ASK_SERVICE_ADDRESS).data, -1};
    struct question *question;
    (void)unused;
    while ((question = next_question()) != NULL) {
        char answer[ANSWER_BYTES];
        const char *failed =
            service_ask(&service, question->line, question->size, question->deadline_ms, answer);
        decide(question->hold, failed, answer);
        free(question);
    }
    service_close(&service);
    return NULL;
}

/* ---- The event: on the thread that serves the session ---- */

/* Appends a word: what would end it or the line becomes '?', and an absent one is "-". */
static char *put_word(char *to, weir_string word, char separator)
{
    if (word.size == 0)
        *to++ = '-';
    for (size_t i = 0; i < word.size; i++) {
        unsigned char byte = (unsigned char)word.data[i];
        *to++ = byte <= ' ' || byte == 127 ? '?' : (char)byte;
    }
    *to++ = separator;
    return to;
}

/* Returns owned; NULL: no memory. */
static struct question *new_question(const weir_session *session)
{
    weir_string user = weir_user(session), host = weir_host(session), digest = weir_digest(session);
    struct question *question =
        malloc(sizeof *question + user.size + host.size + digest.size + 3 * 2);
    if (!question)
        return NULL;
    char *end = put_word(question->line, user, ' ');
    end = put_word(end, host, ' ');
    end = put_word(end, digest, '\n');
    question->size = (size_t)(end - question->line);
    question->deadline_ms = now_ms() + weir_number_of(ASK_SERVICE_TIMEOUT) / 1000000;
    question->next = NULL;
    return question;
}

static void enqueue(struct question *question)
{
    pthread_mutex_lock(&queue.lock);
    *queue.end = question;
    queue.end = &question->next;
    pthread_cond_signal(&queue.changed);
    pthread_mutex_unlock(&queue.lock);
}

weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char *command)
{
    (void)command;
    if (event != WEIR_STARTING || weir_sql(session).size == 0)
        return WEIR_OK;
    struct question *question = new_question(session);
    if (!question)
        return weir_fail("no memory for a question");
    question->hold = weir_hold_verdict(session);
    if (!question->hold) {
        free(question);
        return weir_fail("the verdict cannot be held; weir is too old, or has no memory");
    }
    enqueue(question); /* it is a thread's from here on */
    return WEIR_OK;
}

/* ---- Life ---- */

/* The threads end when the queue is empty: then every hold has been decided. */
static void end_threads(void)
{
    pthread_mutex_lock(&queue.lock);
    queue.is_ending = true;
    pthread_cond_broadcast(&queue.changed);
    pthread_mutex_unlock(&queue.lock);
    while (thread_count > 0)
        pthread_join(threads[--thread_count], NULL);
}

weir_verdict OnInit(const weir_manifest *manifest)
{
    (void)manifest;
    const char *address = weir_text_of(ASK_SERVICE_ADDRESS).data;
    if (!service_address_ok(address))
        return weir_fail("set address in [plugin.ask_service] of the configuration file to "
                         "unix:///path or tcp://host:port; it is \"%s\"",
                         address);
    queue.end = &queue.first;
    while (thread_count < (size_t)weir_number_of(ASK_SERVICE_CONNECTIONS)) {
        if (pthread_create(&threads[thread_count], NULL, ask, NULL)) {
            end_threads();
            return weir_fail("cannot start a thread");
        }
        thread_count++;
    }
    return WEIR_OK;
}

weir_verdict OnShutdown(const weir_manifest *manifest)
{
    (void)manifest;
    end_threads();
    return WEIR_OK;
}
