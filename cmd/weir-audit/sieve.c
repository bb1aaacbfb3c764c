/* SPDX-License-Identifier: Apache-2.0
 *
 * Passing over lines without parsing them.
 *
 * Needles. A pattern's longest run of plain letters must stand in the line as it is, whatever the
 * format, because audit_log writes printable ASCII without '"', '\' and '/' unescaped. Another
 * writer may have escaped any letter as \u00XX, and texts that are no UTF-8 stand in base64 beside
 * what can be read of them: a line that has either is let pass.
 *
 * Members. In JSON lines the value after a key such as "kind": is looked at. The same key may stand
 * in a nested object, or twice: all of its occurrences count, and one that may match is enough.
 * Within a string it has backslashes before its quotes, and is not found.
 *
 * Lines that do not begin and end as a record does are let pass, so that the parser reports them. */
#include "sieve.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "when.h"

#define STAMP_BYTES 27 /* 2026-01-31T23:59:59.123456Z */

/* ---- Finding bytes ---- */

static bool is_folded_equal(const char *at, const char *wanted, size_t size)
{
    return strncasecmp(at, wanted, size) == 0;
}

/* Looks at sixteen places at once, for the first and the last byte; 0x20 makes letters small, and
 * other bytes into others, which the comparison sorts out. */
const char *sieve_find_folded(const char *at, size_t left, const char *wanted, size_t size)
{
    if (size == 0 || left < size)
        return size == 0 ? at : NULL;
    const char *end = at + left - size + 1; /* the last place is before it */
#ifdef __SSE2__
    const __m128i fold = _mm_set1_epi8(0x20);
    const __m128i first = _mm_set1_epi8((char)(wanted[0] | 0x20)),
                  last = _mm_set1_epi8((char)(wanted[size - 1] | 0x20));
    for (; end - at >= 16; at += 16) {
        __m128i begins = _mm_or_si128(_mm_loadu_si128((const __m128i *)(const void *)at), fold);
        __m128i ends =
            _mm_or_si128(_mm_loadu_si128((const __m128i *)(const void *)(at + size - 1)), fold);
        unsigned places = (unsigned)_mm_movemask_epi8(
            _mm_and_si128(_mm_cmpeq_epi8(begins, first), _mm_cmpeq_epi8(ends, last)));
        for (; places; places &= places - 1) {
            const char *place = at + __builtin_ctz(places);
            if (is_folded_equal(place, wanted, size))
                return place;
        }
    }
#endif
    for (; at < end; at++)
        if (is_folded_equal(at, wanted, size))
            return at;
    return NULL;
}

/* \u0061 stands for a letter, and base64 for any text. What audit_log itself escapes so are control
 * characters and U+FFFD, which no needle has. */
static bool may_hide_text(const char *line, size_t size)
{
    const char *at = line, *end = line + size;
    while ((at = at < end ? memchr(at, '\\', (size_t)(end - at)) : NULL)) {
        if (end - at >= 6 && at[1] == 'u' && at[2] == '0' && at[3] == '0' && at[4] >= '2' &&
            at[4] <= '7')
            return true;
        at += 2;
    }
    return sieve_find_folded(line, size, "_base64", strlen("_base64")) != NULL;
}

/* ---- Needles ---- */

static bool is_plain(char byte)
{
    return byte >= 0x20 && byte < 0x7f && !strchr("\"\\/'@.,", byte);
}

/* The longest run of plain bytes in the pattern, up to its first bracket; patterns: * and ? stand
 * for others, and a backslash takes the meaning from what follows. */
