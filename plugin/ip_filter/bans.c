/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of ip_filter that clients call by SELECT: which addresses are banned, and lifting a
 * ban. */
#include <weir/clock.h>
#include <weir/strbuf.h>

#include "ban_names.h"
#include "shared_bans.h"
#include "visit.h"

static void add_ban(void *data, const struct tally_key *key, int64_t left)
{
    char name[BAN_NAME_BYTES];
    struct strbuf *out = data;
    ban_name_write(key, name);
    strbuf_printf(out, "%s%s %lld s", out->size ? "\n" : "", name,
                  (long long)((left + CLOCK_NS_PER_S - 1) / CLOCK_NS_PER_S));
}

/* ip_filter_bans(): a line for each, with the seconds that are left. */
static weir_verdict list_bans(weir_call *call)
{
    struct strbuf out = STRBUF_INIT;
    tally_each_ban((int64_t)clock_monotonic_ns(), add_ban, &out);
    bool failed = out.failed;
    if (!failed)
        weir_return_text(call, out.data, out.size);
    strbuf_release(&out);
    return failed ? weir_fail("out of memory") : WEIR_OK;
}

/* ip_filter_unban(address) */
static weir_verdict lift_ban(weir_call *call)
{
    char name[BAN_NAME_BYTES];
    struct tally_key key;
    weir_string argument = call->arguments[0];
    if (!ban_name_read(argument, &key))
        return weir_fail("\"%.*s\" is no IP address",
                         (int)(argument.size < 60 ? argument.size : 60),
                         argument.data ? argument.data : "");
    ban_name_write(&key, name);
    if (!tally_lift_ban(&key, (int64_t)clock_monotonic_ns()))
        return weir_fail("%s is not banned", name);
    shared_bans_lift(&key);
    weir_log(WEIR_LOG_INFO, "the ban of %s is lifted", name);
    weir_return_text(call, "OK", 2);
    return WEIR_OK;
}

weir_verdict OnFunction(weir_session *session, weir_call *call)
{
    (void)session;
    return call->index == IP_FILTER_BANS_FUNCTION ? list_bans(call) : lift_ban(call);
}
