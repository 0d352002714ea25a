"""One transaction: its bytes to a document, or to the error that says what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple

from hub.core.agreement import Agreement
from hub.core.errors import DecodeError
from hub.documents import Document, from_json, to_json
from transformers.x12.compiled.compiled import CompiledSet, compiled_set
from transformers.x12.declarations.catalogue import known_sets, release_of
from transformers.x12.declarations.element_value import Refused
from transformers.x12.declarations.fields import shapes
from transformers.x12.declarations.overlay import WrongRule
from transformers.x12.envelope.characters import character_set
from transformers.x12.envelope.delimiters import Delimiters, TextDelimiters, as_text
from transformers.x12.envelope.event import Event
from transformers.x12.envelope.segment_bytes import segment_bytes
from transformers.x12.envelope.unpadded import padded, trailer_warnings
from transformers.x12.envelope.verdict import same_number
from transformers.x12.finding import SegmentFinding
from transformers.x12.reading.leniency import Understood, understood
from transformers.x12.reading.levels import NOTHING, STRUCTURE_AT, TREES, Nesting, nesting
from transformers.x12.reading.refused_number import number_in
from transformers.x12.validation.diagnose import MOST, diagnose
from transformers.x12.validation.implementation import marked
from transformers.x12.validation.totals import WrongTotal, contradictions, unknown_amounts

MAX_SEGMENT = 1 << 20
"""Characters of one segment."""

NOBODY = Agreement("", ())
"""The terms with whom we have none."""

MOST_ACCEPTED = 20_000
"""Findings up to which a transaction that breaks its declaration is understood, where the agreement says so."""

LONGEST_NUMBER = 9
"""Characters of ST02."""


class Transaction(NamedTuple):
    """What a transaction is: its set and control number, and a document or an error. A document with `findings` was
    taken although it breaks its declaration, as the agreement says."""

    set: str
    control_number: str
    document: Document | None = None
    error: DecodeError | None = None
    warnings: tuple[str, ...] = ()
    findings: tuple[SegmentFinding, ...] = ()
    segments: int = 0
    convention: str = ""
    number: str = ""
    """The document's own number, where one stands, of a transaction that is refused."""
    contradictions: tuple[WrongTotal, ...] = ()
    """Totals of the document that aren't those of its lines; each is a warning too."""
    understood: Understood | None = None
    """What of its segments was read, of one that was taken although it breaks its declaration."""


def read_transaction(
    event: Event,
    delimiters: Delimiters,
    version: str,
    partner: str | None,
    agreement: Agreement = NOBODY,
    *,
    indented: bool = False,
) -> Transaction:
    """Never raises for what the bytes are. `indented`: blanks are known to stand before segments; otherwise the fast
    way to split finds that when a segment is refused, for that costs nothing where there are none."""
    marks = as_text(delimiters, agreement.charset == "basic")
    split = _split_binary if event.binary else _split_indented if indented else _split
    segments, clean, warnings = split(event, marks, delimiters, agreement)
    header = [part.strip() for part in segments[0].split(marks.element)] if segments else []
    name = header[1] if len(header) > 1 else ""
    number = header[2] if len(header) > 2 else ""
    convention = header[3] if len(header) > 3 else ""
    made = partial(Transaction, name, number, segments=len(segments), convention=convention)
    if error := event.error or _own_error(event, segments, marks, number):
        return made(warnings=warnings, error=error)
    segments, unpadded = padded(name, segments, marks.element)
    segments, nested = _nested(name, segments, marks.element)
    warnings += (*trailer_warnings(segments[-1].split(marks.element), number), *unpadded, *nested.warnings)
    if error := _set_error(name, event, agreement):
        return made(warnings=warnings, error=error, number=_number(name, segments, marks))
    release, exact = release_of(agreement.read_version(name, version))
    if not exact:
        warnings += (f"version {version[:20]!r} isn't one that we know; read as {release}",)
    rules = agreement.overlays.get(name, ())
    try:
        compiled = compiled_set(name, release, rules)
    except WrongRule as wrong:
        text = (
            f"the rules agreed with {agreement.partner} for {name} don't fit version"
            f" {agreement.read_version(name, version)[:20]!r}: {wrong}"
        )
        error = DecodeError(text, segment="ST", element="ST01", offset=event.offset, code="1")
        return made(warnings=warnings, error=error, number=_number(name, segments, marks))
    if clean and nested.finding is None:
        try:
            return made(**_read(compiled, segments, marks, partner, warnings))
        except Refused:
            pass
    if not indented and not event.binary and any(segment[:1] in marks.blanks for segment in segments):
        return read_transaction(event, delimiters, version, partner, agreement, indented=True)
    accepts = accepts_errors(agreement)
    most = MOST_ACCEPTED if agreement.partner else MOST
    findings = tuple(_findings(compiled, event, segments, marks, delimiters, nested.finding, most))
    if rules:
        findings = tuple(marked(findings, compiled_set(name, release), segments[1:], marks))
    hint = ""
    if agreement.partner and nested.finding is None and len(findings) < most:
        lenient = compiled_set(name, release, rules, understood=True)
        read = _understood(lenient, segments, findings, marks, partner, (*warnings, *_noted(findings)))
        if read is not None and accepts:
            return made(**read, findings=findings)
        hint = "; `errors: accept` in the agreement would take it" if read is not None else ""
    refusal = _refusal(findings, event, hint)
    found = _number(name, segments, marks)
    return made(warnings=warnings, error=refusal, findings=findings[:MOST], number=found)


