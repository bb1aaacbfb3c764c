/* SPDX-License-Identifier: Apache-2.0
 *
 * The protocol's lists, each written once: commands, capabilities, status flags, field types,
 * session-state types, limits. Whatever prints, parses or documents one of them does so from its
 * list.
 *
 * Numbers are those of MySQL 8.0 and MariaDB 10.11; where the two disagree, the comment says how.
 */
#ifndef WEIR_WIRE_PROTOCOL_H
#define WEIR_WIRE_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a command is answered with. */
enum wire_reply_shape {
    WIRE_REPLY_NONE,       /* nothing: the next command may follow at once */
    WIRE_REPLY_ONE,        /* one packet: OK, EOF or ERR */
    WIRE_REPLY_RESULT,     /* OK, ERR, LOCAL INFILE request or result sets; several of them */
    WIRE_REPLY_PREPARE,    /* PREPARE_OK and the definitions it announces */
    WIRE_REPLY_FIELDS,     /* column definitions up to an EOF, without a column count */
    WIRE_REPLY_ROWS,       /* rows up to an EOF, without definitions */
    WIRE_REPLY_STATISTICS, /* one packet of bare text */
    WIRE_REPLY_AUTH,       /* an authentication exchange */
    WIRE_REPLY_BINLOG,     /* events until EOF, ERR or the end of the connection */
};

/* Where an error of a command is read: what it means to refuse the command. */
enum wire_error_place {
    WIRE_ERROR_IN_REPLY,   /* in place of its reply */
    WIRE_ERROR_IN_EXECUTE, /* it has no reply: the statement keeps the error, and each execution is
                              answered with it, until COM_STMT_RESET */
    WIRE_ERROR_NOWHERE,    /* it has no reply, and cannot fail: it is carried out in any case */
};

/* X(code, enumerator, name as TiDB prints it, reply shape, error place). Codes that are not listed
 * are answered with one packet, in practice an ERR. */
