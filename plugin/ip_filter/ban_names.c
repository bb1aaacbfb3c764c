/* SPDX-License-Identifier: Apache-2.0
 *
 * Banned addresses as text, for people and for the store. */
#include "ban_names.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

void ban_name_write(const struct tally_key *key, char name[BAN_NAME_BYTES])
{
    char text[INET6_ADDRSTRLEN] = "";
    uint8_t address[16] = {0};
    const bool is_ipv6 = key->bytes[0] == '6';
    memcpy(address, key->bytes + 1, key->size - 1U);
    inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, address, text, sizeof text);
    snprintf(name, BAN_NAME_BYTES, "%s%s", text, is_ipv6 ? "/64" : "");
}

bool ban_name_read(weir_string name, struct tally_key *key)
{
    char text[BAN_NAME_BYTES];
    uint8_t address[16];
    size_t size = name.size;
    if (!name.data || size >= sizeof text || memchr(name.data, '\0', size))
        return false;
    memcpy(text, name.data, size);
    text[size] = '\0';
    const bool is_network = size > 3 && strcmp(text + size - 3, "/64") == 0;
    if (is_network)
        text[size - 3] = '\0';
    const size_t bytes = !is_network && inet_pton(AF_INET, text, address) == 1 ? 4
                         : inet_pton(AF_INET6, text, address) == 1             ? 16
                                                                               : 0;
    if (bytes)
        *key = tally_key_of_address(address, bytes);
    return bytes != 0;
}