def accepts_errors(agreement: Agreement) -> bool:
    """Whether a transaction that breaks its declaration is taken where it can be understood."""
    return agreement.acknowledge is not None and agreement.acknowledge.errors == "accept"


def _number(name: str, segments: list[str], marks: TextDelimiters) -> str:
    """The number of a document that is refused, where one stands."""
    return number_in(name, [one.strip(marks.blanks) for one in segments], marks.element) if name in _sets() else ""


def _own_error(event: Event, segments: list[str], marks: TextDelimiters, number: str) -> DecodeError | None:
    """What is wrong with the transaction whatever its set. Codes are those of AK502."""
    if len(event.data) > MAX_SEGMENT and not event.binary and (most := max(map(len, segments))) > MAX_SEGMENT:
        wrong = f"a segment of {most} characters, more than the {MAX_SEGMENT} that one may have"
        return DecodeError(wrong, segment="ST", offset=event.offset, code="5")
    if not number or len(number) > LONGEST_NUMBER:
        text = f"ST02 is {number[:20]!r}, expected a control number of up to {LONGEST_NUMBER} characters"
        return DecodeError(text, segment="ST", element="ST02", offset=event.offset, code="7")
    return _trailer_error(event, segments, marks, number)


def _set_error(name: str, event: Event, agreement: Agreement) -> DecodeError | None:
    """Why the set isn't taken."""
    if name not in _sets():
        text = f"no declaration for transaction set {name[:20]}" if name else "ST01 is missing: which transaction set?"
        return DecodeError(text, segment="ST", element="ST01", offset=event.offset, code="1" if name else "6")
    if agreement.receive and name not in agreement.receive:
        text = f"{agreement.partner} sends {name}, and the agreement has only {', '.join(agreement.receive)}"
        return DecodeError(text, segment="ST", element="ST01", offset=event.offset, code="1")
    return None


def _understood(
    lenient: CompiledSet,
    segments: list[str],
    findings: tuple[SegmentFinding, ...],
    marks: TextDelimiters,
    partner: str | None,
    warnings: tuple[str, ...],
) -> dict[str, Any] | None:
    """What `errors: accept` takes of it; None where that is no document."""
    left = understood(lenient, segments, findings, marks)
    try:
        read = _read(lenient, left.segments, marks, partner, warnings)
    except Refused:
        return None
    document: Document = read["document"]
    whole = left.whole(document)
    return {**read, "document": whole, "understood": left} if complete(document) and _storable(whole) else None


