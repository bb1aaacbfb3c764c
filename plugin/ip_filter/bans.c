/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of ip_filter that clients call by SELECT: which addresses are banned, and lifting a
 * ban. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <weir/clock.h>
#include <weir/strbuf.h>

#include "tally.h"
#include "visit.h"

/* The address as people write it; of IPv6 the /64 that counts as one. */
static void add_ban(void *data, const struct tally_key *key, int64_t left)
{
    char text[INET6_ADDRSTRLEN] = "";
    uint8_t address[16] = {0};
    bool is_ipv6 = key->bytes[0] == '6';
    struct strbuf *out = data;
    memcpy(address, key->bytes + 1, key->size - 1U);
    inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, address, text, sizeof text);
    strbuf_printf(out, "%s%s%s %lld s", out->size ? "\n" : "", text, is_ipv6 ? "/64" : "",
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
    char text[INET6_ADDRSTRLEN + 4];
    uint8_t address[16];
    weir_string argument = call->arguments[0];
    bool fits = argument.data && argument.size < sizeof text;
    snprintf(text, sizeof text, "%.*s", fits ? (int)argument.size : 0, argument.data);
    size_t size = strlen(text);
    if (size > 3 && strcmp(text + size - 3, "/64") == 0)
        text[size - 3] = '\0';
    size_t bytes = inet_pton(AF_INET, text, address) == 1    ? 4
                   : inet_pton(AF_INET6, text, address) == 1 ? 16
                                                             : 0;
    if (!bytes)
        return weir_fail("\"%.*s\" is no IP address",
                         (int)(argument.size < 60 ? argument.size : 60),
                         argument.data ? argument.data : "");
    struct tally_key key = tally_key_of_address(address, bytes);
    if (!tally_lift_ban(&key, (int64_t)clock_monotonic_ns()))
        return weir_fail("%s is not banned", text);
    weir_log(WEIR_LOG_INFO, "the ban of %s is lifted", text);
    weir_return_text(call, "OK", 2);
    return WEIR_OK;
}

weir_verdict OnFunction(weir_session *session, weir_call *call)
{
    (void)session;
    return call->index == IP_FILTER_BANS_FUNCTION ? list_bans(call) : lift_ban(call);
}
