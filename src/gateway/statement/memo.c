/* SPDX-License-Identifier: Apache-2.0
 *
 * How memos live: taken when a plugin first asks, and given back at the end of their command.
 *
 * Invariant: command.memo belongs to the current statement. A prepared one has its own
 * (prepared->memo); otherwise it is taken from the environment's list and returned to it. */
#include "gateway/statement/memo.h"

#include <stdlib.h>

#include "gateway/statement/command.h"
#include "gateway/statement/memo_private.h"
#include "gateway/statement/prepared.h"

#define KEPT_BYTES 4096 /* most memory of each buffer that an unused memo keeps */

#define KEPT_NAMES 32 /* most tables and routines that are kept with a prepared statement */

static struct memo *memo_new(void)
{
    struct memo *memo = calloc(1, sizeof *memo);
    if (!memo)
        return NULL;
    strbuf_init(&memo->normalized);
    strbuf_init(&memo->redacted);
    strbuf_init(&memo->message);
    strbuf_init(&memo->parameter);
    strbuf_init(&memo->expanded);
    strbuf_init(&memo->part);
    strbuf_init(&memo->unknown);
    strbuf_init(&memo->sql_mode);
    sql_tables_init(&memo->tables);
    sql_parts_init(&memo->parts);
    return memo;
}

void memo_free(struct memo *memo)
{
    if (!memo)
        return;
    strbuf_release(&memo->normalized);
    strbuf_release(&memo->redacted);
    strbuf_release(&memo->message);
    strbuf_release(&memo->parameter);
    strbuf_release(&memo->expanded);
    strbuf_release(&memo->part);
    strbuf_release(&memo->unknown);
    strbuf_release(&memo->sql_mode);
    parameters_reset(&memo->parameters);
    sql_tables_release(&memo->tables);
    sql_parts_release(&memo->parts);
    free(memo);
}

void session_environment_init(struct session_environment *environment)
{
    sql_digester_init(&environment->digester);
    sql_runs_init(&environment->runs);
    environment->memos = NULL;
}

void session_environment_release(struct session_environment *environment)
{
    while (environment->memos) {
        struct memo *next = environment->memos->next;
        memo_free(environment->memos);
        environment->memos = next;
    }
    sql_digester_release(&environment->digester);
    sql_runs_release(&environment->runs);
}

static void empty(struct strbuf *buffer)
{
    if (buffer->capacity > KEPT_BYTES)
        strbuf_release(buffer);
    else
        strbuf_reset(buffer);
}

static void clear(struct memo *memo)
{
    memo->has_kinds = memo->has_digest = memo->has_normalized = memo->has_parts = memo->has_tables =
        memo->has_redacted = memo->has_expanded = memo->has_exact = false;
    parameters_reset(&memo->parameters);
    empty(&memo->normalized);
    empty(&memo->redacted);
    empty(&memo->message);
    empty(&memo->parameter);
    empty(&memo->expanded);
    empty(&memo->part);
    empty(&memo->unknown);
    empty(&memo->sql_mode);
}

struct memo *memo_of(struct observed *observed)
{
    struct command *command = &observed->command;
    struct session_environment *environment = observed->environment;
    if (command->memo)
        return command->memo;
    if (command->prepared) {
        if (!command->prepared->memo)
            command->prepared->memo = memo_new();
        command->memo = command->prepared->memo;
    } else if (environment->memos) {
        command->memo = environment->memos;
        environment->memos = command->memo->next;
    } else {
        command->memo = memo_new();
    }
    return command->memo;
}

void memo_next_statement(struct observed *observed)
{
    struct command *command = &observed->command;
    if (command->memo && !command->prepared)
        clear(command->memo);
}

/* A prepared statement keeps what is the same in its next execution, and little memory. */
static void trim_prepared(struct memo *memo)
{
    parameters_reset(&memo->parameters);
    strbuf_release(&memo->normalized);
    memo->has_normalized = memo->has_redacted = memo->has_expanded = false;
    strbuf_release(&memo->redacted);
    strbuf_release(&memo->message);
    strbuf_release(&memo->parameter);
    strbuf_release(&memo->expanded);
    strbuf_release(&memo->part);
    strbuf_release(&memo->unknown);
    strbuf_release(&memo->sql_mode);
    if (memo->has_tables && memo->tables.count + memo->tables.routine_count > KEPT_NAMES) {
        sql_tables_release(&memo->tables);
        memo->has_tables = false;
    }
    if (memo->has_parts) {
        sql_parts_release(&memo->parts);
        sql_parts_init(&memo->parts);
        memo->has_parts = false;
    }
}

void memo_end_command(struct observed *observed)
{
    struct command *command = &observed->command;
    struct memo *memo = command->memo;
    command->memo = NULL;
    if (!memo)
        return;
    if (command->prepared && command->prepared->memo == memo) {
        trim_prepared(memo);
        return;
    }
    clear(memo);
    memo->next = observed->environment->memos;
    observed->environment->memos = memo;
}
