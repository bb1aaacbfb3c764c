# SPDX-License-Identifier: Apache-2.0
"""weir-audit: what verify finds in logs that were tampered with, and what the other commands print."""
import csv
import gzip
import hashlib
import io
import json
import os
import random

import pytest
from audit_log_common import WEIR_AUDIT, weir_audit

pytestmark = [pytest.mark.gateway_only, pytest.mark.skipif(not WEIR_AUDIT.exists(), reason="weir-audit is not built")]


def lines(count=20, first=1, link="0" * 64):
    """A log as the plugin writes it: a written example, linked by hashlib."""
    made = []
    for i in range(first, first + count):
        failed = i % 5 == 0
        record = {"seq": i, "prev": link, "time": f"2026-01-31T12:00:{i:02}.000000Z", "event": "Error" if failed else "Completed",
                  "class": "general", "connection_id": 7 + i % 2, "user": "app" if i % 2 else "eve",
                  "account": "app@%" if i % 2 else "eve@%", "client_ip": "10.0.0.9" if i % 2 else "192.168.1.1", "kind": "Select",
                  "sql": f"SELECT {i} FROM orders", "digest": ("ab" if i % 2 else "cd") * 32,
                  "tables": [{"schema": "shop", "name": "orders", "access": ["read"]}],
                  **({"error_code": 1146, "message": "no such table"} if failed else
                     {"rows": 1, "affected_rows": 0, "duration_us": 1500})}
        line = json.dumps(record, separators=(",", ":"))
        link = hashlib.sha256(line.encode()).hexdigest()
        made.append(line)
    return made


@pytest.fixture
def log(tmp_path):
    def write(content, name="audit.log"):
        path = tmp_path / name
        text = "".join(line + "\n" for line in content).encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        return path
    return write


def test_an_untouched_log_is_intact(log):
    done = weir_audit("verify", log(lines()))
    assert "20 records, 1 to 20, chained and intact" in done.stdout


def test_a_chain_goes_over_rotated_and_compressed_files(log):
    all_lines = lines(30)
    files = [log(all_lines[:10], "audit.log.1.gz"), log(all_lines[10:20], "audit.log.2"), log(all_lines[20:])]
    assert "30 records" in weir_audit("verify", *files).stdout
    done = weir_audit("verify", files[0], files[2], check=False)
    assert done.returncode == 1 and "records 11 to 20 are missing" in done.stdout
    assert "is not in these files" in weir_audit("verify", files[1]).stdout


@pytest.mark.parametrize("change, words", [
    (lambda c: c[:5] + c[6:], "audit.log:6: records 6 to 6 are missing"),
    (lambda c: c[:5] + [c[5].replace("SELECT 6", "SELECT 9")] + c[6:], "audit.log:7: record 6 was edited"),
    (lambda c: c[:5] + [c[6], c[5]] + c[7:], "stands behind record 7"),
    (lambda c: c[:5] + [c[4]] + c[5:], "audit.log:6: record 5 stands here twice"),
    (lambda c: c[:5] + ["garbage"] + c[5:], "audit.log:6: this line is no record"),
    (lambda c: lines(20, link="1" * 64), "audit.log:1: record 1 does not begin a chain"),
    (lambda c: c[:10] + lines(10, 11), "audit.log:11: record 10 was edited, or the link of record 11"),
    (lambda c: c[:5] + [c[5].replace(f'"prev":"{json.loads(c[5])["prev"]}",', "")] + c[6:], "the chain ends here"),
], ids=["cut", "edited", "reordered", "doubled", "garbage", "beginning cut", "replaced from here on", "link removed"])
def test_verify_says_where_a_log_was_changed(log, change, words):
    done = weir_audit("verify", log(change(lines())), check=False)
    assert done.returncode == 1 and words in done.stdout, done.stdout


