"""Control numbers that have been seen, in little memory: most groups count up by one."""

from __future__ import annotations

MOST = 100_000
"""Numbers out of their order that are remembered."""


class SeenNumbers:
    """The transaction control numbers of one group."""

    def __init__(self) -> None:
        self._first = self._last = -1
        self._others: set[str] = set()

    def again(self, text: str) -> bool:
        """Whether the number has been seen; it is seen now."""
        if not text:
            return False
        if text.isdecimal() and len(text) < 10:
            number = int(text)
            if self._first <= number <= self._last or str(number) in self._others:
                return True
            if self._last < 0 or number == self._last + 1:
                self._first, self._last = (number if self._last < 0 else self._first), number
                return False
            text = str(number)
        if text in self._others:
            return True
        if len(self._others) < MOST:
            self._others.add(text)
        return False
