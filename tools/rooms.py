# SPDX-License-Identifier: Apache-2.0
"""cmake/rooms.list for the tools: which rooms there are, where, and what each may use."""
import pathlib
import re
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROW = re.compile(r"(?P<name>\w+)\s+(?P<folder>\S+)\s+(?P<header>\S+)(?P<pure>\s+pure)?\s+below:(?P<below>[\w\s]*)")


@dataclass
class Room:
    name: str
    folder: str
    header: str  # "" when no other room may include one
    is_pure: bool
    below: list = field(default_factory=list)

    @property
    def target(self):
        return f"weir_{self.name}"


class ListError(Exception):
    """The list contradicts itself; the message names the line."""


def read_rooms(root=ROOT):
    """The rooms by name, lowest first. What a room may use stands above it in the list: the list has no circle."""
    rooms = {}
    path = pathlib.Path(root) / "cmake" / "rooms.list"
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        row = ROW.fullmatch(line)
        if not row:
            raise ListError(f"{path}:{number}: is not NAME FOLDER HEADER [pure] below: ROOM ...")
        below = row["below"].split()
        for name in below:
            if name not in rooms:
                raise ListError(f"{path}:{number}: {row['name']} may use {name}, which does not stand above it: "
                                "arrows go down only")
        if row["name"] in rooms or any(room.folder == row["folder"] for room in rooms.values()):
            raise ListError(f"{path}:{number}: the room {row['name']} or its folder {row['folder']} stands there twice")
        header = "" if row["header"] == "-" else row["header"]
        rooms[row["name"]] = Room(row["name"], row["folder"], header, bool(row["pure"]), below)
    return rooms


def room_of(rooms, path):
    """The room that has the file, a path from the root: the one with the innermost folder; None outside of rooms."""
    inside = [room for room in rooms.values() if path.startswith(room.folder + "/")]
    return max(inside, key=lambda room: len(room.folder), default=None)
