# SPDX-License-Identifier: Apache-2.0
"""Makes cases: sessions of some steps, from the grammar and the seeds, mutated."""
import re

import schema
from case import Case, Step
from grammar import Grammar
from mutate import Mutator

COLLATIONS = (45, 45, 45, 33, 8, 8, 28, 13, 1, 63, 51, 7, 19, 224, 95)
STEPS = 24
SETS_CHARSET = re.compile(r"(?:SET NAMES|CHARACTER SET|character_set_client =) (\w+)")


class Maker:
    def __init__(self, random, seeds):
        self.random, self.seeds, self.mutator = random, seeds, Mutator(random)
        self.seeded = {}  # of the case: step's text -> seed

    def case(self):
        account = self.random.choices(schema.ACCOUNTS, (6, 4, 1))[0]
        self.grammar = Grammar(self.random, account == "guarded")
        self.charset, self.seeded = "utf8mb4", {}
        case = Case(account, "db1" if account == "poor" else self.random.choice(("db1", "db1", "db2", "")),
                    self.random.choice(COLLATIONS))
        steps = [self.setup()] if self.random.random() < 0.5 else []
        while len(steps) < STEPS:
            steps += self.steps()
        return case.with_steps(steps)

    def setup(self):
        text = self.random.choice((lambda: f"SET NAMES {self.random.choice(('latin1', 'gbk', 'sjis', 'cp1251', 'utf8mb4'))}",
                                   lambda: f"SET sql_mode = '{self.random.choice(('ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES', 'ORACLE'))}'"))()
        self.note(text)
        return Step("query", text.encode())

    def note(self, text):
        found = SETS_CHARSET.search(text)
        if found:
            self.charset = found[1]

    def text(self):
        if self.seeds and len(self.seeds) and self.random.random() < 0.25:
            seed = self.seeds.next()
            encoded = self.mutator.encode(seed, self.charset)
            self.seeded[encoded] = seed
        else:
            text = self.grammar.statement()
            self.note(text)
            encoded = self.mutator.encode(text, self.charset)
        chance = self.random.random()
        if chance < 0.45:
            return encoded
        if chance < 0.97:
            return self.mutator.mutate(encoded, self.random.choice((0.02, 0.04, 0.1)))
        return self.mutator.damage(encoded)

    def several(self):
        return self.random.choice((b"; ", b";", b";\n", b" ; ")).join(self.text() for _ in range(self.random.choice((2, 2, 3))))

    def steps(self):
        chance = self.random.random()
        if chance < 0.66:
            return [Step("query", self.text())]
        if chance < 0.78:
            return [Step("query", self.several())]
        if chance < 0.88:
            return [Step("prepared", self.text())]
        if chance < 0.90:
            return [Step("prepare", b"s " + self.text()), *self.steps()[:1], Step("execute", b"s"), Step("execute", b"s")]
        if chance < 0.93:
            return [Step("init_db", self.random.choice((b"db1", b"db2", "d\u00e4".encode(), b"nowhere", b"DB1")))]
        if chance < 0.97:
            return [Step("reset")]
        if chance < 0.95:
            return [Step("change_user", self.random.choice((b"free db1", b"guarded db1", b"poor db1", b"free ", b"guarded db2")))]
        return [Step("ask")]
