/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts are slots of the handle: absent ones are {NULL, 0} and WEIR_ABSENT. Facts of a statement
 * are cleared when it is over, so that a plugin never reads those of an earlier one; those that
 * cost something are not slots but computed when asked for (memo_facts.c). */
#include "gateway/statement/facts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/statement/command.h"
#include "gateway/statement/memo.h"
#include "gateway/statement/prepared.h"

static void set_text(struct observed *observed, enum weir_text_fact fact, const char *text,
                     size_t size)
{
    observed->handle.text[fact] = (weir_string){text, size};
}

static void set_name(struct observed *observed, enum weir_text_fact fact, const char *name)
{
    set_text(observed, fact, name, name ? strlen(name) : 0);
}

#define NAME_BYTES 255 /* a longer name is cut */

/* Keeps a copy in *owned and shows it. Without memory for it the fact is absent. */
static void set_owned(struct observed *observed, enum weir_text_fact fact, char **owned,
                      struct wire_string text)
{
    free(*owned);
    *owned = text.data ? strndup(text.data, text.size < NAME_BYTES ? text.size : NAME_BYTES) : NULL;
    set_name(observed, fact, *owned);
}

/* ---- Of the connection ---- */

static void set_address(struct observed *observed, const struct client_address *address)
{
    struct weir_session *handle = &observed->handle;
    assert(address->size <= sizeof handle->client_address);
    memcpy(observed->client_ip, address->client_ip, sizeof observed->client_ip);
    memcpy(observed->server_ip, address->server_ip, sizeof observed->server_ip);
    handle->number[WEIR_NUMBER_client_port] = address->client_port;
    handle->number[WEIR_NUMBER_server_port] = address->server_port;
    set_name(observed, WEIR_TEXT_host, address->is_unix ? "localhost" : observed->client_ip);
    set_name(observed, WEIR_TEXT_client_ip, observed->client_ip);
    set_name(observed, WEIR_TEXT_server_ip, observed->server_ip);
    memcpy(handle->client_address, address->bytes, address->size);
    handle->client_address_size = address->size;
}

void facts_connection(struct observed *observed, const struct client_address *address)
{
    uint64_t *number = observed->handle.number;
    number[WEIR_NUMBER_connection_id] = observed->id ? observed->id : WEIR_ABSENT;
    number[WEIR_NUMBER_connection_type] = address->is_unix ? WEIR_TYPE_SOCKET : WEIR_TYPE_TCP;
    number[WEIR_NUMBER_connected_at] = clock_wall_ns();
    set_address(observed, address);
    if (observed->environment->backend)
        facts_backend_chosen(observed, observed->environment->backend);
}

/* A value of the PROXY header as a fact; absent where the header has none. */
static void set_proxy_value(struct observed *observed, enum weir_text_fact fact, uint8_t type)
{
    const struct weir_session *handle = &observed->handle;
    const struct wire_string all = {handle->proxy_values, handle->proxy_values_size};
    struct wire_string found;
    if (wire_proxy_tlv_find(all, type, &found))
        set_text(observed, fact, found.data, found.size);
}

/* A name that nobody has verified is none to rely on. */
static void set_common_name(struct observed *observed)
{
    const struct weir_session *handle = &observed->handle;
    const struct wire_string all = {handle->proxy_values, handle->proxy_values_size};
    struct wire_string found;
    struct wire_proxy_ssl ssl;
    const unsigned shown = WIRE_PROXY_SSL_CERTIFICATE | WIRE_PROXY_SSL_SESSION;
    if (wire_proxy_tlv_find(all, WIRE_PROXY_SSL, &found) && wire_proxy_ssl_begin(found, &ssl) &&
        ssl.verify == 0 && ssl.client & shown)
        set_proxy_value(observed, WEIR_TEXT_proxy_tls_common_name, WIRE_PROXY_SSL_COMMON_NAME);
}

