/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread that sleeps until some time, or until it is woken: who wakes it waits for nothing but a few instructions. */
#ifndef IP_FILTER_ALARM_H
#define IP_FILTER_ALARM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <weir/clock.h>

#define ALARM_NEVER INT64_MAX

struct alarm {
    pthread_mutex_t lock;
    pthread_cond_t rings;
    bool is_set; /* it is to wake up, or not to sleep */
};

static inline void alarm_init(struct alarm *alarm)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&alarm->lock, NULL);
    pthread_cond_init(&alarm->rings, &attributes);
    pthread_condattr_destroy(&attributes);
    alarm->is_set = false;
}

static inline void alarm_release(struct alarm *alarm)
{
    pthread_cond_destroy(&alarm->rings);
    pthread_mutex_destroy(&alarm->lock);
}

/* Wakes the sleeper; if nobody sleeps, the next sleep ends at once. */
static inline void alarm_ring(struct alarm *alarm)
{
    pthread_mutex_lock(&alarm->lock);
    alarm->is_set = true;
    pthread_cond_signal(&alarm->rings);
    pthread_mutex_unlock(&alarm->lock);
}

/* Sleeps until then, by the monotonic clock, at most. */
static inline void alarm_sleep(struct alarm *alarm, int64_t until_ns)
{
    const int64_t second = (int64_t)CLOCK_NS_PER_S;
    const struct timespec until = {until_ns / second, until_ns % second};
    int status = 0;
    pthread_mutex_lock(&alarm->lock);
    while (!alarm->is_set && status == 0)
        status = until_ns == ALARM_NEVER
                     ? pthread_cond_wait(&alarm->rings, &alarm->lock)
                     : pthread_cond_timedwait(&alarm->rings, &alarm->lock, &until);
    alarm->is_set = false;
    pthread_mutex_unlock(&alarm->lock);
}

#endif