def test_a_torn_end_and_a_missing_end(log):
    path = log(lines())
    link = hashlib.sha256(path.read_bytes().split(b"\n")[-2]).hexdigest()
    weir_audit("verify", "-expect", link, path)
    weir_audit("verify", "-expect", "20", path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    assert "ends within a record" in weir_audit("verify", path, check=False).stdout
    path.write_bytes(b"\n".join(whole.split(b"\n")[:15]) + b"\n")
    assert weir_audit("verify", path).returncode == 0  # nobody can see that, without being told what to expect
    assert "the end is cut off" in weir_audit("verify", "-expect", link, path, check=False).stdout


@pytest.mark.parametrize("conditions, count", [
    ([], 20), (["-user", "app"], 10), (["-user", "eve@*"], 10), (["-address", "10.0.0.0/8"], 10), (["-address", "10.0.0.8"], 0),
    (["-since", "2026-01-31T12:00:11"], 10), (["-until", "2026-01-31T12:00:05"], 5), (["-until", "2026-01-31"], 20),
    (["-digest", "abab"], 10), (["-table", "shop.ord*"], 20), (["-table", "customers"], 0), (["-kind", "sel*"], 20), (["-errors"], 4),
    (["-event", "error"], 4), (["-event", "general"], 20), (["-text", "SELECT 1"], 11), (["-connection", "7"], 10),
    (["-user", "app", "-errors"], 2)])
def test_conditions_choose_records(log, conditions, count):
    shown = weir_audit("show", "-json", *conditions, log(lines())).stdout.splitlines()
    assert len(shown) == count and all(json.loads(line) for line in shown)


def test_what_people_read(log):
    path = log(lines())
    plain = weir_audit("show", path).stdout
    assert "\033" not in plain and "eve@%/192.168.1.1 SELECT 2 FROM orders -- 1 rows, 0 affected, 1.500 ms" in plain
    assert "error 1146: no such table" in plain
    assert "\033[31m" in weir_audit("show", "-color", "always", path).stdout
    evil = json.loads(lines(1)[0])
    evil["sql"] = "SELECT '\033[2J'"
    assert "\033" not in weir_audit("show", log([json.dumps(evil, separators=(",", ":"))])).stdout


def test_counts(log):
    path = log(lines())
    counts = json.loads(weir_audit("count", "-json", path).stdout)
    assert counts["records"] == 20 and {row["key"]: row["count"] for row in counts["accounts"]} == {"app@%": 10, "eve@%": 10}
    assert counts["tables"] == [{"key": "shop.orders", "count": 20}] and counts["errors"][0]["count"] == 4
    assert "shop.orders" in weir_audit("count", path).stdout


def test_what_plugins_refused_is_denied(log):
    refused = json.loads(lines(1)[0])
    refused.update(event="Refused", error_code=1045, refused_by="sql_firewall", message="not this one")
    path = log([*lines()[:1], json.dumps({**refused, "seq": 2}, separators=(",", ":"))])
    (denied,) = json.loads(weir_audit("count", "-json", path).stdout)["denied"]
    assert (denied["key"], denied["count"]) == (refused["account"], 1)
    shown = weir_audit("show", "-errors", path).stdout
    assert "error 1045: not this one" in shown and "refused by sql_firewall" in shown


def test_conversions(log):
    path = log(lines())
    mysql = json.loads(weir_audit("convert", "-format", "mysql_json", path).stdout)
    general = [r for r in mysql if r["class"] == "general"]
    assert len(general) == 20 and general[4]["general_data"]["status"] == 1146
    assert [r["table_access_data"]["table"] for r in mysql if r["class"] == "table_access"] == ["orders"] * 20
    rows = list(csv.DictReader(io.StringIO(weir_audit("convert", "-format", "csv", path).stdout)))
    assert [row["seq"] for row in rows] == [str(i) for i in range(1, 21)] and rows[0]["sql"] == "SELECT 1 FROM orders"
    again = [json.loads(line) for line in weir_audit("convert", "-format", "json", path).stdout.splitlines()]
    assert [{k: v for k, v in json.loads(line).items() if k != "prev"} for line in lines()] == again


def test_a_number_that_is_no_json_integer_is_kept_and_a_negative_one_is_none(log):
    record = {**json.loads(lines(1)[0]), "last_insert_id": "18446744073709551614", "connection_id": -22330}
    del record["prev"]
    path = log([json.dumps(record, separators=(",", ":"))])
    (again,) = weir_audit("convert", "-format", "json", path).stdout.splitlines()
    del record["connection_id"]
    assert json.loads(again) == record
    (row,) = csv.DictReader(io.StringIO(weir_audit("convert", "-format", "csv", path).stdout))
    assert (row["last_insert_id"], row["connection_id"]) == ("18446744073709551614", "")


def test_wrong_use_is_told(log):
    path = log(lines())
    for arguments, status, words in (
            ([], 2, "needs a command and a file"), (["verify"], 2, "needs a command and a file"),
            (["nothing", path], 2, "nothing: no such command"), (["show", "-address", "x", path], 2, "neither an IP address nor a network"),
            (["convert", path], 1, "convert needs -format: json, mysql_json, csv, server_audit, percona_json")):
        done = weir_audit(*arguments, check=False)
        assert (done.returncode, words in done.stderr) == (status, True), done.stderr
    assert "No such file" in weir_audit("verify", "/nowhere", check=False).stderr


def shown(*arguments, zone="UTC", **options):
    return weir_audit("show", *arguments, env={**os.environ, "TZ": zone}, **options)


@pytest.mark.parametrize("zone, conditions, count", [
    ("UTC", ["-until", "2026-01-31 12:00"], 20), ("UTC", ["-until", "2026-01-31 11:59"], 0), ("UTC", ["-since", "2026-01-31 12:00:11"], 10),
    ("Europe/Berlin", ["-since", "2026-01-31 13:00:11"], 10), ("Europe/Berlin", ["-since", "2026-01-31 12:00:11Z"], 10),
    ("UTC", ["-since", "2026-01-31T14:00:11+02:00"], 10), ("UTC", ["-since", "2026-01-31", "-until", "2026-01-31"], 20),
    ("UTC", ["-since", "-1s"], 0)])
def test_times_as_people_write_them(log, zone, conditions, count):
    assert len(shown("-json", *conditions, log(lines()), zone=zone).stdout.splitlines()) == count


@pytest.mark.parametrize("arguments, words", [
    (["-since", "2026-13-45"], "-since: 2026-13-45 is no time; write 2026-01-31"), (["-until", "noon"], "-until: noon is no time"),
    (["-kind", "Dorp"], "-kind Dorp: there is none; the nearest one is Drop"), (["-event", "Conect"], "the nearest one is Connect"),
    (["-event", "xyzzy"], "there is none; there are Connect"), (["-digest", "xyz"], "a digest is 64 of the digits"),
    (["-since", "2026-02-02", "-until", "2026-02-01"], "nothing can be between them"), (["-slow", "2"], "2 is no duration"),
    (["-format", "time,usr"], "usr is no field; the nearest one is user")])
def test_what_can_never_match_is_an_error(log, arguments, words):
    done = shown(*arguments, log(lines()), check=False)
    assert (done.returncode, done.stdout, words in done.stderr) == (2, "", True), done.stderr


@pytest.mark.parametrize("condition", [["-table", "shop.nothing"], ["-user", "nobody"], ["-database", "d"], ["-connection", "99"], ["-kind", "Drop*"]])
def test_what_never_occurs_is_said(log, condition):
    done = shown(*condition, "-errors", log(lines()))
    assert done.stdout == "" and f"{condition[0]} {condition[1]}: no record in these files has it" in done.stderr
    done = shown("-user", "app", "-address", "192.168.1.1", log(lines()))
    assert (done.stdout, done.stderr) == ("", "")  # each occurs


@pytest.mark.parametrize("window", [["-until", "2025-12-31T23:59:59Z"], ["-since", "2026-02-01T00:00:00Z"],
                                    ["-since", "2026-01-01T00:00:00Z", "-until", "2026-01-02T00:00:00Z"]])
def test_a_time_of_which_there_is_no_record_is_said(log, window):
    """And not that some name does not occur, since nothing does."""
    done = shown(*window, "-user", "app", log(lines()))
    assert done.stdout == ""
    assert done.stderr == "weir-audit: no record in these files is of that time; without a zone it is local time\n"


def record(**facts):
    return json.dumps({"seq": 1, "time": "2026-01-31T12:00:00.000000Z", "event": "Completed", "class": "general", **facts}, separators=(",", ":"))


def test_what_was_done_to_a_whole_schema_is_found_by_its_tables(log):
    dropped = [record(kind="DropDatabase", sql=sql) for sql in
               ("DROP DATABASE d1", "drop schema if exists `d1`", "/* d2 */ DROP DATABASE /*!50000 IF EXISTS */ D1 ;", "DROP DATABASE d2")]
    path = log([*dropped, record(kind="Select", sql="SELECT 'DROP DATABASE d1'"), record(kind="DropTable", sql="DROP TABLE d1.t",
                tables=[{"schema": "d1", "name": "t", "access": ["ddl"]}])])
    assert len(shown("-table", "d1.*", path).stdout.splitlines()) == 4
    assert len(shown("-table", "d1.t", path).stdout.splitlines()) == 4
    assert len(shown("-table", "t", path).stdout.splitlines()) == 1


def test_connections_are_found_by_both_ids_and_shown_with_who_it_was(log):
    path = log([record(connection_id=7, backend_connection_id=4711, user="app", program="orders", os_user="www", sql="SELECT 1", duration_us=2500)])
    for number in (7, 4711):
        assert "SELECT 1" in shown("-connection", number, path).stdout
    assert "#7/4711 program=orders os_user=www app SELECT 1" in shown("-wide", path).stdout
    columns = shown("-format", "time,connection_id,backend_connection_id,user,program,os_user,sql,reason", path).stdout
    assert columns == "2026-01-31T12:00:00.000000Z\t7\t4711\tapp\torders\twww\tSELECT 1\t\n"
    assert "SELECT 1" in shown("-slow", "2.5ms", path).stdout and shown("-slow", "3ms", path).stdout == ""


def test_big_files_are_read_as_their_compressed_copies_are(log):
    """The copies are read line by line, by one thread, to the end; blocks end within lines, and one line is longer than a block."""
    chance = random.Random(4711)
    made, odd = [], ["it's", 'say "x"', "tab\t", "\u00e4", "\\", "\x7f", "\u2028", "DROP DATABASE d1", "a" * 3000]
    for i in range(12000):
        second = i // 50
        made.append(json.dumps({
            "seq": i, "time": f"2026-01-31T12:{second // 60:02}:{second % 60:02}.{i % 1000:03}000Z", "event": chance.choice(["Completed", "Error", "Connect"]),
            "class": "general", "connection_id": i % 50, "user": f"u{i % 9}", "kind": chance.choice(["Select", "DropTable"]),
            "sql": "SELECT '" + "".join(chance.choice(odd) for _ in range(chance.randrange(4))) + "'" + ("y" * 3000000 if i == 6000 else ""),
            "tables": [{"schema": "shop", "name": f"t{i % 20}", "access": ["read"]}]}, separators=(",", ":"), ensure_ascii=i % 7 == 0))
    made[3000:3000] = ["garbage", made[3000][:60], ""]
    plain, zipped = log(made), log(made, "audit.log.gz")
    for conditions in ([], ["-kind", "drop*"], ["-user", "u3"], ["-table", "shop.t7"], ["-connection", "13"], ["-text", "tab\t"], ["-text", "\u00e4"],
                       ["-since", "2026-01-31 12:01:00Z", "-until", "2026-01-31 12:02:29Z"], ["-event", "Error", "-user", "u1"], ["-text", "yyyyyyyyy"]):
        for threads in (1, 3):
            one, other = (weir_audit("show", "-json", "-threads", threads, *conditions, path, check=False) for path in (plain, zipped))
            assert one.stdout == other.stdout and one.returncode == other.returncode == 1, conditions
            assert one.stderr == other.stderr.replace(str(zipped), str(plain)) and "audit.log:3001: this line is no record" in one.stderr
        assert len(one.stdout) > 100, conditions


def test_a_log_whose_clock_was_put_back_is_read_whole(log):
    def hour(h, first):
        return [record(connection_id=i, sql="x" * 400).replace("T12:00:00", f"T{h:02}:{i // 100 % 60:02}:00") for i in range(first, first + 6000)]
    path = log(hour(14, 0) + hour(9, 6000) + hour(15, 12000))
    assert len(weir_audit("show", "-since", "2026-01-31 09:00Z", "-until", "2026-01-31 09:59Z", path).stdout.splitlines()) == 6000


@pytest.mark.parametrize("form", ["json", "csv", "mysql_json", "percona_json", "server_audit"])
def test_every_format_is_read(log, form, tmp_path):
    path = log(lines())
    converted = tmp_path / f"audit.{form}"
    converted.write_bytes(weir_audit("convert", "-format", form, path).stdout.encode())
    for conditions, wanted in ((["-user", "app"], 10), (["-errors"], 4), (["-text", "SELECT 7"], 1), (["-kind", "Select"], 20),
                               (["-since", "2026-01-31 12:00:11Z"], 10), (["-connection", "7"], 10)):
        found = weir_audit("show", "-event", "general", "-json", *conditions, converted).stdout.splitlines()
        assert len(found) == wanted, (conditions, found)
    assert "shop.orders" in weir_audit("show", "-table", "shop.orders", "-event", "table_access" if "csv" != form and form != "json" else "general",
                                       "-format", "tables,sql", converted).stdout.replace('"schema":"shop","name":"orders"', "shop.orders")
    if form in ("json", "csv", "server_audit"):  # of the others a record is several lines with the same number
        assert weir_audit("verify", converted).returncode == 0


def test_the_beginning_of_a_file_need_not_be_there(log):
    for form in ("csv", "mysql_json", "server_audit"):
        text = weir_audit("convert", "-format", form, log(lines())).stdout.splitlines()[6:]
        done = weir_audit("show", "-event", "general", "-", input="\n".join(text) + "\n")
        assert "SELECT 20 FROM orders" in done.stdout and not done.stderr, form


def test_a_logs_files_are_listed_oldest_first(log):
    all_lines = lines(30)
    names = ["audit.log.20260131T120010.000000Z.gz", "audit.log.20260131T120020.000000Z", "audit.log"]
    files = [log(all_lines[10 * i:10 * i + 10], name) for i, name in enumerate(names)]
    log(["other"], "audit.log.old")
    assert weir_audit("files", "-paths", files[2]).stdout.splitlines() == [str(path) for path in files]
    listed = weir_audit("files", files[2]).stdout.splitlines()
    assert len(listed) == 3 and "json  10 records, 11 to 20  2026-01-31T12:00:11.000000Z to 2026-01-31T12:00:20.000000Z" in listed[1]
    # The names say which ones need not be read: this one is no log at all.
    files[0].write_bytes(b"not to be read")
    assert "no record in these files is of that time" in weir_audit("show", "-since", "2026-01-31 12:02:00Z", *files[:1]).stderr
    assert weir_audit("show", "-since", "2026-01-31 12:00:00Z", *files[:1], check=False).returncode == 1
