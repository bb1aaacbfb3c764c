# SPDX-License-Identifier: Apache-2.0
"""The list of facts by event and command in weir/plugin.h is what plugins read."""
import re

import pytest
from harness import raw
from harness.endpoint import PASSWORD, USER
from harness.paths import ROOT

pytestmark = pytest.mark.gateway_only

HEADER = (ROOT / "include" / "weir" / "plugin.h").read_text()
FACTS = set(re.findall(r"X\((\w+), \d+,", HEADER[HEADER.index("define WEIR_TEXT_FACTS"):HEADER.index("Which facts an event has")]))
STATEMENT = {"sql", "kind", "specific_kind", "normalized", "digest", "redacted_sql", "prepared_id", "expanded_sql"}


def listed():
    """{event or command: (facts that it has, facts that it may have)}"""
    lists = {}
    block = HEADER[HEADER.index("Which facts an event has"):HEADER.index("A Prepare has its prepared_id")]
    for names, facts in re.findall(r"^ \*   ((?:[A-Z][\w ]*)(?:, [A-Z][\w ]*)*): (.*(?:\n \*      .*)*)", block, re.M):
        words = facts.replace("*", " ")
        optional = set(" ".join(re.findall(r"\[([^]]*)\]", words)).split())
        sure = re.sub(r"\[[^]]*\]", " ", words)
        parent = re.match(r"\s*([A-Z]\w+),", sure)
        above = lists[parent[1]] if parent else (set(), set())
        sure = set(re.sub(r"^\s*[A-Z]\w+,", "", sure).split())
        assert sure | optional <= FACTS, (names, (sure | optional) - FACTS)
        for name in names.split(", "):
            lists[name] = (above[0] | sure, above[1] | optional)
    return lists


LISTS = listed()


def present(event):
    return {name for name in FACTS if event.get(name) is not None}


@pytest.fixture(scope="module")
def recorded(make_gateway, database):
    """Every event, and many commands; with a backend that is connected first, too."""
    found = []
    for options in ([], ["-backend-first"]):
        server = make_gateway(database.address, plugins=["recorder-1"], options=options)
        with pytest.raises(Exception), server.endpoint.connect(password="wrong"):
            pass
        with server.endpoint.raw() as connection:
            connection.query("SELECT 1; SELECT 'two'")
            connection.query("SELECT nothing FROM nowhere")
            prepared, _ = connection.prepare("SELECT ?")
            for command in (b"\x17" + prepared.to_bytes(4, "little") + b"\0\1\0\0\0\0\1\3\0\7\0\0\0",  # Execute
                            b"\x1a" + prepared.to_bytes(4, "little"), b"\x1a\xee\xee\0\0",               # Reset stmt
                            b"\x02" + b"information_schema", b"\x0e", b"\x1f"):                          # Init DB, Ping, Reset connection
                connection.command(command)
            connection.send(b"\x19" + prepared.to_bytes(4, "little"))  # Close stmt
            connection.change_user(USER, PASSWORD)
            connection.query("SELECT 2")
            number = connection.greeting.connection_id
        server.events.ended(number)
        found += server.events.all()
        server.stop()
    return [event for event in found if event.get("event") in LISTS and "connection_type" in event]


def test_every_event_and_command_is_listed(recorded):
    assert {event["event"] for event in recorded} >= {
        "PreConnect", "PreAuth", "Reject", "Connected", "ChangeUser", "Disconnect", "PreParse", "Starting", "Completed", "Error"}


def test_an_event_has_the_facts_of_its_list_and_no_others(recorded):
    for event in recorded:
        sure, optional = LISTS[event["event"]]
        assert sure <= present(event), (event["event"], sure - present(event), event)
        assert present(event) <= sure | optional, (event["event"], present(event) - sure - optional, event)


def test_a_command_has_the_facts_of_its_list(recorded):
    for event in recorded:
        if event["event"] not in ("Starting", "Completed", "Error"):
            continue
        facts = set(LISTS.get(event["command"], (set(), set()))[0])
        if event["command"] == "Prepare" and event["event"] == "Completed":
            facts |= {"prepared_id", "expanded_sql"}
        if "prepared_id" in facts and event["prepared_id"] is None and event["command"] != "Prepare":
            facts = set()
        assert present(event) & STATEMENT == facts, (event["command"], event["event"], facts ^ (present(event) & STATEMENT))
