"""The character set of a transaction: decided once, for everybody who reads its bytes.

UTF-8 where the bytes are UTF-8 and the delimiters ASCII; else 8-bit text: windows-1252 where bytes from 80 to 9F stand
in it, ISO 8859-1 (which has no characters there) where none does. Delimiters are bytes, and stay the characters of ISO
8859-1.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from functools import lru_cache

from hub.core.agreement import Charset
from transformers.x12.envelope.delimiters import Delimiters

CODECS: dict[Charset, str] = {
    "basic": "latin-1",
    "extended": "utf-8",
    "utf-8": "utf-8",
    "latin-1": "latin-1",
    "windows-1252": "cp1252",
}
"""By what is agreed, the codec with which we write."""

_UPPER_CONTROLS = range(0x80, 0xA0)


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """`name` is that of the agreement which would say it. `table`: the characters of the 256 bytes, of an 8-bit
    text."""

    name: Charset
    table: str = ""
    warnings: tuple[str, ...] = ()

    def decode(self, data: bytes) -> str:
        """Never raises for bytes that the set was decided by: what has no character in it is a control character."""
        return codecs.charmap_decode(data, "strict", self.table)[0] if self.table else data.decode("utf-8")


UTF_8 = CharacterSet("utf-8")

_WIDE = (
    ("UTF-32", (codecs.BOM_UTF32_LE, b"\xfe\xff\0\0\0", "IS".encode("utf-32-le"))),
    ("UTF-16", (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, "IS".encode("utf-16-le"))),
)


def wide_text(start: bytes) -> str:
    """The name of the encoding that has several bytes for each character, where a body begins so (behind its first
    zeros); else nothing."""
    return next((name for name, beginnings in _WIDE if start.startswith(beginnings)), "")


def character_set(data: bytes, delimiters: Delimiters, agreed: Charset = "extended") -> CharacterSet:
    """That of a transaction (without its binary data), with a warning where it isn't the one agreed."""
    own = delimiters.element + delimiters.component + delimiters.repetition + delimiters.terminator
    eight_bit = agreed in ("latin-1", "windows-1252")
    if not eight_bit and own.isascii():
        if data.isascii():
            return UTF_8
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            return UTF_8
    windows = agreed == "windows-1252" or len(data.translate(None, _controls(own))) < len(data)
    found = _eight_bit(own, windows)
    if not eight_bit:
        shown = "windows-1252" if windows else "ISO 8859-1"
        return CharacterSet(found.name, found.table, (f"the bytes aren't UTF-8; read as {shown}",))
    if found.name != agreed:
        text = "bytes from 80 to 9F have no character in ISO 8859-1; read as windows-1252"
        return CharacterSet(found.name, found.table, (text,))
    return found


@lru_cache(maxsize=64)
def _controls(own: bytes) -> bytes:
    return bytes(byte for byte in _UPPER_CONTROLS if byte not in own)


@lru_cache(maxsize=64)
def _eight_bit(own: bytes, windows: bool) -> CharacterSet:
    characters = [chr(byte) for byte in range(256)]
    for byte in _controls(own) if windows else b"":
        characters[byte] = bytes((byte,)).decode("cp1252", "ignore") or characters[byte]
    return CharacterSet("windows-1252" if windows else "latin-1", "".join(characters))
