/* SPDX-License-Identifier: Apache-2.0
 *
 * weir-audit passes over lines without parsing them. Whatever it passes over must not match: records
 * made at random, with odd characters, in each format and re-written by other writers of JSON, under
 * conditions made at random. And most lines that do not match must be passed over. */
#include "audit_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "sieve.h"

#define ROUNDS 20000

static uint64_t state_of_random = 4711;

static unsigned pick(unsigned count)
{
    state_of_random = state_of_random * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(state_of_random >> 33) % count;
}

/* Texts that records have, and that conditions ask for. */
static const char *const texts[] = {"app",
                                    "App",
                                    "a",
                                    "orders",
                                    "shop.orders",
                                    "Drop",
                                    "kind",
                                    "10.0.0.9",
                                    "\xc3\xa4pp",
                                    "\xff\xfe",
                                    "it's",
                                    "say \"x\"",
                                    "b\\ack",
                                    "tab\tnew\nline",
                                    "a/b",
                                    "error_code",
                                    "\x01\x7f",
                                    "\"kind\":\"Drop",
                                    "",
                                    "d1",
                                    "DROP DATABASE d1",
                                    "DropDatabase",
                                    "localhost",
                                    "app@10.%",
                                    "_base64",
                                    "\\u0061pp",
                                    "a,b",
                                    "SELECT 'app' FROM orders",
                                    "DROP SCHEMA IF EXISTS `d1`"};
static const char *const patterns[] = {
    "app",    "APP",          "a*",          "*pp",      "?pp",       "*",
    "orders", "shop.*",       "shop.orders", "*.orders", "d1.*",      "d1.orders",
    "Drop*",  "dropdatabase", "[ad]*",       "a[bp]p",   "\xc3\xa4*", "a\\pp",
    "",       "a,b",          "it's*",       "a.b",      "sh*.o*",    "*a*p*"};
#define COUNT(list) (sizeof(list) / sizeof *(list))

static weir_string some_text(void)
{
    static char joined[64][128];
    static unsigned next;
    const char *one = texts[pick(COUNT(texts))];
    if (pick(3))
        return text_of(one);
    char *to = joined[next++ % 64];
    snprintf(to, sizeof joined[0], "%s%s", one, texts[pick(COUNT(texts))]);
    return text_of(to);
}

static weir_table tables[3];
static struct record_attribute attributes[2];

static void fill(struct record *record)
{
    record_init(record, (enum record_event)pick(RECORD_EVENT_END),
                1769903999000000000U + pick(5) * 1000000000ULL);
    for (unsigned i = 0; i < RECORD_TEXT_END; i++)
        if (pick(3) == 0)
            record->text[i] = some_text();
    if (pick(8) == 0)
        record_set_null(record, RECORD_TEXT_database);
    if (pick(4) == 0)
        record->text[RECORD_TEXT_kind] = text_of("DropDatabase");
    for (unsigned i = 0; i < RECORD_NUMBER_END; i++)
        if (pick(2))
            record->number[i] = pick(20);
    record->table_count = pick(4);
    record->tables = tables;
    for (size_t i = 0; i < record->table_count; i++)
        tables[i] = (weir_table){some_text(), some_text(), 1U << pick(3)};
    record->attribute_count = pick(3);
    record->attributes = attributes;
    for (size_t i = 0; i < record->attribute_count; i++)
        attributes[i] = (struct record_attribute){some_text(), some_text()};
}

/* Escapes letters of a JSON text that need no escape, as other writers may, or doubles spaces. */
static void rewrite(struct strbuf *line)
{
    struct strbuf other = {0};
    bool is_string = false;
    for (size_t i = 0; i < line->size; i++) {
        unsigned char byte = (unsigned char)line->data[i];
        if (is_string && byte == '\\') {
            strbuf_add(&other, line->data + i, 2);
            i++;
            continue;
        }
        is_string = byte == '"' ? !is_string : is_string;
        if (is_string && byte == '/' && pick(2))
            strbuf_add_text(&other, "\\/");
        else if (is_string && byte > 0x20 && byte < 0x7f && byte != '"' && pick(12) == 0)
            strbuf_printf(&other, "\\u00%02x", byte);
        else
            strbuf_add_byte(&other, byte);
        if (!is_string && byte == ':' && pick(2))
            strbuf_add_byte(&other, ' ');
    }
    strbuf_release(line);
    *line = other;
}

