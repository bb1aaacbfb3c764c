# SPDX-License-Identifier: Apache-2.0
"""weir-audit: what verify finds in logs that were tampered with, and what the other commands print."""
import csv
import gzip
import hashlib
import io
import json

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
            (["convert", path], 1, "convert needs -format json, mysql_json or csv")):
        done = weir_audit(*arguments, check=False)
        assert (done.returncode, words in done.stderr) == (status, True), done.stderr
    assert "No such file" in weir_audit("verify", "/nowhere", check=False).stderr
