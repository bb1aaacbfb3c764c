/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an account, and as a list of accounts: what is read can be printed, and is read as the
 * same one then. */
#include <assert.h>
#include <stdint.h>
#include <weir/account.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    weir_string text = {(const char *)bytes, size}, entry, user, host;
    struct account_name name, again;
    char room[ACCOUNT_QUOTED_BYTES];
    if (!account_parse(text, &name)) {
        weir_string printed = account_print(account_text(&name), room);
        assert(printed.data && printed.size <= sizeof room);
        assert(!account_parse(printed, &again));
        assert(text_equals(account_text(&name), account_text(&again)));
        assert(account_split(account_text(&name), &user, &host) && host.size > 0);
        account_matches(account_text(&name), user, text);
    }
    account_list_check(text, &entry);
    if (account_in_list(text, (weir_string){"app@h", 5}))
        assert(account_list_next(&text, &entry));
    return 0;
}