static void set_vpc_endpoint(struct observed *observed)
{
    static const enum weir_text_fact fact = WEIR_TEXT_proxy_vpc_endpoint;
    enum { ENDPOINT_ID = 1 };
    set_proxy_value(observed, fact, WIRE_PROXY_AWS);
    const weir_string value = observed->handle.text[fact];
    if (value.size && value.data[0] == ENDPOINT_ID)
        set_text(observed, fact, value.data + 1, value.size - 1);
    else
        set_text(observed, fact, NULL, 0);
}

bool facts_proxied(struct observed *observed, const struct client_address *address,
                   struct wire_string values)
{
    struct weir_session *handle = &observed->handle;
    assert(!observed->proxy_ip);
    observed->proxy_ip = strdup(observed->client_ip);
    observed->proxy_values = values.size ? malloc(values.size) : NULL;
    if (!observed->proxy_ip || (values.size && !observed->proxy_values))
        return false;
    set_name(observed, WEIR_TEXT_proxy_ip, observed->proxy_ip);
    if (values.size)
        memcpy(observed->proxy_values, values.data, values.size);
    handle->proxy_values = observed->proxy_values;
    handle->proxy_values_size = values.size;
    set_proxy_value(observed, WEIR_TEXT_proxy_authority, WIRE_PROXY_AUTHORITY);
    set_proxy_value(observed, WEIR_TEXT_proxy_tls_version, WIRE_PROXY_SSL_VERSION);
    set_proxy_value(observed, WEIR_TEXT_proxy_unique_id, WIRE_PROXY_UNIQUE_ID);
    set_common_name(observed);
    set_vpc_endpoint(observed);
    if (!address)
        return true;
    set_address(observed, address);
    if (!address->is_unix) /* whatever the balancer uses to reach the gateway */
        handle->number[WEIR_NUMBER_connection_type] = WEIR_TYPE_TCP;
    return true;
}

void facts_connection_id(struct observed *observed, uint32_t id)
{
    observed->id = id;
    observed->handle.number[WEIR_NUMBER_connection_id] = id;
}

/* Absent where the certificate says nothing. */
static void set_certificate(struct observed *observed, enum weir_text_fact fact, char **owned,
                            const char *text)
{
    if (*text)
        set_owned(observed, fact, owned, wire_text(text));
}

void facts_tls(struct observed *observed, const struct tls_agreement *client)
{
    observed->handle.number[WEIR_NUMBER_connection_type] = WEIR_TYPE_TLS;
    set_owned(observed, WEIR_TEXT_tls_version, &observed->tls_version, wire_text(client->version));
    set_owned(observed, WEIR_TEXT_tls_cipher, &observed->tls_cipher, wire_text(client->cipher));
    set_certificate(observed, WEIR_TEXT_client_cert_subject, &observed->cert_subject,
                    client->subject);
    set_certificate(observed, WEIR_TEXT_client_cert_issuer, &observed->cert_issuer, client->issuer);
    set_certificate(observed, WEIR_TEXT_client_cert_serial, &observed->cert_serial, client->serial);
}

void facts_backend_tls(struct observed *observed, const struct tls_agreement *backend)
{
    set_owned(observed, WEIR_TEXT_backend_tls_version, &observed->backend_tls_version,
              wire_text(backend->version));
    set_owned(observed, WEIR_TEXT_backend_tls_cipher, &observed->backend_tls_cipher,
              wire_text(backend->cipher));
}

/* Clients name their library's version among their attributes. */
static void note_client_version(struct observed *observed)
{
    static const char version_name[] = "_client_version";
    struct wire_reader reader =
        wire_reader_of(observed->handle.attributes, observed->handle.attributes_size);
    struct wire_string name, value;
    set_text(observed, WEIR_TEXT_client_version, NULL, 0);
    while (wire_attribute_next(&reader, &name, &value))
        if (name.size == sizeof version_name - 1 && memcmp(name.data, version_name, name.size) == 0)
            set_text(observed, WEIR_TEXT_client_version, value.data, value.size);
}

