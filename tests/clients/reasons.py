# SPDX-License-Identifier: Apache-2.0
"""Why something differs where that is known: (features, pattern of the client's name, pattern of what is read through weir, why).
What stands here is in docs/clients.md as a difference with its reason; what does not fails the run. A reason that explains nothing
any more is named at the end of a full run, and goes."""

OWN_ERRORS = ("When the server has closed a session, weir tells the client why in an error packet, with a client's error number, and then "
              "closes its half. Connector/C takes such a packet for malformed; other clients read it, but find out one statement later "
              "that the connection is gone, so that reconnecting by itself and checks of pools fail once.")
OWN_IDS = ("The id in weir's greeting is weir's own, and has its highest bit set. KILL by either number works, but the two are not the "
           "same number, and clients that read the id as a signed one cannot cancel by it.")
NO_SWITCH = ("The client does not set CLIENT_PLUGIN_AUTH, which weir requires: error 1251.")
COMPRESSION = ("The client compresses without having been offered it.")
NOT_OFFERED = "The test insists that the connection is compressed, and weir does not offer compression."
QUADRATIC = ("The parameters of an execution are walked from the first one for each of them, so that one with 65,535 parameters takes minutes; "
             "the program was ended after 150 s, and those after it failed, which pass alone.")
VANISHED = "The driver closes the connection in the middle of a statement, which the server notices; through weir the statement goes on to its end."
SHUTDOWN = ("weir tells sessions that it ends with error 1053; MariaDB closes them.")

REASONS = [
    ("reconnect|pool", ".*", r"2027|2013|2006|2055|weir: |Lost connection|[Mm]alformed packet|Server has gone away|invalid connection|unexpected EOF|at EOF|"
     r"ECONNRESET|PROTOCOL_CONNECTION_LOST|SQLTransientConnectionException|SQLNonTransientConnectionException", OWN_ERRORS),
    ("work", "mariadb shell|mariadb-admin|a restart|Connector/C|DBD::MariaDB", r"2027|Lost connection to server during query|Server has gone away", OWN_ERRORS),
    ("work", "Connector/C", r"test_compress not ok|connection: 40 tests", NOT_OFFERED),
    ("work", "Connector/C", r"test_conc83 not ok|ps: 73 tests", OWN_ERRORS),
    ("work", "DBD::MariaDB", r"lost-connection|status|Failed test", OWN_ERRORS),
    ("work", "Connector/C", r"ps_bugs did not end|ps_new: 0 tests|result: 18 tests", QUADRATIC),
    ("ids", ".*", r"(?i)agree.*(0|false)", OWN_IDS),
    ("cancel", "go-sql-driver.*", "server notices false", VANISHED),
    ("cancel", ".*", r"Unknown thread|soon false|0\|;", OWN_IDS),
    (".*", "npm mysql", r"1251|^$|ended with", NO_SWITCH),
    ("compression", ".*", ".*", COMPRESSION),
    ("work", "a restart", r"1053", SHUTDOWN),
]
