/* SPDX-License-Identifier: Apache-2.0
 *
 * The errors that weir itself puts on the wire: each number is a row of one table, with its SQLSTATE
 * and when it comes. docs/errors.md says the same to users, and why these numbers.
 *
 * A server speaks in a server's numbers: 2000 to 2999 and 5000 to 5999 are for what client
 * libraries find out themselves, and Connector/C takes a packet that carries one for malformed. */
#ifndef WEIR_WIRE_ERRORS_H
#define WEIR_WIRE_ERRORS_H

#include <stdbool.h>
#include <stdint.h>

/* X(number, enumerator, SQLSTATE, when). */
#define WIRE_ERRORS(X)                                                                             \
    X(1040, WIRE_ER_CON_COUNT_ERROR, "08004", "max-connections is reached")                        \
    X(1041, WIRE_ER_OUT_OF_RESOURCES, "HY000", "there is no memory")                               \
    X(1043, WIRE_ER_HANDSHAKE_ERROR, "08S01",                                                      \
      "the client's login is not the protocol, or insists on what was not offered")                \
    X(1045, WIRE_ER_ACCESS_DENIED_ERROR, "28000", "a plugin refuses, and gives no number")         \
    X(1053, WIRE_ER_SERVER_SHUTDOWN, "08S01", "weir ends while an answer is due")                  \
    X(1064, WIRE_ER_PARSE_ERROR, "42000", "a statement for weir is misspelt")                      \
    X(1094, WIRE_ER_NO_SUCH_THREAD, "HY000", "a session that is to be killed has just ended")      \
    X(1105, WIRE_ER_UNKNOWN_ERROR, "HY000",                                                        \
      "a plugin could not do its work, or its administration has failed; a PROXY header cannot "   \
      "be "                                                                                        \
      "read")                                                                                      \
    X(1123, WIRE_ER_CANT_INITIALIZE_UDF, "HY000",                                                  \
      "a plugin's function has failed, or is disabled")                                            \
    X(1130, WIRE_ER_HOST_NOT_PRIVILEGED, "HY000",                                                  \
      "a PROXY header comes from an address that -proxy-protocol-networks does not list")          \
    X(1153, WIRE_ER_NET_PACKET_TOO_LARGE, "08S01", "a command is larger than max-command-bytes")   \
    X(1156, WIRE_ER_NET_PACKETS_OUT_OF_ORDER, "08S01", "the client's bytes are not the protocol")  \
    X(1157, WIRE_ER_NET_UNCOMPRESS_ERROR, "08S01", "the client's compressed bytes are damaged")    \
    X(1159, WIRE_ER_NET_READ_INTERRUPTED, "08S01",                                                 \
      "the login takes longer than handshake-timeout")                                             \
    X(1227, WIRE_ER_SPECIFIC_ACCESS_DENIED_ERROR, "42000",                                         \
      "a statement for weir needs a privilege")                                                    \
    X(1228, WIRE_ER_LOCAL_VARIABLE, "HY000", "SET GLOBAL of a plugin's session variable")          \
    X(1229, WIRE_ER_GLOBAL_VARIABLE, "HY000", "SET SESSION of a plugin's global variable")         \
    X(1231, WIRE_ER_WRONG_VALUE_FOR_VAR, "42000", "a plugin's variable cannot have that value")    \
    X(1232, WIRE_ER_WRONG_TYPE_FOR_VAR, "42000", "a plugin's variable cannot have that type")      \
    X(1235, WIRE_ER_NOT_SUPPORTED_YET, "42000",                                                    \
      "a statement for weir, or a KILL of a session at another backend, stands among others or "   \
      "inside of another one")                                                                     \
    X(1238, WIRE_ER_INCORRECT_GLOBAL_LOCAL_VAR, "HY000", "SET of a plugin's constant")             \
    X(1243, WIRE_ER_UNKNOWN_STMT_HANDLER, "HY000", "the statement prepared last was refused")      \
    X(1251, WIRE_ER_NOT_SUPPORTED_AUTH_MODE, "08004",                                              \
      "the client cannot be asked for its account's authentication method")                        \
    X(1290, WIRE_ER_OPTION_PREVENTS_STATEMENT, "HY000",                                            \
      "a statement would change a plugin that -plugin-locked names")                               \
    X(1295, WIRE_ER_UNSUPPORTED_PS, "HY000", "a statement for weir is prepared")                   \
    X(1317, WIRE_ER_QUERY_INTERRUPTED, "70100",                                                    \
      "events only: a statement of a text did not run after an earlier one has failed")            \
    X(1429, WIRE_ER_CONNECT_TO_FOREIGN_DATA_SOURCE, "08S01",                                       \
      "the backend cannot be reached, or is lost during the login")                                \
    X(1461, WIRE_ER_MAX_PREPARED_STMT_COUNT_REACHED, "42000", "max-prepared-bytes is reached")     \
    X(1582, WIRE_ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT, "42000",                                       \
      "a plugin's function is called with arguments of the wrong number")                          \
    X(1927, WIRE_ER_CONNECTION_KILLED, "08S01",                                                    \
      "the backend is lost, or not understood, while an answer is due; in events: so ended what "  \
      "was running when its session did")                                                          \
    X(3159, WIRE_ER_SECURE_TRANSPORT_REQUIRED, "HY000", "the client does not use TLS, and must")

enum wire_error_number {
#define X(number, enumerator, sqlstate, when) enumerator = (number),
    WIRE_ERRORS(X)
#undef X
};

const char *wire_error_sqlstate(uint16_t number); /* "HY000" for one that is not listed */

/* Whether the number is one of a client library's own, which no server sends. */
static inline bool wire_error_is_clients(unsigned number)
{
    return (number >= 2000 && number < 3000) || (number >= 5000 && number < 6000);
}

#endif
