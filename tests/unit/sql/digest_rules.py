# SPDX-License-Identifier: Apache-2.0
"""TiDB's normalised text, written a second time, slowly and plainly: what src/sql must agree with.

    normalize(statement, anywhere, before_parenthesis)

takes bytes and gives bytes; the two sets are the keywords, in lower case: those that print bare everywhere, and those
that do so right before a parenthesis. A list of all tokens is kept, and each rule looks back in it as far as it likes:
nothing here is clever, so that a mistake in src/sql is not made twice."""

SPACE = frozenset(b"\t\n\v\f\r \x85\xa0")
DIGIT = frozenset(b"0123456789")
BINARY = frozenset(b"01")
HEX = frozenset(b"0123456789abcdefABCDEF")
LETTER = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$") | frozenset(range(0x80, 0x100))
WORD = LETTER | DIGIT
VARIABLE = WORD | frozenset(b".")
OPERATORS = (b"<=>", b"<=", b"<>", b"<<", b">=", b">>", b"!=", b":=", b"&&", b"&^", b"||")
SINGLE = frozenset(b"<>!:&|\\=+-*/()[]{};,.%^~")
ESCAPES = {ord("n"): 10, ord("0"): 0, ord("b"): 8, ord("Z"): 26, ord("r"): 13, ord("t"): 9}
SCOPES = (b"global.", b"session.", b"local.")
FEATURES = frozenset((b"auto_rand", b"auto_id_cache", b"auto_rand_base", b"clustered_index", b"force_inc", b"placement",
                      b"ttl", b"global_index", b"pre_split", b"affinity", b"region_split"))
INTRODUCERS = frozenset((b"_ascii", b"_binary", b"_gb18030", b"_gbk", b"_latin1", b"_utf8", b"_utf8mb3", b"_utf8mb4"))

END, INVALID, EMPTY, PLAIN = "end", "invalid", "empty", "plain"
NAME, QUOTED, KEYWORD, CHARSET = "name", "quoted", "keyword", "charset"
INTEGER, NUMBER, STRING, BIT, NULL, MARK = "integer", "number", "string", "bit", "null", "mark"
USER, SYSTEM = "user variable", "system variable"
VALUE, LIST = "value", "list"
LITERALS = (INTEGER, NUMBER, STRING, BIT, NULL, MARK)
FOLDED = (VALUE, LIST)
BEFORE_SIGN = (b"(", b",", b"+", b"-", b">=", b"is", b"<=", b"=", b"<", b">", b"select")


def lower(text):
    """Lower case by code points; each byte that is not UTF-8 becomes U+FFFD."""
    out = []
    at = 0
    while at < len(text):
        for size in range(1, 5):
            try:
                out.append(lower_point(text[at:at + size].decode()))
                break
            except UnicodeDecodeError:
                pass
        else:
            size = 1
            out.append("\ufffd")
        at += size
    return "".join(out).encode()


def lower_point(point):
    return "i" if point == "\u0130" else point.lower()  # the only one that str.lower() makes two of


