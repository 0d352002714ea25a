"""What a source knows of an arrival beside its bytes, and how it is kept with what has to be read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from hub.core.errors import DecodeError
from hub.core.ports import Arrival, Reading
from hub.core.routing.facts import plain
from hub.runtime.copy import fact_text

LONGEST_TERMS = 8000


def known_facts(arrival: Arrival, reading: Reading) -> Mapping[str, Any]:
    """The facts of a reading: what its envelope says, and what the source knows where the envelope says nothing."""
    given = {**arrival.facts, "partner": arrival.partner} if arrival.partner else arrival.facts
    if not given:
        return reading.envelope
    said = {name: value for name, value in reading.envelope.items() if value is not None}
    named = getattr(reading.document, "partner", None)
    if named and "partner" not in said:
        said["partner"] = named
    return {**given, **said}


def check_sender(arrival: Arrival, reading: Reading) -> DecodeError | None:
    """What is wrong with a document that names another partner than the one that has proved to have sent it."""
    if not arrival.partner or reading.document is None:
        return None
    for named in (reading.envelope.get("partner"), reading.document.partner):
        if named and named != arrival.partner:
            return DecodeError(f"it names the partner {plain(named)}, and {arrival.partner} has sent it")
    return None


def pack_terms(arrival: Arrival) -> str:
    """Empty when there is nothing to keep."""
    kept = {
        "facts": dict(arrival.facts),
        "salt": arrival.salt,
        "keys": [list(pair) for pair in arrival.keys],
        "partner": arrival.partner,
    }
    kept = {name: value for name, value in kept.items() if value}
    return orjson.dumps(kept, default=fact_text).decode() if kept else ""


def with_terms(arrival: Arrival, packed: Any) -> Arrival:
    """The arrival with what `pack_terms` has kept."""
    try:
        found = orjson.loads(packed) if isinstance(packed, str) else {}
    except orjson.JSONDecodeError:
        found = {}
    kept = found if isinstance(found, dict) else {}
    keys = tuple((str(kind), str(value)) for kind, value in kept.get("keys", ()))
    return replace(
        arrival, facts=kept.get("facts", {}), salt=kept.get("salt", ""), keys=keys, partner=kept.get("partner", "")
    )
