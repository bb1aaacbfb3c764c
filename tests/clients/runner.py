# SPDX-License-Identifier: Apache-2.0
"""Runs a client's program directly and through weir, and says what came of it."""
import dataclasses
import subprocess

import compare
import get
from reasons import REASONS


@dataclasses.dataclass
class Verdict:
    """Of one client: skipped has the reason when it was not run; features maps each to "equal" or "differs"."""
    client: object
    version: str = ""
    skipped: str = ""
    features: dict = dataclasses.field(default_factory=dict)
    known: list = dataclasses.field(default_factory=list)    # (feature, direct's line, weir's line, why)
    unknown: list = dataclasses.field(default_factory=list)  # (feature, direct's line, weir's line)
    outcomes: list = dataclasses.field(default_factory=list)


def general(place, endpoint):
    """What differs by nature in any client's words."""
    return ((rf"\b{endpoint.port}\b", "PORT"), (rf"\b{endpoint.port:,}\b", "PORT"), (str(place.folder), "FOLDER"),
            (r"0x[0-9a-f]{6,}", "ADDRESS"), (r"(?i)(thread|connection|conn)[ _](id)?[ =:]*-?\d+", r"\1 ID"),
            (r"Aborted connection \d+", "Aborted connection ID"), (r"127\.0\.0\.1:\d+->", "127.0.0.1:OWN->"),
            (r"\b\d+(\.\d+)? ?(ms|milliseconds)\b", "TIME"))


def run_program(place, endpoint, client):
    """The Outcome of one run on an empty database."""
    place.empty()
    try:
        done = endpoint.run(*client.command(), check=False, timeout=client.timeout,
                            **place.environment(), **client.environment)
        output, ended = done.stdout, ""
        if done.returncode:
            last = [line for line in done.stderr.strip().splitlines() if line.strip()]
            ended = f"ended with {done.returncode}: {last[-1] if last else ''}"
    except subprocess.TimeoutExpired as expired:
        output, ended = (expired.stdout or b"").decode(errors="replace"), f"did not end within {client.timeout} s"
    return compare.parse(output, ended, (*general(place, endpoint), *client.replace))


def judge(place, client):
    """Runs it on both endpoints."""
    verdict = Verdict(client)
    try:
        verdict.version = client.version()
        client.command()
    except get.Skipped as reason:
        verdict.skipped = str(reason)
        return verdict
    direct, weir = (run_program(place, endpoint, client) for endpoint in place.endpoints())
    verdict.outcomes = [direct, weir]
    differing = compare.differences(direct, weir)
    verdict.features = {feature: "differs" if feature in differing else "equal" for feature in {**direct.features, **weir.features}}
    verdict.known, verdict.unknown = compare.unexplained(client.name, differing, REASONS)
    if direct.ended:
        verdict.unknown.append(("the program itself", direct.ended, None))
    if not place.gateway.process.alive():
        verdict.unknown.append(("weir-server", "runs", f"has ended: {place.gateway.log()[-500:]}"))
    return verdict
