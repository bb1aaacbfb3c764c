# SPDX-License-Identifier: Apache-2.0
"""Changes of texts, as bytes: other blanks and comments, executable comments around words, quotes around names, letter case,
several statements in a text, and now and then plain damage."""
import re

CODECS = {"latin1": "cp1252", "utf8mb4": "utf-8", "utf8mb3": "utf-8", "gbk": "gbk", "sjis": "shift_jis", "big5": "big5",
          "cp1251": "cp1251", "koi8r": "koi8-r", "latin2": "iso8859-2", "euckr": "euc-kr", "gb2312": "gb2312",
          "greek": "iso8859-7",
          "hebrew": "iso8859-8", "cp1250": "cp1250", "cp850": "cp850", "macroman": "mac-roman", "latin5": "iso8859-9"}

BLANKS = (b"\n", b"\t", b"\x0b", b"\x0c", b"\r", b"\r\n", b"  ", b" /**/ ", b"/**/", b"/* x */", b"/*'*/", b"/*\"*/",
    b"/*`*/", b"/*;*/",
          b" -- x\n", b" -- '\n", b" # x\n", b"# \"\n", b"#;\n", b"--\t`\n", b" --\n", b"/*!*/ ", b"/*! */", b"/*!99999 x */",
          b"/*!999999 ' */",
          b"/*M!99999 x */ ", b"/*M!999999 ; */", b"/* /* */", b"/*!50000 */ ", b"/***/", b"/*/ */", b"/*!99999 /* ' */ */",
          b"/*+ x */")
ODD_BLANKS = (b"\xa0", b"\xa0\xa0", b"\x00", b"\xc2\xa0", b"\x85", b"\xe3\x80\x80", b"\xa1\xa1", b"\x81\x40", b"--\xa0'\n",
    b"--\x01'\n", b"\x1a", b"\x08")
ODD_STRINGS = (b"'\xbf\\'", b"'\x95\\'", b"'\xa5\\'", b"'\xe4'", b"'\xe4\\''", b"'\x81'", b"'\xbf''", b"'\x95\\''",
    b"'\xc3\xa4'", b"'\x8e\\'")

TOKEN = re.compile(rb"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`(?:[^`]|``)*`|[A-Za-z_][A-Za-z_0-9]*|[ ]+|.", re.S)
NAME = re.compile(rb"(t[1-4]|secret|ledger|view_one|db[12]|a|b|c)", re.I)


class Mutator:
    def __init__(self, random):
        self.random = random

    def encode(self, text, charset):
        codec = CODECS.get(charset, "latin-1")
        if self.random.random() < 0.05:
            codec = self.random.choice(("utf-8", "latin-1", "gbk"))
        return text.encode(codec, "replace")

    def mutate(self, text, rate):
        """rate: how often a place is changed, 0 to 1."""
        tokens = TOKEN.findall(text)
        out = []
        for index, token in enumerate(tokens):
            if self.random.random() >= rate:
                out.append(token)
            elif token.isspace():
                out.append(self.blank())
            elif token[:1] == b"'" and self.random.random() < 0.5:
                out.append(self.random.choice(ODD_STRINGS))
            else:
                out.append(self.word(token))
        return b"".join(out)

    def blank(self):
        return self.random.choice(ODD_BLANKS if self.random.random() < 0.08 else BLANKS)

    def word(self, token):
        choice = self.random.random()
        if NAME.fullmatch(token) and choice < 0.4:
            return self.random.choice((b"`%s`", b"`%s`", b"\"%s\"", b" %s ")) % token
        if choice < 0.55:
            return token.swapcase() if token.isalpha() else token
        if choice < 0.75 and token[:1].isalpha():
            return self.random.choice((b"/*!%s*/", b"/*! %s */", b"/*!50000 %s */", b"/*M!100000 %s */", b"/*!100000%s */",
                b"/*M!%s*/")) % token
        return token

    def damage(self, text):
        if not text:
            return b" "
        at = self.random.randrange(len(text))
        choice = self.random.randrange(6)
        if choice == 0:
            return text[:at]
        if choice == 1:
            return text[:at] + text[at + 1:]
        if choice == 2:
            return text[:at] + self.random.choice((b"'", b"\"", b"`", b";", b"\\", b"/*", b"*/", b"-- ", b"#", b"\x00",
                b"\xa0", b"(", b")")) + text[at:]
        if choice == 3:
            return text[:at] + bytes([self.random.randrange(256)]) + text[at + 1:]
        end = min(len(text), at + self.random.randrange(1, 20))
        if choice == 4:
            return text[:end] + text[at:]
        return text[at:] + b" " + text[:at]
