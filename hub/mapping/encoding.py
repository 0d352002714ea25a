"""Encodings of texts that stand in lines. Pure."""

from __future__ import annotations

import codecs
from typing import Annotated

from pydantic import AfterValidator


def known_encoding(value: str) -> str:
    """Raises ValueError for one that isn't known, or whose line ends are more than one byte."""
    try:
        codec = codecs.lookup(value)
        of_lines = codec._is_text_encoding and not codec.name.startswith(("utf-16", "utf-32"))
        "A".encode(value)
    except (LookupError, UnicodeError):
        of_lines = False
    if not of_lines:
        raise ValueError(f"there is no encoding {value!r} of lines; say utf-8, windows-1252, iso-8859-15, cp037")
    return value


LineEncoding = Annotated[str, AfterValidator(known_encoding)]