def _storable(document: Document) -> bool:
    """Whether it is one for everybody who reads it back: a code may stand where only some have a meaning (the sign of
    an amount)."""
    try:
        return from_json(to_json(document)) == document
    except DecodeError:
        return False


def complete(document: Document) -> bool:
    """Whether it has the values that its kind can't be without."""
    return all(getattr(document, name) is not None for name, shape in shapes(type(document)).items() if shape.required)


def _read(
    compiled: CompiledSet, segments: list[str], marks: TextDelimiters, partner: str | None, warnings: tuple[str, ...]
) -> dict[str, Any]:
    document, noted = compiled.read(segments[1:], marks.element, marks.component, marks.repetition, partner)
    found = contradictions(document, compiled.declaration.set)
    unknown = unknown_amounts(document)
    if found or noted or unknown:
        warnings += (*_bounded(noted), *(one.text for one in found), *_bounded(unknown))
    placed = tuple([_placed(one, segments, marks.element) for one in found])
    return {"document": document, "warnings": warnings, "contradictions": placed}


def _placed(found: WrongTotal, segments: list[str], separator: str) -> WrongTotal:
    """With the position of its segment, which is the last of its kind."""
    start = separator.join((found.segment, found.qualifier))
    there = [number for number, segment in enumerate(segments, 1) if segment.startswith(start)]
    return replace(found, position=there[-1]) if found.segment and there else found


@lru_cache(maxsize=1)
def _sets() -> frozenset[str]:
    return frozenset(known_sets())


Split = tuple[list[str], bool, tuple[str, ...]]
"""The segments; whether nothing is in them that can't be; warnings."""


def _split(event: Event, marks: TextDelimiters, delimiters: Delimiters, agreement: Agreement) -> Split:
    """The segments. Blanks may stand before some, where nothing else is untidy."""
    tidy = _tidy_split(event, marks)
    return (tidy, True, ()) if tidy is not None else _split_indented(event, marks, delimiters, agreement)


def _split_indented(event: Event, marks: TextDelimiters, delimiters: Delimiters, agreement: Agreement) -> Split:
    """The segments without white space between them, without blank ones, without padding behind values."""
    terminator = marks.terminator
    characters = character_set(event.data, delimiters, agreement.charset)
    text = characters.decode(event.data)
    if "\r" in text and terminator != "\r":
        text = text.replace("\r\n", "\n")
    for _ in range(4 if terminator != "\n" else 0):  # more blank lines than that are stripped one by one
        if "\n" not in text:
            break
        text = text.replace(terminator + "\n", terminator)
    segments = text.split(terminator)
    clean = (text if terminator.isprintable() else text.replace(terminator, "")).isprintable()
    clean = clean and not (marks.basic and marks.forbidden.search(text))
    if not clean or marks.indented.search(text):
        segments = [part.strip(marks.blanks) for part in segments]
        clean = not any(marks.forbidden.search(part) for part in segments)
    if marks.padded.search(text) or text.endswith(" "):
        segments = [_unpadded(part, marks.element) for part in segments]
    return ([part for part in segments if part] if "" in segments else segments), clean, characters.warnings


def _tidy_split(event: Event, marks: TextDelimiters) -> list[str] | None:
    """The fast way for what most transactions are: every terminator followed by a line feed or none of them, all ASCII,
    without control characters and without blanks behind segments and values."""
    data, terminator = event.data, marks.terminator
    others = data.translate(None, _PRINTABLE)
    lines = len(others)
    if marks.basic or terminator == "\n" or others.strip(b"\n"):
        return None
    text = data.decode("ascii")
    segments = text.split(terminator + "\n" if lines else terminator)
    if lines and (len(segments) - 1 != lines or lines != text.count(terminator)):
        return None
    if marks.padded.search(text) or text.endswith(" ") or "" in segments:
        return None
    return segments


_PRINTABLE = bytes(range(32, 127))


def _unpadded(segment: str, separator: str) -> str:
    if " " + separator not in segment and not segment.endswith(" "):
        return segment
    return separator.join(value.rstrip(" ") for value in segment.split(separator))


