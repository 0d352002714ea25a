"""What a worker has found, as results, and from results again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hub.core.errors import DecodeError
from hub.core.identity import message_id
from hub.core.ports import Arrival, Reading
from hub.core.typed_json import plain_values
from hub.runtime.contained.frame import Garbled, Result, carried_facts, notes_again
from hub.runtime.intake.document_found import DocumentFound
from hub.runtime.intake.source_steps import SteppedReading
from hub.runtime.intake.unreadable_place import FoundPlace, finding_of


def passed_result(passed: SteppedReading) -> Result:
    head = {"reading": _plain_reading(passed.reading), "said": passed.said, "ends": passed.filtered}
    found = passed.found
    if passed.unforeseen is not None:
        head["unforeseen"] = f"{type(passed.unforeseen).__name__}: {passed.unforeseen}"
    if found is None:
        return Result(head)
    head["found"] = {
        "name": found.name,
        "number": found.number,
        "partner": found.partner,
        "keys": found.keys,
        "facts": plain_values(found.facts),
        "canonical": found.canonical,
        "packed": found.packed,
        "outbound": found.outbound,
    }
    return Result(head, found.body)


def carried(result: Result, arrival: Arrival, claim: str) -> SteppedReading:
    """What the worker has found. Its id is made here: a worker can't name another's. Raises Garbled."""
    head = result.head
    try:
        reading = _reading(head["reading"])
        said = notes_again(head["said"])
        unforeseen = RuntimeError(head["unforeseen"]) if "unforeseen" in head else None
        if "found" not in head:
            if reading.error is None:
                reading = replace(reading, error=DecodeError("the reader gave neither a document nor an error"))
            return SteppedReading(reading, said, unforeseen=unforeseen)
        found = _unpack_document(head["found"], result.body, message_id(claim, reading.position, arrival.identity))
        return SteppedReading(reading, said, bool(head["ends"]), found)
    except (KeyError, TypeError, ValueError, AttributeError, DecodeError) as error:
        raise Garbled(f"its result is no reading: {type(error).__name__}: {error}") from None


def _unpack_document(head: Mapping[str, Any], body: bytes, id: str) -> DocumentFound:
    return DocumentFound(
        id=id,
        name=str(head["name"]),
        number=str(head["number"]),
        partner=None if head["partner"] is None else str(head["partner"]),
        keys=_pairs(head["keys"]),
        facts=carried_facts(head["facts"]),
        body=body,
        canonical=str(head["canonical"]),
        packed=str(head["packed"]),
        outbound=bool(head["outbound"]),
    )


def _plain_reading(reading: Reading) -> dict[str, Any]:
    return {
        "position": reading.position,
        "envelope": plain_values(reading.envelope),
        "keys": reading.keys,
        "warnings": reading.warnings,
        "error": None if reading.error is None else _plain_error(reading.error),
    }


def _reading(head: Mapping[str, Any]) -> Reading:
    return Reading(
        position=tuple(map(str, head["position"])),
        error=None if head["error"] is None else _error(head["error"]),
        envelope=carried_facts(head["envelope"]),
        keys=_pairs(head["keys"]),
        warnings=tuple(map(str, head["warnings"])),
    )


def _plain_error(error: DecodeError) -> dict[str, Any]:
    """Of its findings only the first that counts: it says where."""
    found = finding_of(error)
    return {
        "text": error.text,
        "segment": error.segment,
        "element": error.element,
        "offset": error.offset,
        "code": error.x12_code,
        "place": None if found is None else [found.segment, found.position, found.element, found.where, found.offset],
    }


def _error(head: Mapping[str, Any]) -> DecodeError:
    place = head["place"]
    findings = () if place is None else (FoundPlace(*place),)
    return DecodeError(
        str(head["text"]),
        segment=head["segment"],
        element=head["element"],
        offset=head["offset"],
        code=head["code"],
        findings=findings,
    )


def _pairs(found: Any) -> tuple[tuple[str, str], ...]:
    return tuple((str(kind), str(value)) for kind, value in found)
