"""What a source knows of an arrival beside its bytes, and how it is kept with what has to be read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from hub.core.errors import DecodeError
from hub.core.identity import digest
from hub.core.options.secret_names import BLACKENED, is_credential
from hub.core.ports import Arrival, Reading
from hub.core.routing.facts import plain
from hub.core.typed_json import dumped, plain_values, values_again
from hub.journal.commit.claims import StoredClaim
from hub.journal.commit.entry import Entry
from hub.journal.deliveries.decided import terms_in

LONGEST_TERMS = 8000
"""Characters that stand in a header or a row; what is longer is kept as a claim."""

OURS = "hub-"
NO_TERMS = "{}"


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
    if not (arrival.facts or arrival.salt or arrival.keys or arrival.partner):
        return ""
    kept = {
        "facts": plain_values(arrival.facts),
        "salt": arrival.salt,
        "keys": [list(pair) for pair in arrival.keys],
        "partner": arrival.partner,
    }
    return orjson.dumps({name: value for name, value in kept.items() if value}).decode()


def record_terms(arrival: Arrival) -> str:
    """What the journal keeps of an arrival beside its bytes: with it they are read again to the same ids and facts.
    Headers that may let somebody in are blackened; those of the hub's own are left out."""
    if not (arrival.partner or arrival.salt or arrival.facts or arrival.headers):
        return NO_TERMS
    kept = {
        "partner": arrival.partner,
        "salt": arrival.salt,
        "facts": plain_values(arrival.facts),
        "headers": plain_values(seen_headers(arrival.headers)),
    }
    return dumped({name: value for name, value in kept.items() if value}).decode()


def kept_terms(terms: str | None, entry: Entry, at: float) -> str | None:
    """As a row has them: what is too long is a claim."""
    if terms is None or len(terms) <= LONGEST_TERMS:
        return terms
    claim = text_claim(terms)
    entry.claim(claim, at)
    return orjson.dumps({"claim": claim.digest}).decode()


def seen_headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _blackened(name, value) for name, value in headers.items() if not name.startswith(OURS)}


def _blackened(name: str, value: Any) -> Any:
    """Also what stands under such a name inside of a header."""
    if isinstance(value, Mapping):
        return {str(key): _blackened(str(key), one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_blackened(name, one) for one in value]
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return BLACKENED if isinstance(text, str) and is_credential(name, text) else value


def text_claim(text: str) -> StoredClaim:
    body = text.encode()
    return StoredClaim(digest(body), len(body), body)


def recorded_terms(arrival: Arrival, record: str | bytes) -> Arrival:
    """The arrival with what `record_terms` has kept: the row's text, or the body of the claim that it names. Raises
    ValueError."""
    kept = terms_in(record) or {}
    return replace(
        arrival,
        partner=kept.get("partner", ""),
        salt=kept.get("salt", ""),
        facts=kept.get("facts", {}),
        headers=kept.get("headers", {}),
    )


def with_terms(arrival: Arrival, packed: Any) -> Arrival:
    """The arrival with what `pack_terms` has kept."""
    try:
        found = orjson.loads(packed) if isinstance(packed, str) else {}
    except orjson.JSONDecodeError:
        found = {}
    kept = found if isinstance(found, dict) else {}
    keys = tuple((str(kind), str(value)) for kind, value in kept.get("keys", ()))
    facts = values_again(kept.get("facts", {}))
    return replace(arrival, facts=facts, salt=kept.get("salt", ""), keys=keys, partner=kept.get("partner", ""))
