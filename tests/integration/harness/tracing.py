# SPDX-License-Identifier: Apache-2.0
"""WEIR_TRACE_CRASH=1: every gateway, and every client that is based on Connector/C, this program's own MySQLdb among them,
runs with the plugin test_trace in it, which aborts the program on an event that does not fit the protocol."""
import os

from .paths import CLIENT_TRACE_PLUGINS

TRACE_CRASH = os.environ.get("WEIR_TRACE_CRASH") == "1"
VARIABLES = {"MARIADB_PLUGIN_DIR": str(CLIENT_TRACE_PLUGINS), "LIBMYSQL_PLUGINS": "test_trace",
             "MYSQL_TEST_TRACE_CRASH": "1", "WEIR_TRACE_OTHER_PLUGIN_DIR": ""}


def trace_clients():
    """Sets what programs inherit. To be called before the client library reads it, at the first connection."""
    if TRACE_CRASH:
        os.environ |= VARIABLES


def untraced():
    """The environment without that: for the cases that say themselves what traces a client."""
    return {name: value for name, value in os.environ.items() if name not in VARIABLES}
