/* SPDX-License-Identifier: Apache-2.0 */
#include "saver.h"

#include <pthread.h>
#include <time.h>

#define PAUSE_SECONDS 1 /* between two saves */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_wanted, is_ending;
static void (*save_now)(void);
static pthread_t thread;

/* Waits for the end, or for the pause to be over. */
static void rest(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PAUSE_SECONDS;
    while (!is_ending && pthread_cond_timedwait(&changed, &lock, &until) == 0)
        ;
}

static void *run(void *nothing)
{
    (void)nothing;
    pthread_mutex_lock(&lock);
    while (!is_ending || is_wanted) {
        if (is_wanted) {
            is_wanted = false;
            pthread_mutex_unlock(&lock);
            save_now();
            pthread_mutex_lock(&lock);
            rest();
        } else {
            pthread_cond_wait(&changed, &lock);
        }
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

bool saver_start(void (*save)(void))
{
    save_now = save;
    is_wanted = is_ending = false;
    return pthread_create(&thread, NULL, run, NULL) == 0;
}

void saver_wake(void)
{
    pthread_mutex_lock(&lock);
    is_wanted = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

void saver_stop(void)
{
    pthread_mutex_lock(&lock);
    is_ending = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
}
