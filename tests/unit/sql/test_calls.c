/* SPDX-License-Identifier: Apache-2.0
 *
 * SELECTs of nothing but calls: each as name(argument|argument)=title. */
#include "sql_test.h"

#include <stdio.h>

static const struct {
    const char *text, *calls; /* NULL: it is something else */
} call_cases[] = {
    {"select f()", "f()=f()"},
    {"SELECT `f` ( ) ;", "f()=`f` ( )"},
    {"select f('a', \"b,)\")", "f('a'|\"b,)\")=f('a', \"b,)\")"},
    {"select f(concat('a', 1), (select 2, 3), x)", "f(concat('a', 1)|(select 2, 3)|x)="
                                                   "f(concat('a', 1), (select 2, 3), x)"},
    {"select f(1) as x, g(2) y, h(3) `z z`, i(4) as 'w'", "f(1)=x g(2)=y h(3)=z z i(4)=w"},
    {"select /* why */ f(1 /* what */, 2 -- that\n)", "f(1|2)=f(1 /* what */, 2 -- that\n)"},
    {"select f(,)", "f(|)=f(,)"},
    {"select f(1,2,3,4,5,6,7,8,9)", "f(1|2|3|4|5|6|7|8|+)=f(1,2,3,4,5,6,7,8,9)"},
    {"/*! select f(1) */", "f(1)=f(1)"},
    {"select 1", NULL},
    {"select f", NULL},
    {"select f(1", NULL},
    {"select f(1) + 1", NULL},
    {"select f(1) from t", NULL},
    {"select f(1), 1", NULL},
    {"select f(1),", NULL},
    {"select f(1) as", NULL},
    {"select f(1); select 2", NULL},
    {"select db.f(1)", NULL},
    {"call f(1)", NULL},
    {"", NULL},
};

static void write_call(char *seen, size_t room, const struct sql_call *call)
{
    size_t size = strlen(seen);
    size += (size_t)snprintf(seen + size, room - size, "%s%.*s(", size ? " " : "",
                             (int)call->name.size, call->name.at);
    for (size_t i = 0; i < call->argument_count && i < SQL_CALL_ARGUMENTS; i++) {
        size += (size_t)snprintf(seen + size, room - size, "%s%.*s", i ? "|" : "",
                                 (int)call->arguments[i].size, call->arguments[i].at);
    }
    snprintf(seen + size, room - size, "%s)=%.*s",
             call->argument_count > SQL_CALL_ARGUMENTS ? "|+" : "", (int)call->title.size,
             call->title.at);
}

static void a_select_of_calls_is_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof call_cases / sizeof *call_cases; i++) {
        struct sql_calls calls;
        struct sql_call call;
        char seen[512] = "";
        sql_calls_init(&calls, span_of(call_cases[i].text), &plain_mode);
        while (sql_calls_next(&calls, &call))
            write_call(seen, sizeof seen, &call);
        assert_int_equal(sql_calls_are_all(&calls), call_cases[i].calls != NULL);
        if (call_cases[i].calls != NULL)
            assert_string_equal(seen, call_cases[i].calls);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_select_of_calls_is_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
