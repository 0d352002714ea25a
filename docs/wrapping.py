"""Markdown with lines of at most 120 characters. Headings, tables, code and links to elsewhere stay as they are."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

WIDTH = 120
WORD = re.compile(r"(?:`+[^`]*`+|\S)+")
"""A word, or code with its spaces."""

ITEM = re.compile(r"(\s*(?:[-*+]|\d+[.)])\s+)(.*)")
FENCE = re.compile(r"\s*(```+|~~~+)")
UNTOUCHED = re.compile(r"\s*(?:[|#<>]|\[!|\[[^\]]+\]:|(?:[-=*_]){3,}\s*$)")
BEGINS_A_BLOCK = re.compile(r"(?:[-+*]|\d+[.)])$|[|#>=]|[-=]+$")
"""What must not stand first in a line: it would begin a list, a heading or a table."""


def wrap(text: str) -> str:
    return "\n".join(_lines(text.split("\n")))


def _lines(lines: list[str]) -> Iterator[str]:
    fence, begin, words = "", "", []
    for line in lines:
        item = ITEM.fullmatch(line)
        opening = FENCE.match(line)
        goes_on = line.strip() and not (fence or item or opening or UNTOUCHED.match(line))
        if words and not goes_on:
            yield from _paragraph(begin, words)
            words = []
        if fence:
            fence = "" if line.strip().startswith(fence) else fence
            yield line
        elif item:
            begin, words = item[1], WORD.findall(item[2])
        elif goes_on:
            if not words:
                begin = " " * (len(line) - len(line.lstrip()))
            words += WORD.findall(line)
        else:
            fence = opening[1] if opening else ""
            yield line
    if words:
        yield from _paragraph(begin, words)


def _paragraph(begin: str, words: list[str]) -> Iterator[str]:
    line = begin + words[0]
    for word in words[1:]:
        if len(line) + 1 + len(word) > WIDTH and not BEGINS_A_BLOCK.match(word):
            yield line
            line = " " * len(begin) + word
        else:
            line += f" {word}"
    yield line


def long_lines(text: str) -> list[str]:
    """What `wrap` would not leave as it is because it is too long."""
    kept = set(wrap(text).split("\n"))
    return [line for line in text.split("\n") if len(line) > WIDTH and line not in kept]


if __name__ == "__main__":
    for page in map(Path, sys.argv[1:]):
        page.write_text(wrap(page.read_text()))