static char *some_pattern(void)
{
    return (char *)(pick(3) ? NULL : patterns[pick(COUNT(patterns))]);
}

static void ask(struct conditions *conditions)
{
    static const char *const digests[] = {"a", "ab", "1"};
    *conditions =
        (struct conditions){.connection = -1, .until_ns = UINT64_MAX, .events = UINT32_MAX};
    conditions->user = some_pattern();
    conditions->table = some_pattern();
    conditions->database = some_pattern();
    conditions->kind = some_pattern();
    conditions->text = (char *)(pick(3) ? NULL : texts[pick(COUNT(texts))]);
    conditions->digest = (char *)(pick(6) ? NULL : digests[pick(3)]);
    if (pick(4) == 0)
        conditions->connection = (long)pick(20);
    conditions->errors = pick(4) == 0;
    if (pick(4) == 0) {
        conditions->slow = (char *)"5us";
        conditions->slow_us = 5;
    }
    if (pick(4) == 0)
        conditions->since_ns = 1769903999000000000U + pick(5) * 1000000000ULL;
    if (pick(4) == 0)
        conditions->until_ns = 1769903999000000000U + pick(5) * 1000000000ULL;
    if (pick(4) == 0) {
        conditions->event = (char *)"general";
        conditions->events = 1U << RECORD_COMPLETED | 1U << RECORD_ERROR;
    }
}

static const struct format *const formats[] = {&format_json,         &format_json,
                                               &format_mysql_json,   &format_csv,
                                               &format_server_audit, &format_percona_json};

/* The quick reader, where it does not give up, reads as the one for all JSON. */
static bool is_read_alike(const char *line, size_t size)
{
    struct entry quick = {.copy_room = size + 256}, whole = {.copy_room = size + 256};
    struct strbuf one = {0}, other = {0};
    bool is_quick = entry_read_quick(&quick, line, size);
    if (is_quick) {
        assert_int_equal(entry_read_json(&whole, line, size), ENTRY_RECORD);
        assert_true(quick.sequence == whole.sequence);
        format_json.write(&one, &quick.record);
        format_json.write(&other, &whole.record);
        assert_int_equal(one.size, other.size);
        assert_memory_equal(one.data, other.data, one.size);
    }
    entry_release(&quick);
    entry_release(&whole);
    strbuf_release(&one);
    strbuf_release(&other);
    return is_quick;
}

/* Cuts lines, and puts other bytes into them. */
static size_t count_alike(const struct strbuf *line)
{
    struct strbuf odd = {0};
    size_t count = is_read_alike(line->data, line->size);
    for (int i = 0; i < 4 && line->size; i++) {
        static const char bytes[] = "\"\\,:{}[]0-9un\xff\n\0x";
        strbuf_reset(&odd);
        strbuf_add(&odd, line->data, line->size);
        odd.data[pick((unsigned)odd.size)] = bytes[pick(sizeof bytes)];
        is_read_alike(odd.data, odd.size);
        is_read_alike(line->data, pick((unsigned)line->size));
    }
    strbuf_release(&odd);
    return count;
}

static void test_the_quick_reader_reads_as_the_other_one(void **state)
{
    (void)state;
    size_t quick = 0;
    for (unsigned round = 0; round < 4000; round++) {
        struct record record;
        struct strbuf line = {0};
        fill(&record);
        if (pick(2))
            record.attribute_count = 0;
        format_json.write_prefix(&line, round, pick(2) ? chain_beginning : NULL);
        format_json.write(&line, &record);
        strbuf_cut(&line, line.size - 1); /* the newline */
        if (pick(4) == 0)
            rewrite(&line);
        quick += count_alike(&line);
        strbuf_release(&line);
    }
    assert_true(quick > 1000);
}

