# SPDX-License-Identifier: Apache-2.0
"""Statements made at random of what lexers stumble over: weir-digest against digest_rules.py.

    test_digest_rules.py WEIR_DIGEST KEYWORDS [SEED [COUNT]]

KEYWORDS is src/sql/keywords.def. The same seed makes the same statements."""
import json
import pathlib
import random
import re
import subprocess
import sys

from digest_rules import INTRODUCERS, normalize

BLANKS = [b" ", b"  ", b"\t", b"\n", b"\r\n", b"\v", b"\f", b"\x85", b"\xa0", b"/**/", b"/* x */", b"-- x\n",
          b"# x\n"]
COMMENTS = [b"/*", b"/*!", b"/*!50000", b"/*!50000 ", b"/*!500001", b"/*!5000", b"*/", b"/*/", b"/*/*/",
            b"/***/", b"/*+ x */", b"/*M! ", b"/*T!", b"/*T![ttl]", b"/*T![ttl,x]", b"/*T![ttl,", b"/*T![]",
            b"--", b"-- ", b"--\xa0x\n", b"#"]
OPERATORS = [b"<=>", b"<=", b"<>", b"<<", b"<", b">=", b">>", b">", b"!=", b"!", b":=", b":", b"&&", b"&^",
             b"&", b"||", b"|", b"\\", b"=", b"+", b"-", b"->", b"->>", b"*", b"/", b"(", b")", b"[", b"]",
             b"{", b"}", b";", b",", b"%", b"^", b"~", b".", b"\0", b"\x1f", b"\x7f"]
NUMBERS = [b"0", b"1", b"08", b"12345678901234567", b"1.", b".5", b"1.5", b"1..2", b"1e5", b"1E-9", b"1e",
           b"1.e", b"1e+", b".5e", b".5e-3", b"0x1F", b"0x", b"0X1", b"0x1g", b"0x1F.5", b"0b1", b"0b", b"0B1",
           b"0b12", b"0b1e5", b"00.1"]
STRINGS = [b"'a'", b'"a"', b"''", b"'*'", b"')'", b"'index'", b"'\\)'", b"'\\*'", b"'a''b'", b"'a\\'b'",
           b"'\\'", b"'", b'"', b"x'1F'", b"X'1'", b"x'zz'", b"x'", b"b'01'", b"B'2'", b"b'", b"n'a'", b"N'a'",
           b'N"a"', b"N 'a'", b"_utf8'a'", b"'" + 40 * b"long" + b"'", b"?", b"\\N", b"\\n", b"null", b"NULL",
           b"nulls"]
NAMES = [b"a", b"t1", b"N", b"x", b"b", b"_", b"$", b"1a", b"0_x", b"select_", b"_ucs2", b"_utf8x",
         *sorted(INTRODUCERS), 9 * b"long_name_", b"`a`", b"`a``b`", b"`*`", b"`(`", b"`)`", b"`,`", b"`-`",
         b"`=`", b"`INDEX`", b"`use`", b"`by`", b"`order`", b"`is`", b"`straight_join`",
         b"`straight_join\0`", b"`index\0`", b"``", b"`", b"@",
         b"@a", b"@a.b", b"@'a\\%b\\n'", b"@`,`", b"@`(`", b"@index", b"@'", b"@@", b"@@A", b"@@global.a",
         b"@@GLOBAL.", b"@@session.'X'", b"@@local.`A``b`", b"@@persist.x", b"@@`)`", b"@*"]
LETTERS = ["\u00c9t\u00e9", "\u0130ndex", "li\u212ae", "nul\u00e9", "\u01c5", "\u1e9e", "\U00010400"]
BROKEN = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xe2\x84", b"\xf4\x90\x80\x80", b"a\xc3", b"`\xe2\x84\xaa\xff`"]
PHRASES = [b"use index", b"use index (", b"force index (a) ", b"ignore index (x'zz", b"use key (a)",
           b"order by ", b"group by (", b",1", b"(1),(2)", b",(1", b"),(", b"1,2", b"_utf8'a', _utf8'b'", b"-1",
           b"(-1", b"= -1", b"is -1", b"<= +1.5", b"count(", b"count ("]
POOLS = [COMMENTS, OPERATORS, OPERATORS, NUMBERS, NUMBERS, STRINGS, STRINGS, NAMES, NAMES, BROKEN, PHRASES, PHRASES,
         [letters.encode() for letters in LETTERS]]


def read_words(path):
    """The words that print bare everywhere, and those that do before a parenthesis."""
    rows = re.findall(r'^X\(\w+, "(\w+)", ([^)]*)\)', path.read_text(), re.MULTILINE)
    return [frozenset(word.encode() for word, flags in rows if flag in flags)
            for flag in ("SQL_KEYWORD_ANYWHERE", "SQL_KEYWORD_BEFORE_PARENTHESIS")]


def atom(chance, words):
    kind = chance.random()
    if kind < 0.35:
        word = chance.choice(words)
        return word.upper() if chance.random() < 0.3 else word
    if kind < 0.37:
        return bytes([chance.randrange(256)])
    return chance.choice(chance.choice(POOLS))


def statement(chance, words):
    blanks = chance.choice([[b""], [b" "], [b" "], BLANKS])
    count = chance.choice([1, 2, 3, 5, 8, 13, 21, 60])
    text = bytearray(b"".join(atom(chance, words) + chance.choice(blanks) for _ in range(count)))
    for _ in range(chance.choice([0, 0, 0, 1, 3])):
        at = chance.randrange(len(text) + 1)
        text[at:at + chance.choice([0, 1, 1, 4])] = atom(chance, words) if chance.random() < 0.5 else b""
    return bytes(text)


def main(weir_digest, keywords, seed=1, count=10000):
    anywhere, before_parenthesis = read_words(pathlib.Path(keywords))
    chance = random.Random(int(seed))
    common = [b"select", b"from", b"index", b"order", b"group", b"by", b"in"]
    words = sorted(anywhere | before_parenthesis) + 30 * common
    texts = [statement(chance, words) for _ in range(int(count))]
    lines = "".join(json.dumps({"sql_hex": text.hex()}) + "\n" for text in texts)
    run = subprocess.run([weir_digest], input=lines.encode(), capture_output=True, check=True)
    answers = [json.loads(line)["normalized"].encode() for line in run.stdout.splitlines()]
    wrong = abs(len(texts) - len(answers))
    for text, answer in zip(texts, answers):
        expected = normalize(text, anywhere, before_parenthesis)
        if answer != expected:
            wrong += 1
            print(f"{text!r}\n  gives:    {answer!r}\n  expected: {expected!r}")
    print(f"{len(texts)} statements, {wrong} differences")
    return wrong > 0 or not anywhere or not before_parenthesis


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
