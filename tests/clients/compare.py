# SPDX-License-Identifier: Apache-2.0
"""Lines of `feature: outcome` of two runs, made comparable: what differs by nature is replaced, the rest must be the same."""
import dataclasses
import difflib
import itertools
import re

# The features in the order of the table: what a program prints them of.
FEATURES = {
    "login": "mysql_native_password, an account without a password, ed25519, a wrong password",
    "tls": "TLS with the server's certificate verified, where the client can",
    "text": "statements as text: values, rows, counts, insert ids",
    "prepared": "prepared statements, emulated ones too; long data, cursors",
    "bulk": "thousands of rows or parameters at once",
    "multi": "multi-statements and procedures with several results, and an error within",
    "infile": "LOAD DATA LOCAL INFILE, and a file that is not there",
    "errors": "the server's errors, and that the session goes on",
    "large": "packets of more than 16 MiB in both directions",
    "cancel": "Statement.cancel(), a context, KILL QUERY by the driver's id and by CONNECTION_ID()",
    "reconnect": "a session whose connection the server has closed after wait_timeout, or by KILL",
    "pool": "ping, pre_ping, isValid and what pools do",
    "compression": "the compressed protocol",
    "ids": "the id of a session, as its driver and CONNECTION_ID() say it",
}


@dataclasses.dataclass
class Outcome:
    """What a program has said of each feature, in order; its errors go to the feature at which it stopped."""
    features: dict
    ended: str  # "" when the program ended by itself with status 0


def parse(output, ended, replace=()):
    """replace: (regular expression, text) pairs for what differs by nature."""
    features, current = {}, "login"
    for line in output.splitlines():
        match = re.match(r"([a-z]+): (.*)", line)
        if match and match[1] in FEATURES:
            current, line = match[1], match[2]
        features.setdefault(current, []).append(line)
    if ended:
        features.setdefault(current, []).append(ended)
    return Outcome({feature: normalised(lines, replace) for feature, lines in features.items()}, ended)


def normalised(lines, replace):
    """The lines with what differs by nature replaced."""
    for pattern, text in replace:
        lines = [re.sub(pattern, text, line) for line in lines]
    return lines


def differences(direct, weir):
    """{feature: [(direct's line or None, weir's line or None)]} for each feature that differs."""
    found = {}
    for feature in {**direct.features, **weir.features}:
        one, other = direct.features.get(feature, []), weir.features.get(feature, [])
        pairs = []
        for kind, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
            if kind != "equal":
                pairs += itertools.zip_longest(one[a:b], other[c:d])
        if pairs:
            found[feature] = pairs
    return found


def unexplained(name, differing, reasons):
    """Splits what differs of the client called so: lines for which a reason is known, with it, and the rest. A reason is (features,
    pattern of names, pattern of weir's line, text); what is missing after such a line, in the same feature, has the same reason."""
    known, unknown = [], []
    for feature, pairs in differing.items():
        last = None
        for direct, weir in pairs:
            text = next((text for features, names, pattern, text in reasons
                         if re.fullmatch(features, feature) and re.fullmatch(names, name) and re.search(pattern, weir or "")), None)
            last = text = text or (last if weir is None else None)
            (known.append((feature, direct, weir, text)) if text else unknown.append((feature, direct, weir)))
    return known, unknown
