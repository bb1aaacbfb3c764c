/* SPDX-License-Identifier: Apache-2.0
 *
 * The privileges that servers have, as SHOW GRANTS names them: a misspelt one would be held by nobody. */
#include <string.h>

#include "plugin/package/elements.h"

/* clang-format off */
/* X(name): MariaDB 10.11 to 11.8, most of them MySQL's too. */
#define MARIADB_PRIVILEGES(X)                                                                      \
    X("ALL PRIVILEGES") X("ALTER") X("ALTER ROUTINE") X("BINLOG ADMIN") X("BINLOG MONITOR")        \
    X("BINLOG REPLAY") X("CONNECTION ADMIN") X("CREATE") X("CREATE ROUTINE")                       \
    X("CREATE TABLESPACE") X("CREATE TEMPORARY TABLES") X("CREATE USER") X("CREATE VIEW")          \
    X("DELETE") X("DELETE HISTORY") X("DROP") X("EVENT") X("EXECUTE") X("FEDERATED ADMIN")         \
    X("FILE") X("GRANT OPTION") X("INDEX") X("INSERT") X("LOCK TABLES") X("PROCESS") X("PROXY")    \
    X("READ_ONLY ADMIN") X("REFERENCES") X("RELOAD") X("REPLICATION CLIENT")                       \
    X("REPLICATION MASTER ADMIN") X("REPLICATION REPLICA") X("REPLICATION REPLICA ADMIN")          \
    X("REPLICATION SLAVE") X("REPLICATION SLAVE ADMIN") X("SELECT") X("SET USER")                  \
    X("SHOW CREATE ROUTINE") X("SHOW DATABASES") X("SHOW VIEW") X("SHUTDOWN") X("SLAVE MONITOR")   \
    X("REPLICA MONITOR") X("SUPER") X("TRIGGER") X("UPDATE") X("USAGE")

/* Of MySQL 8.0 to 9 alone. */
#define MYSQL_PRIVILEGES(X)                                                                        \
    X("CREATE ROLE") X("DROP ROLE") X("ALLOW_NONEXISTENT_DEFINER")                                 \
    X("APPLICATION_PASSWORD_ADMIN") X("AUDIT_ABORT_EXEMPT") X("AUDIT_ADMIN")                       \
    X("AUTHENTICATION_POLICY_ADMIN") X("BACKUP_ADMIN") X("BINLOG_ADMIN")                           \
    X("BINLOG_ENCRYPTION_ADMIN") X("CLONE_ADMIN") X("CONNECTION_ADMIN")                            \
    X("ENCRYPTION_KEY_ADMIN") X("FIREWALL_ADMIN") X("FIREWALL_EXEMPT") X("FIREWALL_USER")          \
    X("FLUSH_OPTIMIZER_COSTS") X("FLUSH_PRIVILEGES") X("FLUSH_STATUS") X("FLUSH_TABLES")           \
    X("FLUSH_USER_RESOURCES") X("GROUP_REPLICATION_ADMIN") X("GROUP_REPLICATION_STREAM")           \
    X("INNODB_REDO_LOG_ARCHIVE") X("INNODB_REDO_LOG_ENABLE") X("MASKING_DICTIONARIES_ADMIN")       \
    X("NDB_STORED_USER") X("OPTIMIZE_LOCAL_TABLE") X("PASSWORDLESS_USER_ADMIN")                    \
    X("PERSIST_RO_VARIABLES_ADMIN") X("REPLICATION_APPLIER") X("REPLICATION_SLAVE_ADMIN")          \
    X("RESOURCE_GROUP_ADMIN") X("RESOURCE_GROUP_USER") X("ROLE_ADMIN")                             \
    X("SENSITIVE_VARIABLES_OBSERVER") X("SERVICE_CONNECTION_ADMIN") X("SESSION_VARIABLES_ADMIN")   \
    X("SET_ANY_DEFINER") X("SET_USER_ID") X("SHOW_ROUTINE") X("SKIP_QUERY_REWRITE")                \
    X("SYSTEM_USER") X("SYSTEM_VARIABLES_ADMIN") X("TABLE_ENCRYPTION_ADMIN")                       \
    X("TELEMETRY_LOG_ADMIN") X("TP_CONNECTION_ADMIN") X("TRANSACTION_GTID_TAG")                    \
    X("VERSION_TOKEN_ADMIN") X("XA_RECOVER_ADMIN")

/* Of TiDB alone. */
#define TIDB_PRIVILEGES(X)                                                                         \
    X("DASHBOARD_CLIENT") X("PLACEMENT_ADMIN") X("RESTRICTED_CONNECTION_ADMIN")                    \
    X("RESTRICTED_REPLICA_WRITER_ADMIN") X("RESTRICTED_STATUS_ADMIN")                              \
    X("RESTRICTED_TABLES_ADMIN") X("RESTRICTED_USER_ADMIN") X("RESTRICTED_VARIABLES_ADMIN")        \
    X("RESTORE_ADMIN")
/* clang-format on */

bool plugin_privilege_is_known(const char *name)
{
    static const char *const known[] = {
#define X(privilege) privilege,
        MARIADB_PRIVILEGES(X) MYSQL_PRIVILEGES(X) TIDB_PRIVILEGES(X)
#undef X
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], name) == 0)
            return true;
    return false;
}