#define WIRE_COMMANDS(X)                                                                           \
    X(0x00, WIRE_COM_SLEEP, "Sleep", ONE, IN_REPLY)                                                \
    X(0x01, WIRE_COM_QUIT, "Quit", NONE, NOWHERE)                                                  \
    X(0x02, WIRE_COM_INIT_DB, "Init DB", ONE, IN_REPLY)                                            \
    X(0x03, WIRE_COM_QUERY, "Query", RESULT, IN_REPLY)                                             \
    X(0x04, WIRE_COM_FIELD_LIST, "Field List", FIELDS, IN_REPLY)                                   \
    X(0x05, WIRE_COM_CREATE_DB, "Create DB", ONE, IN_REPLY)                                        \
    X(0x06, WIRE_COM_DROP_DB, "Drop DB", ONE, IN_REPLY)                                            \
    X(0x07, WIRE_COM_REFRESH, "Refresh", ONE, IN_REPLY)                                            \
    X(0x08, WIRE_COM_SHUTDOWN, "Shutdown", ONE, IN_REPLY)                                          \
    X(0x09, WIRE_COM_STATISTICS, "Statistics", STATISTICS, IN_REPLY)                               \
    X(0x0a, WIRE_COM_PROCESS_INFO, "Processlist", RESULT, IN_REPLY)                                \
    X(0x0b, WIRE_COM_CONNECT, "Connect", ONE, IN_REPLY)                                            \
    X(0x0c, WIRE_COM_PROCESS_KILL, "Kill", ONE, IN_REPLY)                                          \
    X(0x0d, WIRE_COM_DEBUG, "Debug", ONE, IN_REPLY)                                                \
    X(0x0e, WIRE_COM_PING, "Ping", ONE, IN_REPLY)                                                  \
    X(0x0f, WIRE_COM_TIME, "Time", ONE, IN_REPLY)                                                  \
    X(0x10, WIRE_COM_DELAYED_INSERT, "Delayed Insert", ONE, IN_REPLY)                              \
    X(0x11, WIRE_COM_CHANGE_USER, "Change User", AUTH, IN_REPLY)                                   \
    X(0x12, WIRE_COM_BINLOG_DUMP, "Binlog Dump", BINLOG, IN_REPLY)                                 \
    X(0x13, WIRE_COM_TABLE_DUMP, "Table Dump", ONE, IN_REPLY)                                      \
    X(0x14, WIRE_COM_CONNECT_OUT, "Connect out", ONE, IN_REPLY)                                    \
    X(0x15, WIRE_COM_REGISTER_SLAVE, "Register Slave", ONE, IN_REPLY)                              \
    X(0x16, WIRE_COM_STMT_PREPARE, "Prepare", PREPARE, IN_REPLY)                                   \
    X(0x17, WIRE_COM_STMT_EXECUTE, "Execute", RESULT, IN_REPLY)                                    \
    X(0x18, WIRE_COM_STMT_SEND_LONG_DATA, "Long Data", NONE, IN_EXECUTE)                           \
    X(0x19, WIRE_COM_STMT_CLOSE, "Close stmt", NONE, NOWHERE)                                      \
    X(0x1a, WIRE_COM_STMT_RESET, "Reset stmt", ONE, IN_REPLY)                                      \
    X(0x1b, WIRE_COM_SET_OPTION, "Set option", ONE, IN_REPLY)                                      \
    X(0x1c, WIRE_COM_STMT_FETCH, "Fetch", ROWS, IN_REPLY)                                          \
    X(0x1d, WIRE_COM_DAEMON, "Daemon", ONE, IN_REPLY)                                              \
    X(0x1e, WIRE_COM_BINLOG_DUMP_GTID, "Binlog Dump", BINLOG, IN_REPLY)                            \
    X(0x1f, WIRE_COM_RESET_CONNECTION, "Reset connect", ONE, IN_REPLY)                             \
    X(0xfa, WIRE_COM_STMT_BULK_EXECUTE, "Bulk Execute", RESULT, IN_REPLY) /* MariaDB */

enum wire_command {
#define X(code, enumerator, name, shape, place) enumerator = (code),
    WIRE_COMMANDS(X)
#undef X
};

/* The name, "Unknown" for a code that is not listed. A static text. */
const char *wire_command_name(uint8_t code);
enum wire_reply_shape wire_command_reply_shape(uint8_t code);
enum wire_error_place wire_command_error_place(uint8_t code);

/* X(bit, name, relayed): capabilities. `relayed` is 1 when a gateway that passes packets on as they
 * are can offer the capability: bytes keep their meaning, and the tracker understands them.
 * Compression and TLS belong to one leg only; an unknown bit could change any layout.
 *
 * Bit 0 is MySQL's CLIENT_LONG_PASSWORD and is always set there. A MariaDB server leaves it clear:
 * then, and only if the client leaves it clear too, bits 32 and up (MariaDB's extended
 * capabilities) count; they travel in bytes that MySQL reserves. Bit 29 was MariaDB's first,
 * withdrawn, progress flag. */
