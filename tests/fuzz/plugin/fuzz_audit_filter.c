/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the file of audit_log's filters: refused with one sentence that begins with the
 * file's name, or right enough to decide about every kind of event, the same way each time. */
#include <assert.h>
#include <string.h>

#include "fake_host.h"
#include "filter.h"

static const weir_table tables[] = {
    {{"shop", 4}, {"orders", 6}, WEIR_TABLE_READ | WEIR_TABLE_WRITE},
    {{"", 0}, {"secrets", 7}, WEIR_TABLE_DDL},
};

static void fill(struct record *record, enum record_event event)
{
    record_init(record, event, 0);
    record->number[RECORD_NUMBER_connection_id] = 7;
    record->text[RECORD_TEXT_user] = text_of("app");
    record->text[RECORD_TEXT_host] = text_of("10.0.0.9");
    if (event != RECORD_REJECT)
        record->text[RECORD_TEXT_account] = text_of("app@10.%");
    record->text[RECORD_TEXT_connection_type] = text_of("TCP");
    if (event != RECORD_COMPLETED)
        return;
    record->text[RECORD_TEXT_command] = text_of("Query");
    record->text[RECORD_TEXT_kind] = text_of("Insert");
    record->text[RECORD_TEXT_sql] = text_of("INSERT INTO secrets SELECT * FROM orders");
    record->tables = tables;
    record->table_count = 2;
}

static void decide_all(const struct filters *filters)
{
    static const enum record_event events[] = {RECORD_CONNECT,     RECORD_COMPLETED,
                                               RECORD_CHANGE_USER, RECORD_REJECT,
                                               RECORD_DISCONNECT,  RECORD_START};
    struct weir_session session;
    struct record record;
    struct filter_state first = {0}, second = {0};
    struct filter_subject subject = {.record = &record,
                                     .session = &session,
                                     .included = text_of("app@10.%, b@c"),
                                     .excluded = text_of("'x'@`y`,@,")};
    fake_session_init(&session);
    session.text[WEIR_TEXT_normalized] = text_of("insert into ...");
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        fill(&record, events[i]);
        struct filter_decision a = filters_decide(filters, &subject, &first);
        struct filter_decision b = filters_decide(filters, &subject, &second);
        assert(a.log == b.log && a.abort == b.abort && a.table_skip == b.table_skip);
        assert(first.active == second.active);
        assert(events[i] != RECORD_START || a.log);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct error error = {""};
    struct filters *filters = filters_parse((const char *)bytes, size, "f.json", &error);
    if (!filters) {
        assert(strncmp(error.message, "f.json:", 7) == 0);
        return 0;
    }
    decide_all(filters);
    filters_free(filters);
    return 0;
}
