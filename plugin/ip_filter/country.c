/* SPDX-License-Identifier: Apache-2.0 */
#include "country.h"

#include <errno.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct countries {
    MMDB_s file;
};

struct countries *countries_open(const char *path, struct error *error)
{
    struct countries *countries = malloc(sizeof *countries);
    int status =
        countries ? MMDB_open(path, MMDB_MODE_MMAP, &countries->file) : MMDB_OUT_OF_MEMORY_ERROR;
    if (status == MMDB_SUCCESS)
        return countries;
    error_set(error, "%s: %s", path,
              status == MMDB_IO_ERROR || status == MMDB_FILE_OPEN_ERROR ? strerror(errno)
                                                                        : MMDB_strerror(status));
    free(countries);
    return NULL;
}

void countries_close(struct countries *countries)
{
    if (countries)
        MMDB_close(&countries->file);
    free(countries);
}

void countries_find(const struct countries *countries, const uint8_t *address, size_t size,
                    char country[3])
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    MMDB_entry_data_s data = {0};
    int status = MMDB_SUCCESS;
    country[0] = '\0';
    if (!countries)
        return;
    memcpy(size == 4 ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr, address, size);
    MMDB_lookup_result_s found = MMDB_lookup_sockaddr(
        &countries->file, size == 4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6,
        &status);
    if (status == MMDB_SUCCESS && found.found_entry)
        status = MMDB_get_value(&found.entry, &data, "country", "iso_code", NULL);
    if (status == MMDB_SUCCESS && data.has_data && data.type == MMDB_DATA_TYPE_UTF8_STRING &&
        data.data_size == 2) {
        memcpy(country, data.utf8_string, 2);
        country[2] = '\0';
    }
}