#define WIRE_CAPABILITIES(X)                                                                       \
    X(0, CLIENT_MYSQL, 1)                                                                          \
    X(1, CLIENT_FOUND_ROWS, 1)                                                                     \
    X(2, CLIENT_LONG_FLAG, 1)                                                                      \
    X(3, CLIENT_CONNECT_WITH_DB, 1)                                                                \
    X(4, CLIENT_NO_SCHEMA, 1)                                                                      \
    X(5, CLIENT_COMPRESS, 0)                                                                       \
    X(6, CLIENT_ODBC, 1)                                                                           \
    X(7, CLIENT_LOCAL_FILES, 1)                                                                    \
    X(8, CLIENT_IGNORE_SPACE, 1)                                                                   \
    X(9, CLIENT_PROTOCOL_41, 1)                                                                    \
    X(10, CLIENT_INTERACTIVE, 1)                                                                   \
    X(11, CLIENT_SSL, 0)                                                                           \
    X(12, CLIENT_IGNORE_SIGPIPE, 1)                                                                \
    X(13, CLIENT_TRANSACTIONS, 1)                                                                  \
    X(14, CLIENT_RESERVED, 1)                                                                      \
    X(15, CLIENT_SECURE_CONNECTION, 1)                                                             \
    X(16, CLIENT_MULTI_STATEMENTS, 1)                                                              \
    X(17, CLIENT_MULTI_RESULTS, 1)                                                                 \
    X(18, CLIENT_PS_MULTI_RESULTS, 1)                                                              \
    X(19, CLIENT_PLUGIN_AUTH, 1)                                                                   \
    X(20, CLIENT_CONNECT_ATTRS, 1)                                                                 \
    X(21, CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA, 1)                                                \
    X(22, CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS, 1)                                                  \
    X(23, CLIENT_SESSION_TRACK, 1)                                                                 \
    X(24, CLIENT_DEPRECATE_EOF, 1)                                                                 \
    X(25, CLIENT_OPTIONAL_RESULTSET_METADATA, 1)                                                   \
    X(26, CLIENT_ZSTD_COMPRESSION_ALGORITHM, 0)                                                    \
    X(27, CLIENT_QUERY_ATTRIBUTES, 1)                                                              \
    X(28, CLIENT_MULTI_FACTOR_AUTHENTICATION, 0)                                                   \
    X(29, CLIENT_CAPABILITY_EXTENSION, 0)                                                          \
    X(30, CLIENT_SSL_VERIFY_SERVER_CERT, 0)                                                        \
    X(31, CLIENT_REMEMBER_OPTIONS, 0)                                                              \
    X(32, MARIADB_CLIENT_PROGRESS, 1)                                                              \
    X(33, MARIADB_CLIENT_COM_MULTI, 0)                                                             \
    X(34, MARIADB_CLIENT_STMT_BULK_OPERATIONS, 1)                                                  \
    X(35, MARIADB_CLIENT_EXTENDED_METADATA, 1)                                                     \
    X(36, MARIADB_CLIENT_CACHE_METADATA, 1)                                                        \
    X(37, MARIADB_CLIENT_BULK_UNIT_RESULTS, 1)

/* WIRE_CLIENT_PROTOCOL_41 and so on: numbers of bits; WIRE_CAP(CLIENT_PROTOCOL_41): the mask. */
enum wire_capability_bit {
#define X(bit, name, relayed) WIRE_##name = (bit),
    WIRE_CAPABILITIES(X)
#undef X
};
#define WIRE_CAP(name) (UINT64_C(1) << WIRE_##name)

/* All capabilities that a verbatim relay can offer. */
uint64_t wire_relayed_capabilities(void);

/* X(name, remedy): capabilities that change all bytes to come, and that clients go by without a look at
 * the greeting: mysqlnd compresses when it is told to, and who asks for TLS goes on with it. Where
 * one was not offered, and is set all the same, the two sides do not understand each other: the
 * login must fail. The others count where both sides have set them, and clients go by that; they
 * set, say, CLIENT_DEPRECATE_EOF towards servers that do not have it. */
#define WIRE_INSISTENCES(X)                                                                        \
    X(CLIENT_COMPRESS, "turn compression off in the client (MYSQLI_CLIENT_COMPRESS, "              \
                       "PDO::MYSQL_ATTR_COMPRESS, --compress), or offer it with -compression")     \
    X(CLIENT_ZSTD_COMPRESSION_ALGORITHM,                                                           \
      "turn compression off in the client "                                                        \
      "(--compression-algorithms=uncompressed), or offer it with -compression")                    \
    X(CLIENT_SSL, "turn TLS off in the client, or give weir-server a certificate (-ssl-cert, "     \
                  "-ssl-key) or -auto-tls")

