# SPDX-License-Identifier: Apache-2.0
"""The heart of the suite: one case is run against the database itself and through the gateway, and must see the same."""
import pprint

from .endpoint import DATABASE


class Both:
    """Calls case(endpoint) on each endpoint with an empty database, compares what it returns, and returns that."""

    def __init__(self, database, endpoints):
        self.database, self.endpoints = database, endpoints

    def __call__(self, case):
        seen = []
        for endpoint in self.endpoints:
            self.database.execute(f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE}")
            seen.append((endpoint.name, case(endpoint)))
        (first_name, first), (second_name, second) = seen
        assert first == second, f"{first_name} and {second_name} differ: {difference(first, second)}"
        return first


def difference(first, second, path="the result"):
    """Where two values differ first, and how."""
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        for i, (a, b) in enumerate(zip(first, second)):
            if a != b:
                return difference(a, b, f"{path}[{i}]")
        return f"{path} has {len(first)} and {len(second)} entries: {_short(first)} and {_short(second)}"
    if isinstance(first, str) and isinstance(second, str) and "\n" in first + second:
        return difference(first.splitlines(), second.splitlines(), f"{path}, line by line,")
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        key = next(key for key in first if first[key] != second[key])
        return difference(first[key], second[key], f"{path}[{key!r}]")
    return f"{path} is {_short(first)} and {_short(second)}"


def _short(value):
    text = pprint.pformat(value, width=120)
    return text if len(text) < 2000 else text[:2000] + " ..."