class Scanner:
    def __init__(self, text):
        self.text = text
        self.at = 0
        self.in_code = False  # in an executable comment: its end is then skipped alone

    def has(self, at, what):
        """Whether one of the bytes stands there."""
        return at < len(self.text) and self.text[at] in what

    def run(self, at, what):
        while self.has(at, what):
            at += 1
        return at

    def token(self):
        """(class, literal, where it starts)"""
        while self.skip_one():
            pass
        start = self.at
        if start == len(self.text):
            return END, b"", start
        kind, literal, self.at = self.read(start)
        return kind, literal, start

    def skip_one(self):
        """White space or a comment. One without an end is a token."""
        text, at = self.text, self.at
        if self.has(at, SPACE):
            self.at += 1
        elif self.has(at, b"#") or (text.startswith(b"--", at) and (at + 2 == len(text) or self.has(at + 2, SPACE))):
            newline = text.find(b"\n", at)
            self.at = newline if newline >= 0 else len(text)
        elif text.startswith(b"*/", at) and self.in_code:
            self.at += 2
            self.in_code = False
        elif text.startswith(b"/*", at):
            code = self.code_of_comment(at + 2)
            if code is not None:
                self.in_code = True
                self.at = code
                return True
            end = self.end_of_comment(at)
            if end < 0:
                return False
            self.at = end
        else:
            return False
        return True

    def code_of_comment(self, at):
        """Where the code in an executable comment starts; None: it is another."""
        if self.has(at, b"!"):
            digits = self.run(at + 1, DIGIT) - at - 1
            return at + 1 + (5 if digits >= 5 else 0)
        if self.text.startswith(b"T!", at):
            features, end = self.features(at + 2)
            return end if FEATURES.issuperset(features) else None
        return None

    def features(self, at):
        """[name,name]; without such a list there, none and the same place."""
        names, name = [], at
        while self.has(name, b"[" if name == at else b","):
            end = self.run(name + 1, WORD)
            if end == name + 1:
                break
            names.append(self.text[name + 1:end])
            if self.has(end, b"]"):
                return names, end + 1
            name = end
        return [], at

    def end_of_comment(self, at):
        behind = at + 2 if self.has(at + 2, b"*") else at + 3
        end = self.text.find(b"*/", behind)
        return end + 2 if end >= 0 else -1

    def read(self, at):
        """(class, literal, where it ends)"""
        text = self.text
        byte = text[at:at + 1]
        if byte[0] in LETTER:
            return self.word(at)
        if byte[0] in DIGIT:
            return self.number(at)
        if byte == b"." and self.has(at + 1, DIGIT):
            kind, literal, end = self.fraction(at)
            return (INVALID, b"", at) if kind == NAME else (kind, literal, end)
        if byte in b"'\"`":
            return self.quoted(at, QUOTED if byte == b"`" else STRING)
        if byte == b"@":
            return self.variable(at)
        if text.startswith(b"/*", at):
            return EMPTY, b"", len(text)
        if text.startswith(b"->", at):
            return EMPTY, b"", at + (3 if text.startswith(b"->>", at) else 2)
        if text.startswith(b"\\N", at):
            return NULL, b"\\N", at + 2
        if byte == b"?":
            return MARK, byte, at + 1
        for operator in OPERATORS:
            if text.startswith(operator, at):
                return PLAIN, operator, at + len(operator)
        return (PLAIN, byte, at + 1) if byte[0] in SINGLE else (INVALID, b"", at)

    def word(self, at):
        first, quote = self.text[at:at + 1].lower(), self.has(at + 1, b"'")
        if quote and first in b"xb":
            end = self.run(at + 2, HEX if first == b"x" else BINARY)
            if not self.has(end, b"'"):
                return INVALID, b"", end
            return NUMBER if first == b"x" else BIT, self.text[at:end + 1], end + 1
        end = self.run(at, WORD)
        return CHARSET if quote and first == b"n" else NAME, self.text[at:end], end

    def number(self, at):
        kind, end = INTEGER, at + 1
        if self.text[at:at + 1] == b"0":
            if self.has(end, b"B"):
                return self.word(at)
            if self.has(end, b"xXb"):
                kind = BIT if self.has(end, b"b") else NUMBER
                digits = end + 1
                end = self.run(digits, BINARY if kind == BIT else HEX)
                if end == digits or self.has(end, DIGIT):
                    return self.name(at)
        end = self.run(end, DIGIT)
        if self.has(end, b".eE"):
            return self.fraction(at)
        return self.name(at) if self.has(end, WORD) else (kind, self.text[at:end], end)

    def name(self, at):
        end = self.run(at, WORD)
        return NAME, self.text[at:end], end

    def fraction(self, at):
        end = self.run(at, DIGIT)
        if self.has(end, b"."):
            end = self.run(end + 1, DIGIT)
        if self.has(end, b"eE"):
            digit = end + 2 if self.has(end + 1, b"+-") else end + 1
            end = self.run(digit, DIGIT)
            if end == digit:
                return self.name(at)
        return NUMBER, self.text[at:end], end

    def quoted(self, at, kind, before=b""):
        text, quote, literal = self.text, self.text[at], bytearray(before)
        at += 1
        while at < len(text):
            byte = text[at]
            at += 1
            if byte == quote:
                if not self.has(at, (quote,)):
                    return kind, bytes(literal), at
                at += 1
            elif byte == ord("\\") and quote != ord("`"):
                if at == len(text):
                    break
                byte = text[at]
                at += 1
                if byte in b"%_":
                    literal.append(ord("\\"))
                byte = ESCAPES.get(byte, byte)
            literal.append(byte)
        return INVALID, b"", len(text)

    def variable(self, at):
        kind, prefix, end = USER, b"", at + 1
        if self.has(end, b"@"):
            kind, prefix, end = SYSTEM, b"@@", at + 2
            for scope in SCOPES:
                if self.text[end:end + len(scope)].lower() == scope:
                    prefix, end = prefix + scope, end + len(scope)
                    break
        behind = self.run(end, VARIABLE)
        if behind > end:
            return kind, self.text[at if kind == SYSTEM else end:behind], behind
        if self.has(end, b"'\"`"):
            return self.quoted(end, kind, prefix)
        return EMPTY if kind == SYSTEM else USER, b"", end