/* Of the capabilities that are set and not offered, the first that cannot be left out: its name, and
 * what to do about it. NULL: there is none. */
const char *wire_capability_insisted_on(uint64_t set, uint64_t offered, const char **remedy);

/* The capability's name, "CLIENT_PROTOCOL_41"; NULL for a bit that is not listed. */
const char *wire_capability_name(unsigned bit);

/* X(mask, name): server status flags. */
#define WIRE_STATUS_FLAGS(X)                                                                       \
    X(0x0001, SERVER_STATUS_IN_TRANS)                                                              \
    X(0x0002, SERVER_STATUS_AUTOCOMMIT)                                                            \
    X(0x0008, SERVER_MORE_RESULTS_EXISTS)                                                          \
    X(0x0010, SERVER_QUERY_NO_GOOD_INDEX_USED)                                                     \
    X(0x0020, SERVER_QUERY_NO_INDEX_USED)                                                          \
    X(0x0040, SERVER_STATUS_CURSOR_EXISTS)                                                         \
    X(0x0080, SERVER_STATUS_LAST_ROW_SENT)                                                         \
    X(0x0100, SERVER_STATUS_DB_DROPPED)                                                            \
    X(0x0200, SERVER_STATUS_NO_BACKSLASH_ESCAPES)                                                  \
    X(0x0400, SERVER_STATUS_METADATA_CHANGED)                                                      \
    X(0x0800, SERVER_QUERY_WAS_SLOW)                                                               \
    X(0x1000, SERVER_PS_OUT_PARAMS)                                                                \
    X(0x2000, SERVER_STATUS_IN_TRANS_READONLY)                                                     \
    X(0x4000, SERVER_SESSION_STATE_CHANGED)

enum wire_status_flag {
#define X(mask, name) WIRE_##name = (mask),
    WIRE_STATUS_FLAGS(X)
#undef X
};

/* How a field type's value is laid out in a binary row or a parameter. */
enum wire_binary_layout {
    WIRE_BINARY_NOTHING, /* MYSQL_TYPE_NULL */
    WIRE_BINARY_INTEGER, /* `width` bytes, little-endian */
    WIRE_BINARY_FLOAT,   /* `width` bytes, IEEE 754 */
    WIRE_BINARY_DATE,    /* length byte 0, 4, 7 or 11 */
    WIRE_BINARY_TIME,    /* length byte 0, 8 or 12 */
    WIRE_BINARY_STRING,  /* length-encoded string */
};

/* X(code, name, layout, width in bytes). */
#define WIRE_FIELD_TYPES(X)                                                                        \
    X(0x00, DECIMAL, WIRE_BINARY_STRING, 0)                                                        \
    X(0x01, TINY, WIRE_BINARY_INTEGER, 1)                                                          \
    X(0x02, SHORT, WIRE_BINARY_INTEGER, 2)                                                         \
    X(0x03, LONG, WIRE_BINARY_INTEGER, 4)                                                          \
    X(0x04, FLOAT, WIRE_BINARY_FLOAT, 4)                                                           \
    X(0x05, DOUBLE, WIRE_BINARY_FLOAT, 8)                                                          \
    X(0x06, NULL, WIRE_BINARY_NOTHING, 0)                                                          \
    X(0x07, TIMESTAMP, WIRE_BINARY_DATE, 0)                                                        \
    X(0x08, LONGLONG, WIRE_BINARY_INTEGER, 8)                                                      \
    X(0x09, INT24, WIRE_BINARY_INTEGER, 4)                                                         \
    X(0x0a, DATE, WIRE_BINARY_DATE, 0)                                                             \
    X(0x0b, TIME, WIRE_BINARY_TIME, 0)                                                             \
    X(0x0c, DATETIME, WIRE_BINARY_DATE, 0)                                                         \
    X(0x0d, YEAR, WIRE_BINARY_INTEGER, 2)                                                          \
    X(0x0e, NEWDATE, WIRE_BINARY_DATE, 0)                                                          \
    X(0x0f, VARCHAR, WIRE_BINARY_STRING, 0)                                                        \
    X(0x10, BIT, WIRE_BINARY_STRING, 0)                                                            \
    X(0xf2, VECTOR, WIRE_BINARY_STRING, 0)                                                         \
    X(0xf5, JSON, WIRE_BINARY_STRING, 0)                                                           \
    X(0xf6, NEWDECIMAL, WIRE_BINARY_STRING, 0)                                                     \
    X(0xf7, ENUM, WIRE_BINARY_STRING, 0)                                                           \
    X(0xf8, SET, WIRE_BINARY_STRING, 0)                                                            \
    X(0xf9, TINY_BLOB, WIRE_BINARY_STRING, 0)                                                      \
    X(0xfa, MEDIUM_BLOB, WIRE_BINARY_STRING, 0)                                                    \
    X(0xfb, LONG_BLOB, WIRE_BINARY_STRING, 0)                                                      \
    X(0xfc, BLOB, WIRE_BINARY_STRING, 0)                                                           \
    X(0xfd, VAR_STRING, WIRE_BINARY_STRING, 0)                                                     \
    X(0xfe, STRING, WIRE_BINARY_STRING, 0)                                                         \
    X(0xff, GEOMETRY, WIRE_BINARY_STRING, 0)

