# SPDX-License-Identifier: Apache-2.0
"""Why something differs where that is known: (features, pattern of the client's name, pattern of what is read through weir, why).
What stands here is in docs/clients.md as a difference with its reason; what does not fails the run. A reason that explains nothing
any more is named at the end of a full run, and goes."""

OWN_IDS = ("The id in weir's greeting is weir's own; CONNECTION_ID() and the process list show the backend's. KILL by either number works. "
           "With -backend-first the two are one.")
NO_SWITCH = "The client does not set CLIENT_PLUGIN_AUTH: error 1251, unless weir-server was started with -backend-first."
COMPRESSION = "The client compresses without having been offered it: error 1043."
NOT_OFFERED = "The test insists that the connection is compressed, and weir does not offer compression."
CROSSED = ("A statement that is sent in the moment in which the server closes is answered with weir's error 1927, which says that it is not known "
           "whether it took effect; directly the client finds the connection gone.")
TLS_ENDS = "TLS ends at weir; the test asks the server for Ssl_cipher, which is that of the connection between weir and the server."
KILLED = "A session that is killed while a statement runs is closed without a word; weir says so to the client with error 1927."

REASONS = [
    ("work", "mariadb-admin|mariadb shell|a restart", r"ERROR 1927", KILLED),
    ("reconnect|pool", ".*", r"1927|took effect is not known", CROSSED),
    ("work", "Connector/C", r"test_compress not ok|connection: 40 tests", NOT_OFFERED),
    ("work", "go-sql-driver.*", r"TestTLS.* FAIL|\d tests, status 1", TLS_ENDS),
    ("ids", ".*", r"(?i)agree.*(0|false)", OWN_IDS),
    (".*", "npm mysql", r"1251|^$|ended with", NO_SWITCH),
    ("compression", ".*", r"1043", COMPRESSION),
]
