# SPDX-License-Identifier: Apache-2.0
"""Which names before a parenthesis can be stored functions: what the room sql says (src/sql/builtin.def) is what the server does."""
import re

import pymysql
import pytest

from test_weir_digest import facts

pytestmark = pytest.mark.gateway_only
NO_FUNCTION = (1305, 1630)  # "FUNCTION x does not exist", with and without a hint at the blank before the parenthesis
ARGUMENTS = ("()", "(1)", "(1, 2)", "(1, 2, 3)")


def names_of_the_server(cursor):
    cursor.execute("SELECT LOWER(FUNCTION) FROM information_schema.SQL_FUNCTIONS UNION SELECT LOWER(WORD) FROM information_schema.KEYWORDS "
                   "UNION SELECT LOWER(name) FROM mysql.help_topic")
    return sorted({name for (name,) in cursor.fetchall() if re.fullmatch(r"[a-z_0-9]+", name)} | {"no_such_function"})


def can_be_stored(cursor, call):
    """Whether the server looks for a stored function of that name."""
    found = False
    for arguments in ARGUMENTS:
        try:
            cursor.execute("SELECT " + call + arguments)
            cursor.fetchall()
        except pymysql.Error as error:
            found = found or error.args[0] in NO_FUNCTION
    return found


@pytest.mark.parametrize("form", ["{}", "{} ", "`{}`"], ids=["adjacent", "after a blank", "in quotes"])
def test_what_the_server_looks_for_among_its_routines_is_told(database, form):
    with database.connect(database=None) as connection, connection.cursor() as cursor:
        names = names_of_the_server(cursor)
        cursor.execute("SELECT VERSION()")
        ((version,),) = cursor.fetchall()
        cursor.execute("USE mysql")
        stored = {name for name in names if can_be_stored(cursor, form.format(name))}
    assert "no_such_function" in stored and "abs" not in stored
    told = facts("\n".join(f'"select {form.format(name)}(1)"' for name in names), "-V", version, "-d", "mysql")
    routines = {name for name, one in zip(names, told) if "routines" in one}
    assert not stored - routines, "a stored function would not be noticed"
    assert routines - stored <= sequences(form), "a function of the server is taken for a stored one"


def sequences(form):
    """A sequence function in quotes is a name as any other, but the server reads it, too, where nothing of that name is stored."""
    return {"no_such_function"} | ({"nextval", "lastval", "setval"} if "`" in form else set())