enum wire_field_type {
#define X(code, name, layout, width) WIRE_TYPE_##name = (code),
    WIRE_FIELD_TYPES(X)
#undef X
};

struct wire_field_type_info {
    const char *name; /* "LONGLONG" */
    enum wire_binary_layout layout;
    uint8_t width; /* bytes of an INTEGER or FLOAT layout */
};

/* NULL for a type that is not listed (its values cannot be skipped, so decoding must stop). */
const struct wire_field_type_info *wire_field_type_info(uint8_t type);

/* X(code, enumerator, name): session-state changes of an OK packet. */
#define WIRE_SESSION_STATES(X)                                                                     \
    X(0, WIRE_SESSION_SYSTEM_VARIABLES, "system_variables")                                        \
    X(1, WIRE_SESSION_SCHEMA, "schema")                                                            \
    X(2, WIRE_SESSION_STATE_CHANGE, "state_change")                                                \
    X(3, WIRE_SESSION_GTIDS, "gtids")                                                              \
    X(4, WIRE_SESSION_TRANSACTION_CHARACTERISTICS, "transaction_characteristics")                  \
    X(5, WIRE_SESSION_TRANSACTION_STATE, "transaction_state")

enum wire_session_state_type {
#define X(code, enumerator, name) enumerator = (code),
    WIRE_SESSION_STATES(X)
#undef X
};
const char *wire_session_state_name(uint64_t type); /* "unknown" for one that is not listed */

/* Limits, in bytes unless said otherwise. */
#define WIRE_HEADER_BYTES        4
#define WIRE_FRAME_MAX           0xffffffU /* payload of one frame; a full one announces another */
#define WIRE_SCRAMBLE_BYTES      20
#define WIRE_SCRAMBLE_MAX        254 /* its length with a NUL fits a byte */
#define WIRE_SSL_REQUEST_BYTES   32
#define WIRE_PIPELINE_MAX        4096  /* commands waiting for their replies */
#define WIRE_ATTRIBUTES_MAX      65536 /* block of connection attributes, as MySQL limits it */
#define WIRE_CHARSET_UTF8MB4     45    /* utf8mb4_general_ci */
#define WIRE_CHARSET_BINARY      63
#define WIRE_STATEMENT_LAST      0xffffffffU /* MariaDB: the statement that was prepared last */
#define WIRE_FIELD_FLAG_UNSIGNED 0x0020
#define WIRE_CURSOR_READ_ONLY    0x01
#define WIRE_SEMI_SYNC_MAGIC     0xef /* first byte of a replica's acknowledgement */

#endif
