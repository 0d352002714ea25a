"""A dead letter, for people and for programs."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import orjson

from hub.cli.shell.output import age, entry, moment, status
from hub.core.message import Header
from hub.journal.rows import DeadLetterFound

LEVELS = ("interchange", "group", "transaction")


def list_entry(row: DeadLetterFound, now: float) -> None:
    """One entry of the list: what it is and whose, where it came from, and why it is dead."""
    where = f"{row.kind} {row.route or row.source or ''}" + (f" -> {row.destinations}" if row.destinations else "")
    what = " ".join(part for part in (row.partner, row.number) if part)
    tries = f"{row.attempts} attempts" if row.attempts > 1 else "1 attempt"
    head = (row.id[:12], age(now - row.dead_at), status(row.status), where, what, tries, f"for {row.owner}")
    entry((*head, came_from(row)), f"{row.error}: {row.cause[:300]}")


def came_from(row: DeadLetterFound) -> str:
    """`acme_17.edi, interchange 1, group 1, transaction 2`; a body without a name is called by its claim."""
    name = PurePath(row.file or "").name or (f"claim {row.claim[:12]}" if row.claim else "")
    return ", ".join(part for part in (name, position_words(row)) if part)


def position_words(row: DeadLetterFound) -> str:
    """Where in the file it stood, in words: a part of an X12 file by its levels, of another by its ordinal; of a
    packed file first the entry."""
    steps = [step for step in (row.position or "").split(".") if step]
    place = place_of(row)
    packed = {2: 1, 4: 1, 5: 2}.get(len(steps), 0)
    words, steps = [f"entry {step}" for step in steps[:packed]], steps[packed:]
    if len(steps) == 1 and not place.get("segment"):
        words.append(f"part {steps[0]}")
    else:
        words += [f"{level} {step}" for level, step in zip(LEVELS, steps, strict=False) if step.isdecimal()]
    if "segment" in place:
        at = f" at {place['segment_position']}" if "segment_position" in place else ""
        kind = "segment" if place["segment"].isalnum() else "at"  # X12, or a path in JSON or XML
        words.append(f"{kind} {place['segment']}{at}")
    if "element" in place:
        words.append(f"element {place['element']}")
    if "byte" in place:
        words.append(f"byte {place['byte']}")
    return ", ".join(words)


def place_of(row: DeadLetterFound) -> dict[str, Any]:
    """What its headers say of the place in the part."""
    packed = orjson.loads(row.headers).get("headers", {}).get(Header.PLACE)
    found = orjson.loads(packed) if isinstance(packed, str) else {}
    return found if isinstance(found, dict) else {}


def as_dict(row: DeadLetterFound) -> dict[str, Any]:
    """All of it but the headers and the body. `place`: what is known of the segment, element and byte that failed."""
    found = {name: value for name, value in row._asdict().items() if name != "headers"}
    return found | {"place": place_of(row)}


def properties(row: DeadLetterFound) -> dict[str, Any]:
    """What `show` prints, by its name."""
    times = {"dead_at": moment(row.dead_at), "decided_at": moment(row.decided_at)}
    found = as_dict(row) | times | {"position": position_words(row)}
    del found["place"]
    return found