static void add_needle(struct sieve *sieve, const char *text, size_t size, bool is_pattern)
{
    struct sieve_needle best = {.size = 0};
    size_t begin = 0;
    if (sieve->needle_count == SIEVE_NEEDLES)
        return;
    for (size_t i = 0; i <= size; i++) {
        bool is_special = i < size && is_pattern && strchr("*?[", text[i]);
        if (i < size && is_plain(text[i]) && !is_special && i - begin < SIEVE_NEEDLE_BYTES)
            continue;
        if (i - begin > best.size) {
            best.size = i - begin;
            for (size_t j = 0; j < best.size; j++)
                best.text[j] = (char)tolower((unsigned char)text[begin + j]);
        }
        if (i == size || (is_special && text[i] == '['))
            break;
        bool is_long = is_plain(text[i]) && !is_special;
        begin = is_long ? i : i + 1;
        if (is_pattern && text[i] == '\\') { /* the byte after it, too */
            i++;
            begin = i + 1;
        }
    }
    if (best.size)
        sieve->needles[sieve->needle_count++] = best;
}

/* A definition of a database matches by the part before the dot alone. */
static void add_table_needle(struct sieve *sieve, const char *pattern)
{
    const char *dot = strchr(pattern, '.');
    bool is_by_schema = dot && strspn(pattern, "*") != (size_t)(dot - pattern);
    add_needle(sieve, pattern, is_by_schema ? (size_t)(dot - pattern) : strlen(pattern), true);
}

void sieve_prepare(struct sieve *sieve, const struct conditions *conditions,
                   const struct log_form *form)
{
    const struct format *format = form->format;
    bool has_kinds = format == &format_json || format == &format_csv;
    *sieve =
        (struct sieve){.conditions = conditions, .form = form, .is_json = format == &format_json};
    if (conditions->user)
        add_needle(sieve, conditions->user, strlen(conditions->user), true);
    if (conditions->table)
        add_table_needle(sieve, conditions->table);
    if (conditions->database)
        add_needle(sieve, conditions->database, strlen(conditions->database), true);
    if (conditions->kind && has_kinds) /* other formats have other names of them */
        add_needle(sieve, conditions->kind, strlen(conditions->kind), true);
    if (conditions->text)
        add_needle(sieve, conditions->text, strlen(conditions->text), false);
    if (conditions->digest)
        add_needle(sieve, conditions->digest, strlen(conditions->digest), false);
    if (conditions->errors && sieve->is_json)
        add_needle(sieve, "error_code", strlen("error_code"), false);
}

static bool has_needles(const struct sieve *sieve, const char *line, size_t size)
{
    for (size_t i = 0; i < sieve->needle_count; i++) {
        const struct sieve_needle *needle = &sieve->needles[i];
        if (!sieve_find_folded(line, size, needle->text, needle->size))
            return false;
    }
    return true;
}

/* ---- Members ---- */

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
        at++;
    return at;
}

/* The value of the next member with this key, which is written with its quotes; NULL: no more. */
static const char *next_member(const char *at, const char *end, const char *key, size_t key_size)
{
    while ((at = memmem(at, (size_t)(end - at), key, key_size))) {
        at = skip_blanks(at + key_size, end);
        if (at < end && *at == ':')
            return skip_blanks(at + 1, end);
    }
    return NULL;
}

/* What is wanted of a value: true when it may be so. */
typedef bool may_be(const struct conditions *conditions, const char *value, const char *end);

static bool has_member(const struct sieve *sieve, const char *line, size_t size, const char *key,
                       may_be *wanted)
{
    const char *at = line, *end = line + size;
    while ((at = next_member(at, end, key, strlen(key))))
        if (wanted(sieve->conditions, at, end))
            return true;
    return false;
}

/* A string's bytes up to the next quote, wherever that is. */
static bool string_at(const char *value, const char *end, weir_string *string)
{
    const char *quote =
        value < end && *value == '"' ? memchr(value + 1, '"', (size_t)(end - value - 1)) : NULL;
    if (quote)
        *string = (weir_string){value + 1, (size_t)(quote - value - 1)};
    return quote != NULL;
}

/* Whether a string may match a pattern with * and ?: it begins as that does. */
static bool may_match(const char *pattern, const char *value, const char *end)
{
    size_t size = 0;
    while (pattern[size] && is_plain(pattern[size]) && !strchr("*?[", pattern[size]))
        size++;
    if (value >= end || *value != '"' || (size_t)(end - value) < size + 2)
        return false;
    return strncasecmp(value + 1, pattern, size) == 0 && (pattern[size] || value[size + 1] == '"');
}

