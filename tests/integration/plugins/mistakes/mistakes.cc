/* SPDX-License-Identifier: Apache-2.0
 *
 * The mistakes that authors of plugins make, each when the text of a statement has its name in it. In C++,
 * because one of them is an exception. */
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <weir/plugin.h>

static bool has(const std::string &text, const char *word)
{
    return text.find(word) != std::string::npos;
}

static weir_verdict start(weir_session *session, const std::string &sql)
{
    weir_verdict forgotten = WEIR_OK;
    if (has(sql, "forget_refuse"))
        forgotten = weir_refuse(session, 0, nullptr, "this is forbidden");
    if (has(sql, "forget_fail"))
        forgotten = weir_fail("the service does not answer");
    if (has(sql, "wrong_number"))
        return weir_refuse(session, 70000, "HY000", "with a number of its own");
    if (has(sql, "wrong_state"))
        return weir_refuse(session, 1317, "too long", "with a state of its own");
    if (has(sql, "throw_error"))
        throw std::runtime_error("no such key");
    if (has(sql, "throw_number"))
        throw 42;
    if (has(sql, "crash_here"))
        raise(SIGSEGV);
    if (has(sql, "abort_here"))
        abort();
    if (has(sql, "recurse_here")) {
        volatile char much[4096]; /* of the stack: its end is soon there */
        much[0] = 1;
        return start(session, sql) == WEIR_OK && much[0] ? WEIR_FAIL : WEIR_OK;
    }
    (void)forgotten;
    return WEIR_OK;
}

extern "C" weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event,
                                       const char *command)
{
    weir_string text = weir_sql(session);
    std::string sql(text.data ? text.data : "", text.size);
    (void)command;
    if (event == WEIR_STARTING)
        return start(session, sql);
    if (event == WEIR_COMPLETED && has(sql, "too_late"))
        return weir_refuse(session, 0, nullptr, "this is forbidden");
    return WEIR_OK;
}

extern "C" weir_verdict OnFunction(weir_session *, weir_call *)
{
    throw std::out_of_range("a function's argument");
}

extern "C" weir_verdict OnFlush(const weir_manifest *)
{
    raise(SIGFPE);
    return WEIR_OK;
}
