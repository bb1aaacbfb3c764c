/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads times. A text on the command line is read by a cursor, piece by piece: a day, a time of
 * the day, a zone; each piece is checked, and what is left over is an error. How exact the text is
 * says how long a time it covers, so that -until 2026-01-31 includes that day.
 *
 * Local times go through mktime() once with and once without daylight saving time: what comes back
 * as the same time of the day is one reading of the text, and a text can have two. */
#include "when.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <weir/clock.h>

#define S_PER_MINUTE 60
#define S_PER_HOUR   3600
#define S_PER_DAY    86400
#define NS_PER_MS    1000000U
#define LAST_YEAR    2200 /* ns since 1970 fit into 64 bits until 2554 */

struct moment {
    struct tm day;              /* tm_year, tm_mon, tm_mday, tm_hour ... as written */
    uint64_t fraction_ns, unit; /* how long the text covers, in ns */
    bool is_day;                /* it covers a whole day, which can have 23 or 25 hours */
    bool has_zone;
    long zone_s; /* east of UTC */
};

/* Reads `digits` digits. */
static bool take_digits(const char **at, int digits, int *number)
{
    *number = 0;
    for (int i = 0; i < digits; i++) {
        if (!isdigit((unsigned char)(*at)[i]))
            return false;
        *number = *number * 10 + ((*at)[i] - '0');
    }
    *at += digits;
    return true;
}

static bool take_byte(const char **at, char byte)
{
    if (**at != byte)
        return false;
    ++*at;
    return true;
}

static void skip_blanks(const char **at)
{
    while (**at == ' ')
        ++*at;
}