static bool may_be_kind(const struct conditions *conditions, const char *value, const char *end)
{
    return may_match(conditions->kind, value, end);
}

static bool may_be_database(const struct conditions *conditions, const char *value, const char *end)
{
    return may_match(conditions->database, value, end);
}

static bool may_be_user(const struct conditions *conditions, const char *value, const char *end)
{
    return may_match(conditions->user, value, end);
}

static bool may_be_event(const struct conditions *conditions, const char *value, const char *end)
{
    weir_string name;
    if (!string_at(value, end, &name))
        return false;
    for (int event = 0; event < RECORD_EVENT_END; event++)
        if ((conditions->events >> event & 1) &&
            text_is(name, record_event_name((enum record_event)event)))
            return true;
    return false;
}

static bool may_be_address(const struct conditions *conditions, const char *value, const char *end)
{
    weir_string address;
    return string_at(value, end, &address) && choose_address(conditions, address);
}

static bool may_be_name(const struct conditions *conditions, const char *value, const char *end)
{
    const char *dot = strchr(conditions->table, '.');
    return may_match(dot ? dot + 1 : conditions->table, value, end);
}

static bool may_be_whole_table(const struct conditions *conditions, const char *value,
                               const char *end)
{
    return may_match(conditions->table, value, end);
}

static bool has_dot(const struct conditions *conditions, const char *value, const char *end)
{
    weir_string name;
    (void)conditions;
    return !string_at(value, end, &name) || memchr(name.data, '.', name.size);
}

static bool is_of_database(const struct conditions *conditions, const char *value, const char *end)
{
    weir_string kind;
    (void)conditions;
    return string_at(value, end, &kind) && kind.size > 8 &&
           memcmp(kind.data + kind.size - 8, "Database", 8) == 0;
}

/* Whether a pattern asks for something: * is all right with a text that is not there, too. */
static bool asks(const char *pattern)
{
    return pattern && fnmatch(pattern, "", FNM_CASEFOLD) != 0;
}

/* Whether a table without a name, as damaged lines have them, fits: "." is what it is called without a schema, too. */
static bool fits_nameless(const char *pattern, const char *dot)
{
    return !asks(dot ? dot + 1 : pattern) || (!dot && fnmatch(pattern, ".", 0) == 0);
}

/* The names of a table are members of their own, and the pattern is for both with a dot between.
 * Without a dot in the schema's name, the first dot of both is the same, if nothing before it in the
 * pattern stands for one. */
static bool may_have_table(const struct sieve *sieve, const char *line, size_t size)
{
    const char *pattern = sieve->conditions->table, *dot = strchr(pattern, '.');
    bool is_plain_to_dot = dot && strcspn(pattern, "*?[\\") > (size_t)(dot - pattern);
    if ((dot && !is_plain_to_dot) || fits_nameless(pattern, dot))
        return true;
    if (has_member(sieve, line, size, "\"name\"", may_be_name))
        return true;
    if (!dot)
        return has_member(sieve, line, size, "\"schema\"", may_be_whole_table);
    return has_member(sieve, line, size, "\"kind\"", is_of_database) ||
           has_member(sieve, line, size, "\"schema\"", has_dot);
}

static bool is_in_time(const struct conditions *conditions, uint64_t time_ns)
{
    return time_ns >= conditions->since_ns && time_ns <= conditions->until_ns;
}

static bool may_be_time(const struct conditions *conditions, const char *value, const char *end)
{
    weir_string text;
    uint64_t time_ns;
    return !string_at(value, end, &text) || !when_read_stamp(text.data, text.size, &time_ns) ||
           is_in_time(conditions, time_ns); /* what is no time, the parser reports */
}

/* The number of a value, which may be in quotes; false: it is none. */
static bool number_at(const char *value, const char *end, uint64_t *number)
{
    const char *at = value < end && *value == '"' ? value + 1 : value;
    const char *begin = at;
    *number = 0;
    for (; at < end && isdigit((unsigned char)*at); at++)
        *number = *number > UINT64_MAX / 10 - 1 ? UINT64_MAX : *number * 10 + (uint64_t)(*at - '0');
    return at > begin;
}

