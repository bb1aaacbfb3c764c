# SPDX-License-Identifier: Apache-2.0
"""Makes a case that fails small: fewer steps, then shorter texts, as long as the same check still fails."""
import time

from mutate import TOKEN

SECONDS = 20


class Minimiser:
    """fails(case) plays a case from a fresh state and returns whether the same check fails."""

    def __init__(self, fails):
        self.fails = fails
        self.end = time.monotonic() + SECONDS

    def minimise(self, case):
        case = self._steps(case)
        for index in range(len(case.steps)):
            if case.steps[index].text:
                case = self._text(case, index, TOKEN.findall(case.steps[index].text))
        for index in range(len(case.steps)):
            text = case.steps[index].text
            if 0 < len(text) < 200:
                case = self._text(case, index, [bytes([byte]) for byte in text])
        return self._steps(case)

    def _late(self):
        return time.monotonic() > self.end

    def _steps(self, case):
        steps = self._reduce(list(case.steps), lambda steps: self.fails(case.with_steps(steps)))
        return case.with_steps(steps)

    def _text(self, case, index, tokens):
        def with_tokens(some):
            steps = list(case.steps)
            steps[index] = steps[index].with_text(b"".join(some))
            return case.with_steps(steps)
        return with_tokens(self._reduce(tokens, lambda some: self.fails(with_tokens(some))))

    def _reduce(self, items, fails):
        """Delta debugging: leaves out chunks, large ones first."""
        size = max(1, len(items) // 2)
        while items and not self._late():
            at, changed = 0, False
            while at < len(items) and not self._late():
                fewer = items[:at] + items[at + size:]
                if fewer and fails(fewer):
                    items, changed = fewer, True
                else:
                    at += size
            if size == 1 and not changed:
                break
            size = max(1, size // 2) if size > 1 else 1
        return items