void facts_user(struct observed *observed, size_t user_size, size_t attributes_size)
{
    const struct identity *identity = &observed->identity;
    plugin_session_attributes(&observed->handle, (const uint8_t *)identity->attributes,
                              attributes_size);
    note_client_version(observed);
    set_text(observed, WEIR_TEXT_user, identity->user, user_size);
}

void facts_auth_method(struct observed *observed, struct wire_string plugin)
{
    set_owned(observed, WEIR_TEXT_auth_method, &observed->auth_method, plugin);
}

static void clear_owned(struct observed *observed, enum weir_text_fact fact, char **owned)
{
    set_name(observed, fact, NULL);
    free(*owned);
    *owned = NULL;
}

/* What was known of the connection to the one before is not true of this one. */
void facts_backend_chosen(struct observed *observed, const struct session_backend *backend)
{
    observed->backend = backend;
    clear_owned(observed, WEIR_TEXT_backend_tls_version, &observed->backend_tls_version);
    clear_owned(observed, WEIR_TEXT_backend_tls_cipher, &observed->backend_tls_cipher);
    set_name(observed, WEIR_TEXT_backend_address, backend->address);
    set_name(observed, WEIR_TEXT_backend_name, backend->name);
}

void facts_backend(struct observed *observed, const struct wire_greeting *greeting)
{
    observed->handle.number[WEIR_NUMBER_backend_connection_id] = greeting->connection_id;
    set_owned(observed, WEIR_TEXT_backend_version, &observed->backend_version,
              greeting->server_version);
}

void facts_database(struct observed *observed, const char *data, size_t size)
{
    set_text(observed, WEIR_TEXT_database, data, size);
}

void facts_account(struct observed *observed)
{
    const struct identity *identity = &observed->identity;
    set_name(observed, WEIR_TEXT_current_user, identity->current_user);
    set_name(observed, WEIR_TEXT_current_role, identity->current_role);
}

void facts_release(struct observed *observed)
{
    plugin_session_attributes(&observed->handle, NULL, 0);
    free(observed->tls_version);
    free(observed->tls_cipher);
    free(observed->cert_subject);
    free(observed->cert_issuer);
    free(observed->cert_serial);
    free(observed->backend_tls_version);
    free(observed->backend_tls_cipher);
    free(observed->auth_method);
    free(observed->backend_version);
    free(observed->wanted_backend);
    free(observed->proxy_ip);
    free(observed->proxy_values);
}

/* ---- Of the event at hand ---- */

void facts_refused_by(struct observed *observed, const char *plugin)
{
    set_name(observed, WEIR_TEXT_refused_by, plugin);
}

void facts_reject_reason(struct observed *observed, const char *reason)
{
    set_name(observed, WEIR_TEXT_reject_reason, reason);
}

bool facts_has_reject_reason(const struct observed *observed)
{
    return observed->handle.text[WEIR_TEXT_reject_reason].data != NULL;
}

void facts_error_code(struct observed *observed, unsigned code)
{
    observed->handle.number[WEIR_NUMBER_error_code] = code;
}

/* ---- Of the command and its statement ---- */

void facts_command(struct observed *observed)
{
    const struct command *command = &observed->command;
    uint64_t *number = observed->handle.number;
    set_name(observed, WEIR_TEXT_command, wire_command_name(command->code));
    number[WEIR_NUMBER_command_code] = command->code;
    number[WEIR_NUMBER_statement_count] = command->count;
    number[WEIR_NUMBER_started_at] = command->started_wall_ns;
    number[WEIR_NUMBER_prepared_id] = command->prepared ? command->prepared->id : WEIR_ABSENT;
    number[WEIR_NUMBER_parameter_count] =
        command->prepared ? command->prepared->parameter_count : 0;
}

/* Of PreParse, before there is a statement: what the last one was must not be taken for this one. */
void facts_whole_text(struct observed *observed)
{
    const struct strbuf *text = &observed->command.text;
    uint64_t *number = observed->handle.number;
    set_text(observed, WEIR_TEXT_sql, text->data, text->size);
    number[WEIR_NUMBER_sql_size] = text->size;
    number[WEIR_NUMBER_statement_number] = number[WEIR_NUMBER_statement_index] = WEIR_ABSENT;
    number[WEIR_NUMBER_session_status] = observed->status;
    facts_clear_outcome(observed);
}