static bool take_word(const char **at, const char *word)
{
    size_t size = strlen(word);
    if (strncasecmp(*at, word, size) != 0 || isalnum((unsigned char)(*at)[size]))
        return false;
    *at += size;
    return true;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

static bool is_date(int year, int month, int day)
{
    return year >= 1970 && year <= LAST_YEAR && month >= 1 && month <= 12 && day >= 1 &&
           day <= days_of_month(year, month);
}

static bool take_date(const char **at, struct moment *moment)
{
    int year, month, day;
    const char *from = *at;
    if (!take_digits(&from, 4, &year) || !take_byte(&from, '-') || !take_digits(&from, 2, &month) ||
        !take_byte(&from, '-') || !take_digits(&from, 2, &day) || !is_date(year, month, day))
        return false;
    moment->day.tm_year = year - 1900;
    moment->day.tm_mon = month - 1;
    moment->day.tm_mday = day;
    *at = from;
    return true;
}

static void take_fraction(const char **at, struct moment *moment)
{
    if (**at != '.' || !isdigit((unsigned char)(*at)[1]))
        return;
    uint64_t weight = CLOCK_NS_PER_S;
    for (++*at; isdigit((unsigned char)**at); ++*at) {
        weight /= 10;
        moment->fraction_ns += (uint64_t)(**at - '0') * weight;
        moment->unit = weight ? weight : 1;
    }
}

/* "23", "23:59", "23:59:59", "23:59:59.123". A single hour only after a date. */
static bool take_time(const char **at, struct moment *moment, bool is_hour_enough)
{
    int hour, minute = 0, second = 0;
    const char *from = *at;
    if (!take_digits(&from, 2, &hour) || hour > 23)
        return false;
    moment->is_day = false;
    moment->unit = S_PER_HOUR * CLOCK_NS_PER_S;
    bool has_minute = *from == ':';
    if (has_minute) {
        from++;
        moment->unit = S_PER_MINUTE * CLOCK_NS_PER_S;
        if (!take_digits(&from, 2, &minute) || minute > 59)
            return false;
        if (take_byte(&from, ':')) {
            moment->unit = CLOCK_NS_PER_S;
            if (!take_digits(&from, 2, &second) || second > 59)
                return false;
            take_fraction(&from, moment);
        }
    }
    moment->day.tm_hour = hour;
    moment->day.tm_min = minute;
    moment->day.tm_sec = second;
    *at = from;
    return has_minute || is_hour_enough;
}

/* "Z", "UTC", "+02:00", "+0200", "+02"; nothing is right, too. */
static bool take_zone(const char **at, struct moment *moment)
{
    int hours, minutes = 0;
    skip_blanks(at);
    if (!**at)
        return true;
    moment->has_zone = true;
    if (take_word(at, "Z") || take_word(at, "UTC"))
        return true;
    bool is_west = **at == '-';
    if (!take_byte(at, '+') && !take_byte(at, '-'))
        return false;
    if (!take_digits(at, 2, &hours) || hours > 14)
        return false;
    if ((take_byte(at, ':') || **at) && !take_digits(at, 2, &minutes))
        return false;
    moment->zone_s = (is_west ? -1 : 1) * (hours * S_PER_HOUR + minutes * S_PER_MINUTE);
    return minutes <= 59;
}

/* The readings of a local time: at most two. */
static size_t local_readings(const struct tm *written, time_t readings[2])
{
    size_t count = 0;
    for (int is_summer = 0; is_summer < 2; is_summer++) {
        struct tm trial = *written;
        trial.tm_isdst = is_summer;
        time_t reading = mktime(&trial);
        if (reading != -1 && trial.tm_hour == written->tm_hour && trial.tm_min == written->tm_min &&
            (count == 0 || readings[0] != reading))
            readings[count++] = reading;
    }
    if (count == 0) { /* left out when clocks are put forward */
        struct tm trial = *written;
        trial.tm_isdst = -1;
        readings[count++] = mktime(&trial);
    }
    return count;
}

static void resolve_local(const struct moment *moment, struct when *when)
{
    time_t readings[2] = {0}, earliest, latest;
    size_t count = local_readings(&moment->day, readings);
    earliest = latest = readings[0];
    if (count == 2) {
        earliest = readings[1] < earliest ? readings[1] : earliest;
        latest = readings[1] > latest ? readings[1] : latest;
    }
    uint64_t unit = moment->unit;
    if (moment->is_day) {
        struct tm next = moment->day;
        next.tm_mday++;
        next.tm_isdst = -1;
        time_t end = mktime(&next);
        unit = (uint64_t)(end - latest) * CLOCK_NS_PER_S;
    }
    when->first = (uint64_t)earliest * CLOCK_NS_PER_S + moment->fraction_ns;
    when->last = (uint64_t)latest * CLOCK_NS_PER_S + moment->fraction_ns + unit - 1;
}

static void resolve(const struct moment *moment, struct when *when)
{
    if (!moment->has_zone) {
        resolve_local(moment, when);
        return;
    }
    struct tm utc = moment->day;
    int64_t seconds = (int64_t)timegm(&utc) - moment->zone_s;
    when->first = (uint64_t)(seconds < 0 ? 0 : seconds) * CLOCK_NS_PER_S + moment->fraction_ns;
    when->last = when->first + moment->unit - 1;
}

/* The day that was so many days ago, at midnight. */
static void set_day(struct moment *moment, uint64_t now_ns, int days_ago)
{
    time_t now = (time_t)(now_ns / CLOCK_NS_PER_S);
    localtime_r(&now, &moment->day);
    moment->day.tm_hour = moment->day.tm_min = moment->day.tm_sec = 0;
    moment->day.tm_mday -= days_ago;
    moment->day.tm_isdst = -1;
    mktime(&moment->day); /* the day before the first of a month is in another month */
    moment->day.tm_hour = 0;
}

static bool take_moment(const char *at, uint64_t now_ns, struct moment *moment)
{
    bool has_date = true;
    moment->is_day = true;
    moment->unit = S_PER_DAY * CLOCK_NS_PER_S;
    if (take_word(&at, "today"))
        set_day(moment, now_ns, 0);
    else if (take_word(&at, "yesterday"))
        set_day(moment, now_ns, 1);
    else
        has_date = take_date(&at, moment);
    if (!has_date) {
        set_day(moment, now_ns, 0);
        return take_time(&at, moment, false) && take_zone(&at, moment) && !*at;
    }
    if (*at == 'T' || *at == 't' || *at == ' ') {
        const char *time = at + 1;
        skip_blanks(&time);
        if (isdigit((unsigned char)*time)) {
            if (!take_time(&time, moment, true))
                return false;
            at = time;
        }
    }
    return take_zone(&at, moment) && !*at;
}

static const struct {
    const char *name;
    uint64_t ns;
} units[] = {
    {"us", 1000},
    {"ms", NS_PER_MS},
    {"s", CLOCK_NS_PER_S},
    {"m", S_PER_MINUTE *CLOCK_NS_PER_S},
    {"min", S_PER_MINUTE *CLOCK_NS_PER_S},
    {"h", S_PER_HOUR *CLOCK_NS_PER_S},
    {"d", S_PER_DAY *CLOCK_NS_PER_S},
    {"w", 7ULL * S_PER_DAY *CLOCK_NS_PER_S},
};

/* "2h", "1.5s". */
static bool take_duration(const char *text, uint64_t *ns)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    double count = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcasecmp(end, units[i].name) != 0)
            continue;
        double product = count * (double)units[i].ns;
        if (!(product < 9e18))
            return false;
        *ns = (uint64_t)product;
        return true;
    }
    return false;
}

