/* SPDX-License-Identifier: Apache-2.0
 *
 * What the plugin keeps for one client from its login to its end: which tallies count it, and a
 * copy of the databases it may use.
 *
 * A statement is allowed if all its tables are known and each is in one of those databases, or in
 * information_schema, which shows what the account may see anyway. A statement whose tables, or
 * whose reading, are not known, or that creates, alters or drops a database, is refused: it could
 * reach any. So is the execution of what was prepared while nobody looked. */
#include "visit.h"

#include <stdlib.h>
#include <string.h>
#include <weir/text.h>

static void free_list(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

bool visit_set_databases(struct visit *visit, char *const *databases)
{
    size_t count = 0;
    while (databases && databases[count])
        count++;
    char **copies = databases ? calloc(count + 1, sizeof *copies) : NULL;
    bool ok = copies || !databases;
    for (size_t i = 0; ok && i < count; i++) {
        copies[i] = strdup(databases[i]);
        ok = copies[i] != NULL;
    }
    if (!ok) {
        free_list(copies);
        return false;
    }
    free_list(visit->databases);
    visit->databases = copies;
    return true;
}

void visit_end(struct visit *visit)
{
    if (visit->address.size)
        tally_leave(&visit->address);
    if (visit->account.size)
        tally_leave(&visit->account);
    free_list(visit->databases);
    *visit = (struct visit){0};
}

static bool is_among(char *const *databases, weir_string name)
{
    bool found = text_is_word(name, "information_schema"); /* shows what one may see anyway */
    for (size_t i = 0; databases[i] && !found; i++)
        found = text_is(name, databases[i]);
    return found;
}

/* Statements that are about databases, and name no table. */
static bool is_about_databases(const weir_session *session)
{
    static const char *const kinds[] = {"CreateDatabase", "AlterDatabase", "DropDatabase"};
    weir_part part;
    bool found = false;
    for (size_t i = 0; !found && weir_statement_part(session, i, &part); i++)
        for (size_t j = 0; j < sizeof kinds / sizeof *kinds; j++)
            found = found || text_is(part.specific_kind, kinds[j]);
    return found;
}

/* Whether its text is there, if it has one, and is read as the server reads it. */
static bool is_read(const weir_session *session)
{
    enum { EXECUTE = 0x17, BULK_EXECUTE = 0xfa };
    uint64_t code = weir_command_code(session);
    return weir_sql(session).data ? weir_reading_known(session) == 1
                                  : code != EXECUTE && code != BULK_EXECUTE;
}

bool visit_allows(const struct visit *visit, const weir_session *session)
{
    weir_table table;
    weir_routine routine;
    bool ok = is_read(session) && weir_names_known(session) == 1 && !is_about_databases(session);
    for (size_t i = 0; ok && weir_statement_table(session, i, &table); i++)
        ok = is_among(visit->databases, table.schema);
    for (size_t i = 0; ok && weir_statement_routine(session, i, &routine); i++)
        ok = is_among(visit->databases, routine.schema);
    return ok;
}
