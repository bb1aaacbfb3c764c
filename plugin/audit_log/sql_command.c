/* SPDX-License-Identifier: Apache-2.0
 *
 * MySQL's names of statements from weir's kinds. Most names follow from the kind by a rule:
 * CreateTable is create_table. `others` lists the names that do not; the first row of a kind is
 * the one that is written, all rows of a kind are matched. `finer` lists names that MySQL has and
 * weir does not tell apart, with the coarser name to use; the compiler of filters says so when one
 * is used. */
#include "sql_command.h"

#include <ctype.h>
#include <strings.h>

#include "sql_finer.h"

/* Names that are not the kind in another spelling. The first one of a kind is what is written. */
static const struct {
    const char *name, *kind;
} others[] = {
    {"create_db", "CreateDatabase"},
    {"drop_db", "DropDatabase"},
    {"alter_db", "AlterDatabase"},
    {"change_db", "Use"},
    {"set_option", "Set"},
    {"truncate", "TruncateTable"},
    {"load", "LoadData"},
    {"analyze", "AnalyzeTable"},
    {"check", "CheckTable"},
    {"checksum", "ChecksumTable"},
    {"optimize", "OptimizeTable"},
    {"repair", "RepairTable"},
    {"assign_to_keycache", "CacheIndex"},
    {"preload_keys", "LoadIndex"},
    {"call_procedure", "Call"},
    {"prepare_sql", "Prepare"},
    {"execute_sql", "Execute"},
    {"dealloc_sql", "Deallocate"},
    {"create_spfunction", "CreateFunction"},
    {"change_replication_source", "ChangeMaster"},
    {"change_master", "ChangeMaster"},
    {"replica_start", "StartReplica"},
    {"slave_start", "StartReplica"},
    {"replica_stop", "StopReplica"},
    {"slave_stop", "StopReplica"},
    {"install_plugin", "Install"},
    {"uninstall_plugin", "Uninstall"},
    {"explain_other", "ExplainConnection"},
    {"empty_query", "Empty"},
};

/* Names that MySQL distinguishes, and weir does not; one that ends in '_' begins names. */
static const struct {
    const char *name, *coarser;
} finer[] = {
    {"insert_select", "insert"},
    {"replace_select", "replace"},
    {"update_multi", "update"},
    {"delete_multi", "delete"},
    {"show_", "show"},
    {"xa_", "xa"},
    {"ha_", "handler"},
    {"revoke_all", "revoke"},
    {"rollback_to_savepoint", "rollback"},
    {"alter_user_default_role", "alter_user"},
    {"alter_db_upgrade", "alter_db"},
    {"resignal", "signal"},
    {"admin_commands", "the field general_command.str"},
};

static bool is_words(weir_string text, const char *words)
{
    return text.size == strlen(words) && memcmp(text.data, words, text.size) == 0;
}

void sql_command_add(struct strbuf *text, weir_string kind)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (is_words(kind, others[i].kind)) {
            strbuf_add_text(text, others[i].name);
            return;
        }
    }
    for (size_t i = 0; i < kind.size; i++) {
        unsigned char c = (unsigned char)kind.data[i];
        if (isupper(c) && i && !isupper((unsigned char)kind.data[i - 1]))
            strbuf_add_byte(text, '_');
        if (isalnum(c))
            strbuf_add_byte(text, (char)tolower(c));
    }
}

/* create_table is CreateTable. */
static bool is_other_spelling(weir_string name, weir_string kind)
{
    size_t at = 0;
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '_')
            continue;
        if (at == kind.size || tolower((unsigned char)kind.data[at]) != name.data[i])
            return false;
        at++;
    }
    return at == kind.size;
}

bool sql_command_is(weir_string kind, weir_string name)
{
    if (!kind.size)
        return name.size == 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is_words(name, others[i].name))
            return is_words(kind, others[i].kind);
    return is_other_spelling(name, kind);
}

void sql_command_add_finer(struct strbuf *text, weir_string kind, weir_string sql)
{
    const char *name = sql_finer(kind, sql);
    if (name)
        strbuf_add_text(text, name);
    else
        sql_command_add(text, kind);
}

bool sql_command_kind(weir_string name, struct strbuf *kind)
{
    const char *coarser = sql_command_coarser(name);
    if (coarser && !strchr(coarser, ' '))
        name = (weir_string){coarser, strlen(coarser)};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (is_words(name, others[i].name)) {
            strbuf_add_text(kind, others[i].kind);
            return true;
        }
    }
    bool begins_word = true;
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] != '_')
            strbuf_add_byte(kind, (unsigned char)(begins_word ? toupper((unsigned char)name.data[i])
                                                              : name.data[i]));
        begins_word = name.data[i] == '_';
    }
    return name.size > 0;
}

const char *sql_command_coarser(weir_string name)
{
    for (size_t i = 0; i < sizeof finer / sizeof *finer; i++) {
        size_t size = strlen(finer[i].name);
        bool is_beginning = finer[i].name[size - 1] == '_';
        if (name.size >= size && memcmp(name.data, finer[i].name, size) == 0 &&
            (is_beginning || name.size == size))
            return finer[i].coarser;
    }
    return NULL;
}
