# SPDX-License-Identifier: Apache-2.0
"""Every byte in every character set, in each place where a server's lexer might read it in more than one way.

The server is the judge: the tables of these texts do not exist, so that its error names the table that it has read
("Table 'cs.s2' doesn't exist"). What weir reads must be that table and no other. A text that the server cannot parse says
nothing. The texts are made so that a wrong reading names another table."""
import importlib.machinery
import importlib.util
import itertools
import json
import re
import subprocess

import pytest

from harness import raw
from harness.paths import BIN, ROOT

DATABASE = "cs"

# What stands at {} is the byte, or the character of two bytes.
PLACES = [
    # between words
    b"SELECT{}1 FROM s1", b"SELECT 1{}FROM s1", b"SELECT 1 FROM{}1secret", b"SELECT 1 FROM {}1secret", b"SELECT 1 FROM s1{}",
    b"SELECT 1 FROM s1 {}", b"SELECT 1 FROM s1{}, (SELECT 1) x", b"SELECT 1 FROM s1 {}1s2", b"SELECT 1 FROM s1 WHERE{}1",
    # after two dashes, and after other beginnings of comments
    b"SELECT 1 --{}'\n FROM s1 -- ' FROM s2", b"SELECT 1 --{}\n FROM s1", b"SELECT 1 --{}FROM s2\n FROM s1", b"SELECT 1 -{}- FROM s1",
    b"SELECT 1 #{}'\n FROM s1 -- ' FROM s2", b"SELECT 1 -- {}'\n FROM s1 -- ' FROM s2", b"SELECT 1 FROM s1 --{}",
    # in names
    b"SELECT 1 FROM sec{}1ret", b"SELECT 1 FROM sec{}", b"SELECT 1 FROM `sec{}1ret`", b"SELECT 1 FROM `sec{}`", b"SELECT 1 FROM `{}1ret`",
    b"SELECT 1 AS `{}` FROM s1 -- ` FROM s2", b"SELECT 1 AS `{}``` FROM s1 -- ` FROM s2", b"SELECT 1 AS a{}` FROM s1 -- ` FROM s2",
    b"SELECT 1 FROM s1.{}1s2", b"SELECT 1 FROM s1{}.s2", b"SELECT 1 FROM from{}.s1", b"SELECT 1 FROM s1.{}", b"SELECT 1 FROM 1{}1secret",
    # around and in strings
    b"SELECT{}'a' FROM s1", b"SELECT 'a'{}FROM s1", b"SELECT '{}' FROM s1 -- ' FROM s2", b"SELECT '{}\\' FROM s1 -- ' FROM s2",
    b"SELECT '{}'' FROM s1 -- ' FROM s2", b"SELECT '\\{}' FROM s1 -- ' FROM s2", b"SELECT \"{}\" FROM s1 -- \" FROM s2",
    b"SELECT \"{}\\\" FROM s1 -- \" FROM s2", b"SELECT x{}'41' FROM s1", b"SELECT{}x'41' FROM s1", b"SELECT N{}'a' FROM s1",
    b"SELECT N'{}\\' FROM s1 -- ' FROM s2", b"SELECT _latin1{}'a' FROM s1", b"SELECT _latin1'{}\\' FROM s1 -- ' FROM s2",
    b"SELECT '{}`' FROM s1 -- ' FROM s2",
    # in numbers
    b"SELECT 12{}FROM s1", b"SELECT 1.{}FROM s1", b"SELECT 1.5{}FROM s1", b"SELECT .{}5 FROM s1", b"SELECT 1e{}1 FROM s1",
    b"SELECT 1e1{}FROM s1", b"SELECT 0x41{}FROM s1", b"SELECT 0x{}41 FROM s1", b"SELECT 0b1{}FROM s1", b"SELECT 1e+{}1 FROM s1",
    b"SELECT \\N{}FROM s1", b"SELECT ?{}FROM s1",
    # after at signs
    b"SELECT @{}FROM s1", b"SELECT @a{}FROM s1", b"SELECT @{}a FROM s1", b"SELECT @a{}` FROM s1 -- ` FROM s2", b"SELECT @a{}b FROM s1",
    b"SELECT @@version{}FROM s1", b"SELECT @@{}version FROM s1", b"SELECT @`{}` FROM s1 -- ` FROM s2", b"SELECT @'{}' FROM s1 -- ' FROM s2",
    b"SELECT @@session.{}version FROM s1", b"SELECT @a.{}FROM s1",
    # in executable comments, and where they begin and end
    b"SELECT 1 /*!{}FROM s1 */", b"SELECT 1 /*!50000{}FROM s1 */", b"SELECT 1 /*!5000{}FROM s1 */", b"SELECT 1 /*M!{}FROM s1 */",
    b"SELECT 1 /*!100100{}FROM s1 */", b"SELECT 1 /*!999999{}FROM s2 */ FROM s1", b"SELECT 1 /*{}! FROM s2 */ FROM s1",
    b"SELECT 1 /*!FROM s1 *{}/", b"SELECT 1 /*{}*/ FROM s1", b"SELECT 1 /{}* FROM s2 */ FROM s1", b"SELECT 1 /*!FROM s1{}*/",
    b"SELECT 1 /*!FROM s1 */{}", b"SELECT 1 /* {}*/ FROM s1 -- */ FROM s2",
    # at the ends of a text
    b"{}SELECT 1 FROM s1", b"SELECT 1 FROM s1;{}", b"{};SELECT 1 FROM s1", b"SELECT 1 FROM s1 -- {}", b"SELECT 1 FROM s1 {};",
]
MODES = ["", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES"]


def load_tool():
    loader = importlib.machinery.SourceFileLoader("charset_tables", str(ROOT / "tools/charset_tables"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("charset_tables", loader))
    loader.exec_module(module)
    return module


TABLES = load_tool()


@pytest.fixture(scope="module")
def connection(database):
    database.execute(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    with raw.RawConnection(path=database.socket, user="root", database=DATABASE,
                           capabilities=raw.BASIC & ~raw.MULTI_STATEMENTS) as connection:
        yield connection


def table_of(reply):
    """(database, table) that the server has read; () for none; None: it says nothing of it."""
    error = raw.error_of(reply)
    if error is None:
        return ()
    if error[0] != 1146:
        return None
    return re.fullmatch(r"Table '(.*?)\.(.*)' doesn't exist", error[2], re.DOTALL).groups()


def plain(name):
    """The parts of a name that the texts are made of, and whether there is more to it, which the server shows in another
    character set."""
    parts = re.findall("secret|sec|ret|s1|s2", name)
    return parts, len("".join(parts)) < len(name)


def read_by_weir(texts, charset, mode, version):
    lines = "".join(json.dumps({"sql_hex": text.hex()}) + "\n" for text in texts)
    output = subprocess.run([BIN / "weir-digest", "-c", charset, "-M", mode, "-d", DATABASE, "-V", version], input=lines.encode(),
                            stdout=subprocess.PIPE, check=True).stdout
    for line in output.splitlines():
        statement = json.loads(line)
        yield [(table["db"], table["table"]) for table in statement["tables"]], statement["tables_known"]


# Where the server could be followed, and is not: after a character that ends with the byte ` in a quoted
# name the server leaves out a byte of the name. There it is enough that no tables are known.
def differences(connection, texts, charset, mode, version):
    """How weir reads otherwise than the server, and for how many texts the server has said how."""
    connection.query(f"SET NAMES {charset}")
    connection.query(f"SET character_set_results = NULL, sql_mode = '{mode}'")
    wrong, judged = [], 0
    by_server = map(table_of, TABLES.replies(connection, texts))
    for text, said, (tables, known) in zip(texts, by_server, read_by_weir(texts, charset, mode, version), strict=True):
        if said is None:
            continue
        judged += 1
        said = [tuple(map(plain, said))] if said else []
        read = [tuple(map(plain, table)) for table in tables]
        if b"!" in text and said == [table for table in read if table in said]:
            continue  # the tables of a comment that is not run may be named, too
        if known and read != said:
            wrong.append((text, said, tables))
        elif not known and version and said and not re.search(b"[\x80-\xff]`", text):  # see below
            wrong.append((text, said, "not known"))
    return wrong, judged


def texts_of(pieces):
    return [place.replace(b"{}", piece) for place in PLACES for piece in pieces]


def every_character_set(database):
    return TABLES.character_sets(database)


def test_the_tables_are_those_of_a_server(connection, database):
    """src/sql/charset_bytes.c and charset_collations.c are what tools/charset_tables makes of this server."""
    tables = {name: TABLES.classes(connection, name) for name in every_character_set(database)}
    tables["gb18030"] = tables["gbk"]
    assert TABLES.BYTES.read_text() == TABLES.bytes_source(tables)
    assert TABLES.COLLATIONS.read_text() == TABLES.collations_source(TABLES.collation_ranges(database))


@pytest.mark.time_limit(120)
def test_every_byte_in_every_character_set_and_place(connection, database):
    """The fault: SELECT a FROM\\xa0secret passed a rule about secret, and --\\xa0' opened a comment that was taken for a string."""
    high = [bytes([byte]) for byte in range(128, 256)]
    every = [bytes([byte]) for byte in range(256) if byte != ord(",")]  # the server names one table
    all_judged = 0
    for charset in every_character_set(database):
        pieces = every if charset in ("latin1", "swe7", "utf8mb4", "cp1251") else high
        wrong, judged = differences(connection, texts_of(pieces), charset, "", "10.11.19-MariaDB")
        assert not wrong, (charset, len(wrong), wrong[:20])
        all_judged += judged
    assert all_judged > 30000, all_judged


@pytest.mark.time_limit(120)
@pytest.mark.parametrize("mode", MODES)
def test_characters_of_two_bytes(connection, mode):
    """A second byte that looks like a quote, a backslash or a letter, after every first byte."""
    trails = b"09@AZ[\\]^_`az{|}~'\"- \x7f\x80\x81\xa0\xa1\xdf\xe0\xfc\xfe"
    for charset, leads in {"gbk": range(0x81, 256, 25), "sjis": range(0x81, 256, 25), "cp932": range(0x81, 256, 25), "big5": range(0x81, 256, 25),
                           "euckr": range(0x80, 256, 40), "gb2312": range(0x80, 256, 40), "ujis": range(0x8E, 256, 40),
                           "eucjpms": range(0x8F, 256, 40), "utf8mb4": range(0xC2, 256, 40), "latin1": range(0x80, 256, 25)}.items():
        texts = texts_of([bytes(pair) for pair in itertools.product(leads, trails)])
        wrong, _ = differences(connection, texts, charset, mode, "10.11.19-MariaDB")
        assert not wrong, (charset, len(wrong), wrong[:20])


@pytest.mark.time_limit(120)
def test_without_a_known_server_nothing_doubtful_is_known(connection, database):
    """The same texts, read without knowing which server it is: right, or not known."""
    for charset in every_character_set(database):
        pieces = [bytes([byte]) for byte in (*range(0, 33), 0x7F, 0x80, 0x85, 0xA0, 0xA1, 0xC3, 0xFF)]
        wrong, _ = differences(connection, texts_of(pieces), charset, "", "")
        assert not wrong, (charset, len(wrong), wrong[:20])


def test_an_unknown_character_set_makes_everything_unknown():
    """Nobody knows how its bytes are read."""
    for charset in ("utf16", "martian"):
        assert not any(known for _, known in read_by_weir([b"SELECT 1 FROM s1"], charset, "", "10.11.19-MariaDB"))