/* What is true of the current statement from its Starting on. */
void facts_statement(struct observed *observed)
{
    const struct command *command = &observed->command;
    const struct statement *statement = statement_current(observed);
    uint64_t *number = observed->handle.number;
    set_text(observed, WEIR_TEXT_sql, statement->text, statement->size);
    number[WEIR_NUMBER_statement_number] = command->first_number + command->current;
    number[WEIR_NUMBER_statement_index] = command->current;
    number[WEIR_NUMBER_sql_size] = statement->size;
    number[WEIR_NUMBER_session_status] = observed->status;
}

void facts_prepared(struct observed *observed, uint32_t id)
{
    observed->handle.number[WEIR_NUMBER_prepared_id] = id;
}

/* ---- Of the outcome ---- */

void facts_clear_outcome(struct observed *observed)
{
    uint64_t *number = observed->handle.number;
    number[WEIR_NUMBER_duration] = number[WEIR_NUMBER_rows] = number[WEIR_NUMBER_bytes] =
        number[WEIR_NUMBER_affected_rows] = number[WEIR_NUMBER_last_insert_id] =
            number[WEIR_NUMBER_warnings] = WEIR_ABSENT;
    number[WEIR_NUMBER_error_code] = 0;
    set_text(observed, WEIR_TEXT_sqlstate, NULL, 0);
    set_text(observed, WEIR_TEXT_message, NULL, 0);
}

void facts_error(struct observed *observed, unsigned code, const char *sqlstate,
                 const char *message, size_t size)
{
    observed->handle.number[WEIR_NUMBER_error_code] = code;
    set_name(observed, WEIR_TEXT_sqlstate, sqlstate);
    set_text(observed, WEIR_TEXT_message, message, size);
}

void facts_result(struct observed *observed, const struct wire_result *result)
{
    const struct command *command = &observed->command;
    uint64_t *number = observed->handle.number;
    number[WEIR_NUMBER_rows] = result->rows + command->rows_before;
    number[WEIR_NUMBER_bytes] = result->bytes - command->bytes_before;
    number[WEIR_NUMBER_affected_rows] = result->is_result_set ? 0 : result->affected_rows;
    number[WEIR_NUMBER_last_insert_id] = result->last_insert_id;
    number[WEIR_NUMBER_warnings] = result->warnings;
    number[WEIR_NUMBER_session_status] = result->status;
    if (result->is_error)
        facts_error(observed, result->error_code, result->sqlstate, result->message,
                    result->message_size);
    else
        set_text(observed, WEIR_TEXT_message, result->message, result->message_size);
}

void facts_duration(struct observed *observed)
{
    observed->handle.number[WEIR_NUMBER_duration] =
        clock_monotonic_ns() - observed->command.started_ns;
}

void facts_clear_statement(struct observed *observed)
{
    static const enum weir_text_fact texts[] = {WEIR_TEXT_command, WEIR_TEXT_sql};
    static const enum weir_number_fact numbers[] = {
        WEIR_NUMBER_command_code,    WEIR_NUMBER_statement_number, WEIR_NUMBER_prepared_id,
        WEIR_NUMBER_statement_index, WEIR_NUMBER_statement_count,  WEIR_NUMBER_sql_size,
        WEIR_NUMBER_parameter_count, WEIR_NUMBER_started_at};
    uint64_t code = observed->handle.number[WEIR_NUMBER_error_code];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        set_text(observed, texts[i], NULL, 0);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        observed->handle.number[numbers[i]] = WEIR_ABSENT;
    facts_clear_outcome(observed);
    observed->handle.number[WEIR_NUMBER_error_code] = code; /* may be WEIR_ABSENT */
}

void facts_computed_are_available(struct observed *observed, bool available)
{
    observed->handle.source = available ? &memo_source : NULL;
    observed->handle.source_data = observed;
}
