"""Identifiers that a far end gives in its reply: kept as business keys of the document that was sent. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from hub.core.ports import Receipt
from hub.core.replies.reply_body import NOTHING, ReplyBody, as_text, check_path, look_into

HEADER = "header."
KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
LONGEST = 200


def check_capture(name: str, origin: str) -> None:
    """Raises ValueError."""
    if not KIND.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a business key: lower-case letters, digits and _")
    if origin.startswith(HEADER) and len(origin) > len(HEADER):
        return
    if not origin.startswith("/"):
        raise ValueError(f"{name}: {origin!r} should be a path into the reply (/id) or a header (header.Location)")
    check_path(origin)


def paths_in(captures: Mapping[str, str]) -> tuple[str, ...]:
    """Where they look into a body."""
    return tuple(dict.fromkeys(origin for origin in captures.values() if not origin.startswith(HEADER)))


def captured(
    captures: Mapping[str, str], receipt: Receipt, body: ReplyBody | None = None
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Pairs (kind, value) of what was found, and the names of what was not: no plain value, an empty or an overlong
    one. `body` is what stands at `paths_in(captures)`; without it the reply is looked into here, which may take long
    for a large one."""
    body = look_into(receipt.reply, paths_in(captures)) if body is None else body
    found, missing = [], []
    for name, origin in captures.items():
        value = plain(
            receipt.headers.get(origin.removeprefix(HEADER).lower()) if origin.startswith(HEADER) else body.at(origin)
        )
        if value:
            found.append((name, value))
        else:
            missing.append(name)
    return tuple(found), tuple(missing)


def plain(value: object) -> str:
    """A text, a number or a boolean as text on one line; empty for anything else."""
    if value is NOTHING or not isinstance(value, str | int | float | Decimal):
        return ""
    text = " ".join(as_text(value).split())
    return text if len(text) <= LONGEST and text.isprintable() else ""
