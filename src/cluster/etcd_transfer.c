/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTTP request at one endpoint, by libcurl. An answer is kept whole; a watch's is parted into lines
 * while it comes, without end.
 *
 * libcurl sends a request once more where a connection that it has kept turns out to be closed. That is
 * right for what may be done twice. What may not gets a connection of its own. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "cluster/etcd_state.h"

#define ANSWER_BYTES  ((size_t)64 << 20) /* of an answer, at most */
#define KEEPALIVE_S   5L                 /* TCP's, of a watch that is idle */
#define TOKEN_HEADER  "Authorization: "
#define LEADER_HEADER "Grpc-Metadata-hasleader: true" /* a watch ends where there is no leader */

static void release(struct etcd_transfer *transfer)
{
    if (transfer->easy)
        curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    strbuf_release(&transfer->url);
    strbuf_release(&transfer->body);
    strbuf_release(&transfer->reply);
    etcd_lines_release(&transfer->lines);
    free(transfer);
}

static size_t on_bytes(char *bytes, size_t one, size_t size, void *user)
{
    struct etcd_transfer *transfer = user;
    bool goes_on;
    if (transfer->line) {
        goes_on = etcd_lines_add(&transfer->lines, bytes, size, transfer->line, transfer->user);
    } else {
        goes_on = size <= ANSWER_BYTES - transfer->reply.size;
        if (goes_on)
            strbuf_add(&transfer->reply, bytes, size);
    }
    return goes_on && !transfer->reply.failed ? size * one : CURL_WRITEFUNC_ERROR;
}

static bool add_header(struct etcd_transfer *transfer, const char *header)
{
    struct curl_slist *longer = curl_slist_append(transfer->headers, header);
    if (longer)
        transfer->headers = longer;
    return longer != NULL;
}

static bool add_headers(struct etcd_transfer *transfer)
{
    const struct etcd *etcd = transfer->etcd;
    bool added = add_header(transfer, "Content-Type: application/json") &&
                 add_header(transfer, "Expect:") &&
                 (!transfer->line || add_header(transfer, LEADER_HEADER));
    if (added && etcd->token) {
        struct strbuf header = STRBUF_INIT;
        strbuf_printf(&header, TOKEN_HEADER "%s", etcd->token);
        added = !header.failed && add_header(transfer, header.data);
        strbuf_release(&header);
    }
    return added;
}

/* What etcd says is not believed to point elsewhere: no redirects, no proxy of the environment. */
static bool set_options(struct etcd_transfer *transfer, bool is_repeatable)
{
    const struct etcd *etcd = transfer->etcd;
    CURL *easy = transfer->easy;
    bool set = true;
#define SET(option, value) (set = curl_easy_setopt(easy, option, value) == CURLE_OK && set)
    SET(CURLOPT_URL, transfer->url.data);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_HTTPHEADER, transfer->headers);
    SET(CURLOPT_POSTFIELDS, transfer->body.data);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body.size);
    SET(CURLOPT_WRITEFUNCTION, on_bytes);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_PRIVATE, transfer);
    SET(CURLOPT_ERRORBUFFER, transfer->curl_message);
    SET(CURLOPT_CONNECTTIMEOUT_MS, etcd->timeout_ms);
    SET(CURLOPT_FRESH_CONNECT, is_repeatable ? 0L : 1L);
    if (transfer->line) {
        SET(CURLOPT_TCP_KEEPALIVE, 1L);
        SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S);
        SET(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S);
    } else {
        SET(CURLOPT_TIMEOUT_MS, etcd->timeout_ms);
    }
    if (etcd->ca)
        SET(CURLOPT_CAINFO, etcd->ca);
    if (etcd->certificate)
        SET(CURLOPT_SSLCERT, etcd->certificate);
    if (etcd->key)
        SET(CURLOPT_SSLKEY, etcd->key);
#undef SET
    return set;
}

struct etcd_transfer *etcd_transfer_start(struct etcd *etcd, const char *path, struct strbuf *body,
                                          bool is_repeatable, etcd_line *line,
                                          etcd_transfer_done *done, void *user)
{
    struct etcd_transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer) {
        strbuf_release(body);
        return NULL;
    }
    transfer->etcd = etcd;
    transfer->endpoint = etcd->current;
    transfer->line = line;
    transfer->done = done;
    transfer->user = user;
    strbuf_init(&transfer->url);
    strbuf_init(&transfer->reply);
    strbuf_init(&transfer->lines.begun);
    transfer->body = *body;
    strbuf_init(body);
    strbuf_printf(&transfer->url, "%s%s", etcd->endpoints[etcd->current], path);
    transfer->easy = curl_easy_init();
    if (!transfer->easy || transfer->url.failed || transfer->body.failed ||
        !add_headers(transfer) || !set_options(transfer, is_repeatable) ||
        curl_multi_add_handle(etcd->multi, transfer->easy) != CURLM_OK) {
        release(transfer);
        return NULL;
    }
    DL_APPEND(etcd->transfers, transfer);
    return transfer;
}

static void take_out(struct etcd_transfer *transfer)
{
    curl_multi_remove_handle(transfer->etcd->multi, transfer->easy);
    DL_DELETE(transfer->etcd->transfers, transfer);
}

void etcd_transfer_cancel(struct etcd_transfer *transfer)
{
    take_out(transfer);
    release(transfer);
}

/* Reads what has come as etcd's answer. Returns why it is none, or NULL. */
static const char *read_reply(struct etcd_transfer *transfer, struct etcd_answer *answer,
                              struct error *error)
{
    long http = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http);
    if (transfer->line)
        return http == 200 ? "the watch has ended" : "etcd does not accept the watch";
    if (etcd_answer_read(answer, transfer->reply.data, transfer->reply.size, error) == 0 &&
        (http == 200 || answer->is_error))
        return NULL;
    error_prefix(error, "HTTP status %ld", http);
    return error->message;
}

static void end(struct etcd_transfer *transfer, CURLcode code)
{
    struct etcd_outcome outcome = {.failure = NULL};
    struct error error = {""};
    struct strbuf failure = STRBUF_INIT;
    long sent = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent);
    const char *why = code == CURLE_OK            ? read_reply(transfer, &outcome.answer, &error)
                      : transfer->curl_message[0] ? transfer->curl_message
                                                  : curl_easy_strerror(code);
    if (why) {
        strbuf_printf(&failure, "%s: %s", transfer->etcd->endpoints[transfer->endpoint], why);
        outcome.failure = failure.failed ? "no memory" : failure.data;
    }
    outcome.was_sent = sent > 0;
    outcome.was_cut = code == CURLE_WRITE_ERROR;
    take_out(transfer);
    transfer->done(transfer, &outcome);
    etcd_answer_release(&outcome.answer);
    strbuf_release(&failure);
    release(transfer);
}

void etcd_transfers_ended(struct etcd *etcd)
{
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(etcd->multi, &left)) != NULL) {
        char *transfer = NULL; /* of libcurl's own type */
        const CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        end((struct etcd_transfer *)(void *)transfer, code);
    }
}
