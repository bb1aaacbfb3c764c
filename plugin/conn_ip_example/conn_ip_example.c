/* SPDX-License-Identifier: Apache-2.0
 *
 * conn_ip_example: prints every event to standard output, in the words (and with the one
 * misspelling) of TiDB's plugin of the same name, for readers who know that one. It also counts the connections.
 *
 * Events of different sessions come on different threads: an event's lines are printed under the
 * stream's lock, so that they stay together, and flushed, so that a pipe shows them at once. */
#include <stdatomic.h>
#include <stdio.h>
#include <weir/plugin.h>

static atomic_ullong connections; /* clients that the backend has accepted */

weir_verdict Validate(const weir_manifest *manifest)
{
    printf("## %s Validate called ##\n", manifest->name);
    fflush(stdout);
    return WEIR_OK;
}

weir_verdict OnInit(const weir_manifest *manifest)
{
    atomic_store(&connections, 0);
    printf("## %s OnInit called ##\n", manifest->name);
    fflush(stdout);
    return WEIR_OK;
}

static void print_with_count(const weir_manifest *manifest, const char *callback)
{
    flockfile(stdout);
    printf("## %s %s called ##\n", manifest->name, callback);
    printf("---- connections: %llu\n", atomic_load(&connections));
    fflush(stdout);
    funlockfile(stdout);
}

weir_verdict OnShutdown(const weir_manifest *manifest)
{
    print_with_count(manifest, "OnShutdown");
    return WEIR_OK;
}

weir_verdict OnFlush(const weir_manifest *manifest)
{
    print_with_count(manifest, "OnFlush");
    return WEIR_OK;
}

/* Text of any bytes, NUL included. */
static void print_string(weir_string string)
{
    if (string.size)
        fwrite(string.data, 1, string.size, stdout);
}

static void print_tables(const weir_session *session)
{
    weir_table table;
    for (size_t i = 0; weir_statement_table(session, i, &table); i++) {
        fputs(i ? ", " : "---- statement tables: ", stdout);
        print_string(table.schema);
        putchar('.');
        print_string(table.name);
    }
    if (weir_statement_table(session, 0, &table))
        putchar('\n');
}

weir_verdict OnGeneralEvent(weir_session *session, weir_general_event event, const char *command)
{
    weir_string digest = weir_digest(session);
    flockfile(stdout);
    puts("## conn_ip_example OnGeneralEvent called ##");
    printf("---- session status: %llu\n", (unsigned long long)weir_session_status(session));
    fputs("---- statement sql: ", stdout);
    print_string(weir_sql(session));
    printf(", digest: %.*s\n", WEIR_STRING_ARGS(digest));
    print_tables(session);
    printf("---- executed by user: %.*s@%.*s\n", WEIR_STRING_ARGS(weir_user(session)),
           WEIR_STRING_ARGS(weir_host(session)));
    switch (event) {
    case WEIR_STARTING:
        puts("---- event: Statement Starting");
        break;
    case WEIR_COMPLETED:
        puts("---- event: Statement Completed");
        break;
    case WEIR_ERROR:
        puts("---- event: ERROR!");
        break;
    default:
        puts("---- event: unrecognized");
    }
    printf("---- cmd: %s\n", command);
    fflush(stdout);
    funlockfile(stdout);
    return WEIR_OK;
}

weir_verdict OnConnectionEvent(weir_session *session, weir_connection_event event)
{
    weir_string user = weir_user(session), host = weir_host(session);
    weir_string database = weir_database(session), reason = weir_reject_reason(session);
    if (event == WEIR_CONNECTED)
        atomic_fetch_add(&connections, 1);
    flockfile(stdout);
    puts("## conn_ip_example onConnectionEvent called ##");
    printf("---- conenct event: %s, reason: [%.*s]\n", weir_connection_event_name(event),
           WEIR_STRING_ARGS(reason));
    printf("---- connection host: %.*s\n", WEIR_STRING_ARGS(host));
    printf("---- connection details: %.*s@%.*s/%.*s type: %s\n", WEIR_STRING_ARGS(user),
           WEIR_STRING_ARGS(host), WEIR_STRING_ARGS(database),
           weir_connection_type_name(weir_connection_type(session)));
    fflush(stdout);
    funlockfile(stdout);
    return WEIR_OK;
}