def _trailer_error(event: Event, segments: list[str], marks: TextDelimiters, number: str) -> DecodeError | None:
    """Whether SE says what is so. Codes are those of AK502."""
    trailer = segments[-1].split(marks.element) if segments else []
    if trailer[1:] == [str(len(segments)), number]:
        return None
    position = event.offset + event.data.rfind(b"SE")
    counted = trailer[1].strip() if len(trailer) > 1 else ""
    control = trailer[2].strip() if len(trailer) > 2 else ""
    if not same_number(counted, str(len(segments))):
        text = f"SE01 is {counted[:20]!r}, and the transaction has {len(segments)} segments"
        return DecodeError(text, segment="SE", element="SE01", offset=position, code="4")
    if not same_number(control, number):
        text = f"SE02 is {control[:20]!r}, expected {number[:20]!r} as in ST02"
        return DecodeError(text, segment="SE", element="SE02", offset=position, code="3")
    return None


def _nested(name: str, segments: list[str], separator: str) -> tuple[list[str], Nesting]:
    """The segments with the parents of the levels that name none."""
    if name not in TREES:
        return segments, NOTHING
    wanted = tuple(f"{id}{separator}" for id in ("HL", STRUCTURE_AT.get(name, ("HL",))[0]))
    nested = nesting(name, [one.split(separator) if one.startswith(wanted) else () for one in segments])
    if not nested.parents:
        return segments, nested
    made = list(segments)
    for position, parent in nested.parents.items():
        elements = made[position - 1].split(separator)
        elements[2] = parent
        made[position - 1] = separator.join(elements)
    return made, nested


def _findings(
    compiled: CompiledSet,
    event: Event,
    segments: list[str],
    marks: TextDelimiters,
    delimiters: Delimiters,
    further: SegmentFinding | None = None,
    most: int = MOST,
) -> Iterator[SegmentFinding]:
    """What is wrong, each with its place in the body; `further`: what is known already."""
    found = [*([further] if further is not None else []), *diagnose(compiled, segments[1:], marks, most)]
    found.sort(key=lambda finding: finding.position)
    if not found:
        found = [SegmentFinding("5", "ST", 1, "the transaction breaks its declaration")]
    starts = [piece.start for piece in segment_bytes(event, delimiters)]
    for finding in found:
        inner = starts[finding.position - 1] if finding.position <= len(starts) else 0
        yield replace(finding, offset=event.at(inner))


def _bounded(warnings: tuple[str, ...]) -> tuple[str, ...]:
    """At most so many as are looked at, and how many more there are."""
    return warnings if len(warnings) <= MOST else (*warnings[:MOST], f"{len(warnings) - MOST} more warnings like these")


def _noted(findings: tuple[SegmentFinding, ...]) -> Iterator[str]:
    """Findings as warnings."""
    yield from (one.sentence for one in findings[:MOST])
    if len(findings) > MOST:
        yield f"{len(findings) - MOST} more of what is wrong"


def _refusal(findings: tuple[SegmentFinding, ...], event: Event, hint: str) -> DecodeError:
    first = findings[0]
    more = f"; {len(findings) - 1} more" if len(findings) > 1 else ""
    return DecodeError(
        first.text + more + hint,
        segment=f"{first.segment}[{first.position}]",
        element=first.where if first.element else None,
        offset=first.offset,
        code=first.code,
        findings=findings[:MOST],
    )


def _split_binary(event: Event, marks: TextDelimiters, delimiters: Delimiters, agreement: Agreement) -> Split:
    """The segments of a transaction with binary data: that is taken byte for byte, the rest is text as ever."""
    found, clean = [], True
    pieces = segment_bytes(event, delimiters)
    characters = character_set(b"".join(p.data for p in pieces if not p.binary), delimiters, agreement.charset)
    for piece in pieces:
        if piece.binary:
            found.append(piece.data.decode("latin-1"))
            continue
        decoded = characters.decode(piece.data)
        clean = clean and not marks.forbidden.search(decoded)
        found.append(_unpadded(decoded, marks.element))
    return found, clean, characters.warnings