class Normalizer:
    def __init__(self, text, anywhere, before_parenthesis):
        self.scanner = Scanner(text)
        self.anywhere, self.before_parenthesis = anywhere, before_parenthesis
        self.tokens = []  # (class, literal)

    def literals(self, count):
        return [literal for _, literal in self.tokens[-count:]]

    def kind(self, back):
        return self.tokens[-back][0] if back <= len(self.tokens) else None

    def literal(self, back):
        return self.tokens[-back][1] if back <= len(self.tokens) else None

    def run(self):
        text = self.scanner.text
        while True:
            kind, raw, start = self.scanner.token()
            if kind in (END, INVALID) or text[start:] == b";":
                return
            literal = lower(raw)
            if literal == b"index" and self.literal(1) in (b"force", b"use", b"ignore") and self.skip_hint():
                continue
            if literal == b"straight_join":
                literal = b"join"
            if literal == b"*":
                kind, literal = (VALUE, b"?") if self.literal(1) == b"(" else (kind, literal)
            elif kind in LITERALS or (kind == NAME and literal == b"null"):
                kind, literal = self.fold(kind, literal)
            elif kind == NAME:
                kind = self.sort(literal, start)
            self.tokens.append((kind, literal))

    def skip_hint(self):
        while True:
            kind, literal, _ = self.scanner.token()
            if kind in (END, INVALID):
                return False
            if literal == b")":
                self.tokens.pop()
                return True

    def fold(self, kind, literal):
        tokens = self.tokens
        if kind in (INTEGER, NUMBER) and self.literal(1) in (b"-", b"+") and \
                (len(tokens) == 1 or self.literal(2) in BEFORE_SIGN):
            tokens.pop()
        if self.literal(1) == b"," and self.kind(2) in FOLDED:
            del tokens[-2:]
        elif len(tokens) >= 4 and self.kind(1) == CHARSET and self.literal(2) == b"," and self.kind(3) in FOLDED:
            del tokens[-4 if self.kind(4) == CHARSET else -3:]
        elif self.kind(4) in FOLDED and self.literals(3) == [b")", b",", b"("]:
            del tokens[-4:]
        elif kind == INTEGER and self.is_position():
            return kind, literal
        else:
            return VALUE, b"?"
        return LIST, b"..."

    def is_position(self):
        """Behind ORDER BY or GROUP BY and any number of items and commas: every second token is taken for a comma."""
        back = 1
        while self.literal(back) == b"," and back < len(self.tokens):
            back += 2
        if self.literal(back) == b"(":
            back += 1
        return self.literal(back) == b"by" and self.literal(back + 1) in (b"order", b"group")

    def sort(self, literal, start):
        """What an unquoted word is. Behind it is where the scanner stands, even when that went ahead."""
        text, behind = self.scanner.text, self.scanner.at
        if literal in INTRODUCERS:
            return CHARSET
        if text[behind:behind + 1] == b"." or text[:start].rstrip(b" ").endswith(b"."):
            return NAME
        called = literal in self.before_parenthesis and text[behind:behind + 1] == b"("
        return KEYWORD if called or literal in self.anywhere else NAME


def normalize(text, anywhere, before_parenthesis):
    normalizer = Normalizer(text, anywhere, before_parenthesis)
    normalizer.run()
    printed = {NAME: b"`%s`", QUOTED: b"`%s`", USER: b"@%s", CHARSET: b"(_charset)"}
    return b" ".join(printed.get(kind, b"%s").replace(b"%s", literal) for kind, literal in normalizer.tokens)
