# SPDX-License-Identifier: Apache-2.0
"""What a client can see of a statement's end, as plain values that compare."""
import pymysql


def run(connection, sql, arguments=None):
    """Executes with PyMySQL and returns all that the client knows afterwards; an error is a value too. Every result of
    a multi-statement or a procedure is one entry of the list."""
    seen = []
    with connection.cursor() as cursor:
        try:
            cursor.execute(sql, arguments)
            while True:
                seen.append(result_of(cursor))
                if not cursor.nextset():
                    return seen
        except pymysql.err.MySQLError as error:
            seen.append(error_of(error))
            return seen


def result_of(cursor):
    result = cursor._result  # the last packet's facts, which the DB API hides
    return {"columns": cursor.description, "rows": list(cursor.fetchall()), "affected": cursor.rowcount,
            "insert id": cursor.lastrowid, "warnings": result.warning_count, "info": result.message,
            "status": result.server_status}


def error_of(error):
    return {"error": type(error).__name__, "arguments": error.args}


def failure(call):
    """The error that call() raises, as a value; fails when it raises none."""
    try:
        call()
    except Exception as error:
        return error_of(error)
    raise AssertionError("no error was raised")