static void test_nothing_that_matches_is_passed_over(void **state)
{
    (void)state;
    size_t matches = 0, passed_over = 0, looked_at = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        const struct format *format = formats[pick(COUNT(formats))];
        struct log_form form = {.format = format};
        struct record record;
        struct strbuf bodies = {0};
        struct conditions conditions;
        struct sieve sieve;
        fill(&record);
        log_form_of_line(&form, format->opening,
                         strlen(format->opening) ? strlen(format->opening) - 1 : 0);
        form.format = format;
        format->write(&bodies, &record);
        ask(&conditions);
        sieve_prepare(&sieve, &conditions, &form);
        const char *end = bodies.data + bodies.size;
        for (const char *at = bodies.data, *newline = at; at < end; at = newline + 1) {
            newline = memchr(at, '\n', (size_t)(end - at));
            assert_non_null(newline);
            size_t size = (size_t)(newline - at);
            struct strbuf line = {0};
            struct entry entry;
            format->write_prefix(&line, 7, NULL);
            strbuf_add(&line, at, size);
            if (format == &format_json && pick(3) == 0)
                rewrite(&line);
            bool is_match = entry_read(&entry, &form, line.data, line.size) == ENTRY_RECORD &&
                            choose(&conditions, &entry);
            bool passes = sieve_passes(&sieve, line.data, line.size);
            if (is_match && !passes)
                fail_msg("%s: passed over, but matches -user %s -table %s -database %s -kind %s "
                         "-text %s: %s",
                         format->name, conditions.user, conditions.table, conditions.database,
                         conditions.kind, conditions.text, line.data);
            matches += is_match;
            passed_over += !passes;
            looked_at += passes && !is_match;
            entry_release(&entry);
            strbuf_release(&line);
        }
        strbuf_release(&bodies);
    }
    assert_true(matches > 200);
    assert_true(passed_over > looked_at / 4); /* a quarter of the lines has something odd */
}

/* A damaged line has such tables; fuzz_audit_search found that `-table ''` passed over them. */
static void test_a_table_without_a_name_is_not_passed_over(void **state)
{
    static const char *const lists[] = {"{\"schema\":\"shop\",\"access\":[]}", "{\"access\":[]}",
                                        "{\"name\":\"x\",\"access\":[]}"};
    static char *const wanted[] = {"",      "*",  "?", "?*", "*.*", "shop.*",
                                   "shop.", ".*", ".", "s*", "?x"};
    struct log_form form;
    size_t matches = 0;
    (void)state;
    log_form_of_line(&form, "{", 1);
    form.format = &format_json;
    for (size_t i = 0; i < COUNT(lists); i++) {
        char line[256];
        snprintf(
            line, sizeof line,
            "{\"seq\":7,\"time\":\"2026-01-31T23:59:59.123456Z\",\"event\":\"Completed\",\"class\":"
            "\"general\",\"tables\":[%s]}",
            lists[i]);
        struct entry entry;
        assert_int_equal(entry_read(&entry, &form, line, strlen(line)), ENTRY_RECORD);
        for (size_t j = 0; j < COUNT(wanted); j++) {
            const struct conditions conditions = {
                .connection = -1, .until_ns = UINT64_MAX, .events = UINT32_MAX, .table = wanted[j]};
            struct sieve sieve;
            sieve_prepare(&sieve, &conditions, &form);
            const bool is_match = choose(&conditions, &entry);
            matches += is_match;
            if (is_match && !sieve_passes(&sieve, line, strlen(line)))
                fail_msg("passed over, but matches -table '%s': %s", wanted[j], line);
        }
        entry_release(&entry);
    }
    assert_true(matches > 10);
}

static void test_finding_without_regard_to_case(void **state)
{
    (void)state;
    char line[100];
    for (size_t size = 1; size < 12; size++) {
        for (size_t at = 0; at + size <= sizeof line; at++) {
            memset(line, '@', sizeof line); /* as a small letter it is another byte */
            memcpy(line + at, "DrOpTaBlE_xy", size);
            assert_ptr_equal(sieve_find_folded(line, sizeof line, "droptable_xy", size), line + at);
            assert_null(sieve_find_folded(line, at + size - 1, "droptable_xy", size));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_quick_reader_reads_as_the_other_one),
        cmocka_unit_test(test_nothing_that_matches_is_passed_over),
        cmocka_unit_test(test_a_table_without_a_name_is_not_passed_over),
        cmocka_unit_test(test_finding_without_regard_to_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
