# SPDX-License-Identifier: Apache-2.0
"""The server's names of kinds (performance_schema's statement/sql/...) and those of the gateway's that mean the same. What is not
listed is not compared."""

_SAME = {
    "select": "Select SetOperation Values Table Show",  # SHOW COUNT(*) WARNINGS is one
    "insert": "Insert", "insert_select": "Insert", "replace": "Replace", "replace_select": "Replace",
    "update": "Update", "update_multi": "Update", "delete": "Delete", "delete_multi": "Delete",
    "load": "LoadData LoadXml", "call_procedure": "Call", "do": "Do", "change_db": "Use",
    # ALTER TABLE t ANALYZE PARTITION is a kind of its own to TiDB.
    "create_table": "CreateTable", "alter_table": "AlterTable AnalyzeTable", "drop_table": "DropTable", "truncate": "TruncateTable",
    "rename_table": "RenameTable", "create_index": "CreateIndex", "drop_index": "DropIndex",
    "create_db": "CreateDatabase", "drop_db": "DropDatabase", "alter_db": "AlterDatabase",
    "create_view": "CreateView AlterView", "drop_view": "DropView",
    "create_sequence": "CreateSequence", "drop_sequence": "DropSequence", "alter_sequence": "AlterSequence",
    "create_procedure": "CreateProcedure", "drop_procedure": "DropProcedure", "alter_procedure": "AlterProcedure",
    "create_function": "CreateFunction", "drop_function": "DropFunction", "alter_function": "AlterFunction",
    "create_trigger": "CreateTrigger", "drop_trigger": "DropTrigger",
    "create_event": "CreateEvent", "drop_event": "DropEvent", "alter_event": "AlterEvent",
    "create_user": "CreateUser", "drop_user": "DropUser", "rename_user": "RenameUser", "alter_user": "AlterUser",
    "create_role": "CreateRole", "drop_role": "DropRole", "set_role": "SetRole",
    "grant": "Grant", "revoke": "Revoke", "grant_role": "GrantRole", "revoke_role": "RevokeRole",
    "prepare_sql": "Prepare", "execute_sql": "Execute", "execute_immediate": "ExecuteImmediate",
    "dealloc_sql": "Deallocate", "compound_sql": "Compound", "begin": "Begin", "commit": "Commit", "rollback": "Rollback",
    "savepoint": "Savepoint", "release_savepoint": "ReleaseSavepoint", "lock_tables": "LockTables",
    "unlock_tables": "UnlockTables", "ha_open": "Handler", "ha_read": "Handler", "ha_close": "Handler",
    "check": "CheckTable", "checksum": "ChecksumTable", "analyze": "AnalyzeTable", "optimize": "OptimizeTable",
    "repair": "RepairTable", "set_option": "Set SetGlobal SetPassword SetTransaction SetStatement SetOther SetDefaultRole SetRole",
    "signal": "Signal", "resignal": "Signal", "get_diagnostics": "GetDiagnostics", "kill": "Kill", "flush": "Flush",
    "empty_query": "Empty",
}
EXPECTED = {f"statement/sql/{name}": frozenset(same.split()) for name, same in _SAME.items()}
# The server names an EXPLAIN by what it explains.
EXPLAINS = frozenset(("Explain", "ExplainAnalyze", "Describe"))
