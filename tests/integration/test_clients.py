# SPDX-License-Identifier: Apache-2.0
"""The quick ones of tests/clients: each client prints the same directly and through weir with its plugins loaded."""
import sys

import pytest
from harness.paths import ROOT

pytestmark = pytest.mark.gateway_only
sys.path.append(str(ROOT / "tests" / "clients"))

import runner  # noqa: E402
import table  # noqa: E402
from place import Place  # noqa: E402


@pytest.fixture(scope="module")
def place(work):
    folder = work / "clients"
    folder.mkdir()
    place = Place(folder)
    try:
        yield place.start()
        place.stop()
    finally:
        place.kill()


@pytest.mark.time_limit(400)
@pytest.mark.parametrize("client", [client for client in table.CLIENTS if client.quick], ids=lambda client: client.name)
def test_a_client_prints_the_same(place, client):
    verdict = runner.judge(place, client)
    if verdict.unknown and {feature for feature, *_ in verdict.unknown} <= {"reconnect", "pool"}:
        verdict = runner.judge(place, client)  # who is first, a statement or the server's end, is chance
    assert not verdict.skipped, f"{client.name}: {verdict.skipped}: run tools/bootstrap.sh test"
    assert {"login", "text", "errors"} <= set(verdict.features), f"{client.name} printed too little: {verdict.features}"
    assert not verdict.unknown, "\n".join(f"{feature}: direct {direct!r}, weir {weir!r}" for feature, direct, weir in verdict.unknown)