int when_parse(const char *text, uint64_t now_ns, struct when *when, struct error *error)
{
    struct moment moment = {.unit = 1};
    uint64_t ago;
    *when = (struct when){now_ns, now_ns};
    if (strcasecmp(text, "now") == 0)
        return 0;
    if (*text == '-' && take_duration(text + 1, &ago)) {
        when->first = when->last = ago < now_ns ? now_ns - ago : 0;
        return 0;
    }
    if (!take_moment(text, now_ns, &moment))
        return error_set(error, "%s is no time; " WHEN_HELP, text);
    resolve(&moment, when);
    return 0;
}

int when_parse_duration(const char *text, uint64_t *ns, struct error *error)
{
    return take_duration(text, ns)
               ? 0
               : error_set(error, "%s is no duration; write 250ms, 2s, 1.5m or 1h", text);
}

/* Two digits, or a number above all that is allowed. */
static unsigned pair_at(const char *at)
{
    unsigned tens = (unsigned)(at[0] - '0'), ones = (unsigned)(at[1] - '0');
    return tens > 9 || ones > 9 ? 1000 : tens * 10 + ones;
}

/* Days from 1970-01-01, after the Gregorian calendar. */
static int64_t days_since_1970(int year, int month, int day)
{
    year -= month <= 2; /* years begin in March, so that the leap day is their last */
    int64_t century_day = (int64_t)year * 365 + year / 4 - year / 100 + year / 400 +
                          (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
    return century_day + day - 1 - 719468;
}

static bool is_time_of_day(unsigned hour, unsigned minute, unsigned second)
{
    return hour < 24 && minute < 60 && second < 60;
}

bool when_read_stamp(const char *text, size_t size, uint64_t *ns)
{
    static const char pattern[] = "0000-00-00T00:00:00";
    const size_t whole = sizeof pattern - 1;
    if (size < whole || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != ' ') ||
        text[13] != ':' || text[16] != ':')
        return false;
    unsigned high = pair_at(text), low = pair_at(text + 2), month = pair_at(text + 5),
             day = pair_at(text + 8), hour = pair_at(text + 11), minute = pair_at(text + 14),
             second = pair_at(text + 17);
    int year = (int)(high * 100 + low);
    if (high > 99 || low > 99 || !is_date(year, (int)month, (int)day) ||
        !is_time_of_day(hour, minute, second))
        return false;
    uint64_t seconds = (uint64_t)days_since_1970(year, (int)month, (int)day) * S_PER_DAY +
                       hour * S_PER_HOUR + minute * S_PER_MINUTE + second;
    uint64_t fraction = 0, weight = CLOCK_NS_PER_S / 10;
    size_t at = whole;
    if (at < size && text[at] == '.')
        for (at++; at < size && isdigit((unsigned char)text[at]); at++, weight /= 10)
            fraction += (uint64_t)(text[at] - '0') * weight;
    if (at < size && text[at] == 'Z')
        at++;
    *ns = seconds * CLOCK_NS_PER_S + fraction;
    return at == size;
}

bool when_read_local_stamp(const char *text, size_t size, uint64_t *ns)
{
    static const char pattern[] = "00000000 00:00:00";
    if (size != sizeof pattern - 1 || text[8] != ' ' || text[11] != ':' || text[14] != ':')
        return false;
    unsigned high = pair_at(text), low = pair_at(text + 2), month = pair_at(text + 4),
             day = pair_at(text + 6), hour = pair_at(text + 9), minute = pair_at(text + 12),
             second = pair_at(text + 15);
    int year = (int)(high * 100 + low);
    if (high > 99 || low > 99 || !is_date(year, (int)month, (int)day) ||
        !is_time_of_day(hour, minute, second))
        return false;
    struct tm local = {.tm_year = year - 1900,
                       .tm_mon = (int)month - 1,
                       .tm_mday = (int)day,
                       .tm_hour = (int)hour,
                       .tm_min = (int)minute,
                       .tm_sec = (int)second,
                       .tm_isdst = -1};
    time_t seconds = mktime(&local);
    *ns = (uint64_t)seconds * CLOCK_NS_PER_S;
    return seconds >= 0;
}
