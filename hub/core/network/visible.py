"""Text of strangers, as a terminal or a log may show it."""

from __future__ import annotations

import re

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
"""C0, DEL, C1, what ends lines, what writes backwards, and what shows nothing."""


def visible(text: str, keep: str = "") -> str:
    """Every character that steers a terminal, ends a line or hides others becomes its code: `\\n`, `\\x9b`, `\\u202e`.
    `keep` names those that stay. The result is one line unless `keep` has a line end."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in keep or character == "\xa0" else code(character)
        for character in text
    )


def code(character: str) -> str:
    number = ord(character)
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    if short is not None:
        return short
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def visible_json(text: str) -> str:
    """JSON that says the same, without such characters in it: JSON escapes C0 itself, and leaves the others."""
    return CONTROLS.sub(lambda match: match[0] if match[0] in "\n" else f"\\u{ord(match[0]):04x}", text)
