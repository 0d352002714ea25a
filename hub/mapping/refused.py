"""What is known of a body that is no document: its number and partner, so that people find it by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jiter

LARGEST = 1 << 20
"""Bytes of a body that are looked at."""

LONGEST = 100
"""Characters of a number or a name that people look for."""

LOOKED_FOR = ("number", "partner")


def known_of(raw: bytes | None, names: Mapping[str, Any]) -> dict[str, str]:
    """`number` and `partner`, where they stand at the top of the JSON, be it cut off in the middle."""
    value = names.get("body")
    if value is None and raw is not None and len(raw) <= LARGEST:
        try:
            value = jiter.from_json(raw.removeprefix(b"\xef\xbb\xbf"), partial_mode=True)
        except ValueError:
            return {}
    if not isinstance(value, Mapping):
        return {}
    found = ((name, value.get(name)) for name in LOOKED_FOR)
    return {name: text for name, text in found if isinstance(text, str) and 0 < len(text) <= LONGEST}
