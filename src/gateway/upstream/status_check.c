/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTTP request, whose answer is not looked at. */
#include "gateway/upstream/status_check.h"

#include <curl/curl.h>
#include <netdb.h>
#include <stdio.h>

static size_t skip(const char *bytes, size_t one, size_t size, void *user)
{
    (void)bytes;
    (void)user;
    return one * size;
}

/* "http://127.0.0.1:10080/status" */
static bool print_url(const struct address *address, long port, char *url, size_t size)
{
    char host[NI_MAXHOST];
    const bool is_v6 = address->storage.ss_family == AF_INET6;
    if (getnameinfo((const struct sockaddr *)&address->storage, address->size, host, sizeof host,
                    NULL, 0, NI_NUMERICHOST) != 0)
        return false;
    snprintf(url, size, "http://%s%s%s:%ld/status", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
    return true;
}

/* No redirects, and no proxy of the environment: what is asked is the server itself. */
static CURLcode ask(CURL *easy, const char *url, long timeout_s, long *code)
{
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, timeout_s);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, skip);
    const CURLcode result = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, code);
    return result;
}

int status_check(const struct address *address, long port, long timeout_s, struct error *error)
{
    char url[NI_MAXHOST + 32];
    long code = 0;
    if (!print_url(address, port, url, sizeof url))
        return error_set(error, "its address has no status port (-backend-status-port)");
    CURL *easy = curl_easy_init();
    if (!easy)
        return error_set(error, "out of memory for its status port");
    const CURLcode result = ask(easy, url, timeout_s, &code);
    curl_easy_cleanup(easy);
    if (code == 200)
        return 0;
    return code ? error_set(error, "%s answers %ld", url, code)
                : error_set(error, "%s does not answer: %s", url, curl_easy_strerror(result));
}
