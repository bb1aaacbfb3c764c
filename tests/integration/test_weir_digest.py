# SPDX-License-Identifier: Apache-2.0
"""weir-digest as a program: its forms of input, scripts with DELIMITER, options, and what it says of bad input."""
import json
import subprocess

from harness.paths import BIN


def run(text, *options):
    return subprocess.run([BIN / "weir-digest", *options], input=text.encode(), capture_output=True, check=False)


def facts(text, *options):
    result = run(text, *options)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.decode().splitlines()]


def test_a_line_is_a_string_or_an_object():
    lines = ['"select 1"', "", '{"sql": "drop table t"}', '{"sql_hex": "73656c65637420ff"}']
    one, two, three = facts("\n".join(lines))
    assert one == {
        "sql": "select 1", "normalized": "select ?",
        "digest": "e1c71d1661ae46e09b7aaec1c390957f0d6260410df4e4bc71b9c8d681021471",
        "kind": "Select", "weir_kind": "Select", "tables": [], "tables_known": True, "names_known": True}
    assert two["kind"] == "DropTable" and two["tables"] == [{"db": "", "table": "t", "access": "ddl"}]
    assert three["sql_hex"] == "73656c65637420ff" and three["normalized"] == "select `\ufffd`"


def test_several_statements_of_a_text_are_told_apart():
    assert [f["kind"] for f in facts('"begin; delete from t; commit"', "--multi")] == ["Begin", "Delete", "Commit"]
    assert [f["kind"] for f in facts('"begin; delete from t; commit"')] == ["Begin"]


def test_routines_are_told_and_their_tables_are_not_known():
    call, function, own = facts('"call d.p(f(1))"\n"select g(a) from t"\n"select abs(a) from t"', "-V", "10.11.19-MariaDB", "-d", "shop")
    assert call["routines"] == [{"db": "d", "routine": "p", "how": "call"}, {"db": "shop", "routine": "f", "how": "function"}]
    assert function["routines"] == [{"db": "shop", "routine": "g", "how": "function"}]
    assert [(one["tables_known"], one["names_known"], "routines" in one) for one in (call, function, own)] == [
        (False, True, True), (False, True, True), (True, True, False)]


def test_options_set_the_session():
    statement = json.dumps('select "x" from "t"')
    assert facts(statement)[0]["tables_known"] is False
    assert facts(statement, "-M", "ANSI_QUOTES", "-d", "shop")[0]["tables"] == [
        {"db": "shop", "table": "t", "access": "read"}]
    hidden = '"select * from /*!99999 (select 1) as */ t"'
    assert facts(hidden, "-V", "10.11.6-MariaDB")[0]["tables"] == [{"db": "", "table": "t", "access": "read"}]


def test_a_database_beside_the_table_is_shown_beside_it():
    statement = '"show columns from t from crm"'
    assert facts(statement)[0]["tables"] == [{"db": "", "table": "t", "access": "read", "default_db": "crm"}]
    assert facts(statement, "-d", "shop")[0]["tables"] == [{"db": "crm", "table": "t", "access": "read"}]


def test_a_script_is_read_as_the_shell_does(tmp_path):
    script = tmp_path / "script.sql"
    script.write_text(
        "-- a comment; with a semicolon\n"
        "select 'a;b'; select 2;\n"
        "DELIMITER //\n"
        "create procedure p() begin insert into t values (1); end//\n"
        "call p()//\n"
        "delimiter ;\n"
        "/*!40101 set names utf8 */;\n"
        "select 3 -- no end")
    assert [f["weir_kind"] for f in facts("", "-f", str(script))] == [
        "Select", "Select", "CreateProcedure", "Call", "Set", "Select"]
    assert [f["sql"] for f in facts("select 1; select 2", "-f", "-")] == ["select 1", " select 2"]


def test_bad_input_is_named():
    result = run('"select 1"\nnonsense\n')
    assert result.returncode == 1 and b"line 2" in result.stderr
    assert run("", "-f", "/nowhere").returncode == 1
    assert run("", "--frobnicate").returncode == 2
    assert run("", "word").returncode == 2
    assert b"Usage:" in run("", "--help").stdout
