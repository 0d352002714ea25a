"""Names of files: as patterns choose them, with a number behind them, and as text."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

LONGEST_NAME = 255
"""Bytes of a file name, as nearly all file systems have it."""


@dataclass(frozen=True, slots=True)
class NamePatterns:
    """Which files of a folder a source takes: globs over the name."""

    match: tuple[str, ...]
    ignore: tuple[str, ...]

    def wants(self, name: str) -> bool:
        return matches(name, self.match) and not matches(name, self.ignore)


def matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def with_mark(name: str, number: int) -> str:
    """`name~number`; a name that gets too long by it loses its end."""
    mark = f"~{number}"
    return os.fsdecode(os.fsencode(name)[: LONGEST_NAME - len(mark)]) + mark


def without_mark(name: str) -> str:
    """The name that a file had before it got a number."""
    stem, mark, number = name.rpartition("~")
    return stem if mark and stem and number.isdigit() else name


def show_name(name: str) -> str:
    """A file name as text that can be stored and shown, whatever bytes it is made of."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def printable(text: str) -> str:
    """An error's text, in which a name may stand that is no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