static bool may_be_connection(const struct conditions *conditions, const char *value,
                              const char *end)
{
    uint64_t number;
    return number_at(value, end, &number) && number == (uint64_t)conditions->connection;
}

static bool may_be_slow(const struct conditions *conditions, const char *value, const char *end)
{
    uint64_t number;
    return number_at(value, end, &number) && number >= conditions->slow_us;
}

static bool has_members(const struct sieve *sieve, const char *line, size_t size)
{
    const struct conditions *wanted = sieve->conditions;
    bool has_window = wanted->since_ns > 0 || wanted->until_ns < UINT64_MAX;
    return (!has_window || has_member(sieve, line, size, "\"time\"", may_be_time)) &&
           (!wanted->event || has_member(sieve, line, size, "\"event\"", may_be_event)) &&
           (!asks(wanted->kind) || has_member(sieve, line, size, "\"kind\"", may_be_kind)) &&
           (!asks(wanted->user) || has_member(sieve, line, size, "\"user\"", may_be_user) ||
            has_member(sieve, line, size, "\"account\"", may_be_user)) &&
           (!wanted->table || may_have_table(sieve, line, size)) &&
           (!asks(wanted->database) ||
            has_member(sieve, line, size, "\"database\"", may_be_database)) &&
           (!wanted->address || has_member(sieve, line, size, "\"client_ip\"", may_be_address)) &&
           (wanted->connection < 0 ||
            has_member(sieve, line, size, "connection_id\"", may_be_connection)) &&
           (!wanted->slow || has_member(sieve, line, size, "\"duration_us\"", may_be_slow));
}

/* ---- Lines ---- */

/* The cell of a CSV line that nothing before it can have a comma in: seq, prev, time. */
static bool csv_time(const char *line, size_t size, uint64_t *time_ns)
{
    const char *at = line, *end = line + size;
    for (int i = 0; i < 2; i++) {
        at = memchr(at, ',', (size_t)(end - at));
        if (!at)
            return false;
        at++;
    }
    return end - at >= STAMP_BYTES && when_read_stamp(at, STAMP_BYTES, time_ns);
}

bool sieve_time(const struct log_form *form, const char *line, size_t size, uint64_t *time_ns)
{
    const struct format *format = form->format;
    if (format == &format_csv)
        return csv_time(line, size, time_ns);
    if (format == &format_server_audit)
        return size > 17 && line[17] == ',' && when_read_local_stamp(line, 17, time_ns);
    const char *key = format == &format_json ? "\"time\"" : "\"timestamp\"";
    const char *value = next_member(line, line + size, key, strlen(key));
    weir_string text;
    return value && string_at(value, line + size, &text) &&
           when_read_stamp(text.data, text.size, time_ns);
}

/* Whether the line looks whole; what does not is the parser's. */
static bool is_shaped(const struct sieve *sieve, const char *line, size_t size)
{
    const struct format *format = sieve->form->format;
    uint64_t sequence;
    char chain[CHAIN_TEXT_BYTES];
    if (sieve->is_json)
        return size > 2 && line[0] == '{' && line[size - 1] == '}';
    size_t separator = strlen(format->separator);
    if (separator && size > separator && line[size - 1] == format->separator[0])
        size -= separator;
    return size > 2 && format->read_prefix(line, size, &sequence, chain);
}

bool sieve_passes(const struct sieve *sieve, const char *line, size_t size)
{
    uint64_t time_ns;
    if (!is_shaped(sieve, line, size))
        return true;
    if (sieve->form->format == &format_server_audit &&
        sieve_time(sieve->form, line, size, &time_ns) && !is_in_time(sieve->conditions, time_ns))
        return false; /* nothing can stand before it */
    if (has_needles(sieve, line, size) && (!sieve->is_json || has_members(sieve, line, size)))
        return true;
    return may_hide_text(line, size);
}
