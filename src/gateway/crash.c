/* SPDX-License-Identifier: Apache-2.0
 *
 * The handler of signals that end the process because of what it did. It runs in the thread that
 * crashed, on whatever is left: it allocates nothing, reads the marks that the watchdog reads, and
 * writes. A handler that is there already, as a sanitizer's, stays. */
#include "gateway/crash.h"

#include <execinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/gateway.h"

#define STACK_BYTES (64U << 10) /* of the handler */
#define FRAMES      64          /* of the backtrace, at most */
#define PATIENCE_S  5U          /* a report that is stuck ends, and the process with it */

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

static _Thread_local const struct activity *activity_here;
static _Thread_local void *stack_here;
static atomic_flag is_reporting = ATOMIC_FLAG_INIT;

static void report(int number, const siginfo_t *info)
{
    const struct plugin_activity *call = plugin_activity_here();
    const char *plugin = atomic_load_explicit(&call->plugin, memory_order_relaxed);
    const char *event = atomic_load_explicit(&call->event, memory_order_relaxed);
    const char *what = NULL;
    unsigned connection = 0;
    if (activity_here) {
        what = atomic_load_explicit(&activity_here->what, memory_order_relaxed);
        connection = atomic_load_explicit(&activity_here->connection, memory_order_relaxed);
    }
    log_error("gateway",
              "crashed: %s%s%s%s%s%s%s; the calls that led there follow signal=SIG%s address=%p "
              "connection=%u",
              sigdescr_np(number), plugin ? " in plugin " : " in no plugin's callback",
              plugin ? plugin : "", plugin ? ", " : "", plugin ? event : "",
              what ? ", while it " : "", what ? what : "", sigabbrev_np(number), info->si_addr,
              connection);
    void *frames[FRAMES];
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES), log_descriptor());
}

/* The signal's own action is restored before: returning runs what crashed again. */
static void on_crash(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (atomic_flag_test_and_set(&is_reporting)) {
        pause(); /* another thread was first, and ends the process */
        return;
    }
    signal(SIGALRM, SIG_DFL);
    alarm(PATIENCE_S);
    report(number, info);
    if (info->si_code <= 0) /* sent, and not caused */
        raise(number);
}

void gateway_report_crashes(void)
{
    void *frame;
    struct sigaction action = {.sa_sigaction = on_crash,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND};
    if (backtrace(&frame, 1) != 1) /* the first call loads a library, which must not happen later */
        log_debug("gateway", "no backtrace: a crash's report will have none");
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction current;
        if (sigaction(signals[i], NULL, &current) == 0 && current.sa_handler == SIG_DFL)
            sigaction(signals[i], &action, NULL);
    }
}

void crash_know_thread(const struct activity *activity)
{
    stack_t current = {.ss_flags = 0};
    activity_here = activity;
    if (sigaltstack(NULL, &current) || !(current.ss_flags & SS_DISABLE))
        return; /* a sanitizer's */
    stack_here = malloc(STACK_BYTES);
    stack_t stack = {.ss_sp = stack_here, .ss_size = STACK_BYTES};
    if (stack_here && sigaltstack(&stack, NULL)) {
        free(stack_here);
        stack_here = NULL;
    }
}

void crash_forget_thread(void)
{
    stack_t none = {.ss_flags = SS_DISABLE};
    if (stack_here)
        sigaltstack(&none, NULL);
    free(stack_here);
    stack_here = NULL;
    activity_here = NULL;
}
