"""The writer `x12`: canonical documents to an interchange, by the declaration that reads them and the partner's
agreement.

Nothing leaves that doesn't read back as what it was made from: the bytes are read again with the partner's own rules,
and a field that X12 can't carry, or that the partner doesn't take, is refused by its name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic import Field

from hub.core.agreement import Agreement
from hub.core.agreement import BatchLimits as BatchTerms
from hub.core.context import Context
from hub.core.errors import ConfigError, MappingError
from hub.core.plugin import LINEAR, Options, WriterPlugin
from hub.core.ports import BytesBody, WriteContext, Written
from hub.documents import ApplicationAdvice, Batch, Document
from hub.documents.acknowledgments.interchange_acknowledgment import InterchangeAcknowledgment
from transformers.x12.declarations.catalogue import known_sets, release_of, set_declaration
from transformers.x12.declarations.overlay import WrongRule
from transformers.x12.envelope.binary import LENGTH_AT
from transformers.x12.envelope.characters import CODECS
from transformers.x12.envelope.delimiters import Delimiters
from transformers.x12.envelope.scan import events
from transformers.x12.reading.transaction import Transaction, read_transaction
from transformers.x12.validation.totals import contradictions, counted_elements, totals_error
from transformers.x12.writing.counted import as_counted
from transformers.x12.writing.interchange_text import (
    OutgoingInterchange,
    bare_interchange_text,
    ended,
    interchange_text,
    isa_text,
    segment_text,
    transaction_lines,
)
from transformers.x12.writing.read_back import changed_fields
from transformers.x12.writing.refusal import refusal
from transformers.x12.writing.rendering import render
from transformers.x12.writing.writing_plan import writing_plan
from transformers.x12.writing.written_segment import Text, WrittenSegment

CONTENT_TYPE = "application/edi-x12"
VERSION = "004010"
"""Of what we send where an agreement doesn't say."""

ANSWERS = frozenset({"functional_acknowledgment", "interchange_acknowledgment"})
"""Documents that follow the version of what they answer."""


class X12WriterOptions(Options):
    """For whom it writes."""

    partner: str = Field(description="The partner whose agreement says how: ids, version, separators, overlays.")


class X12Writer:
    """Writes one interchange with one group, and one transaction for a document or for each document of a batch."""

    def __init__(self, agreement: Agreement) -> None:
        self._agreement = agreement

    @property
    def sequence(self) -> str:
        """Whose control numbers it takes."""
        return self._agreement.partner

    @property
    def batch(self) -> BatchTerms | None:
        """How many documents go together, and how long they wait for each other."""
        return self._agreement.batch

    def write(self, document: Document, context: WriteContext) -> Written:
        if context.control_number is None:
            raise MappingError("X12 needs a control number, and none was taken")
        test = self._agreement.test or context.facts.get("test") is True
        version = str(context.facts.get("version") or "") if document.kind in ANSWERS else ""
        documents = document.documents if isinstance(document, Batch) else (document,)
        return write_interchange(
            documents, self._agreement, context.control_number, context.now, test=test, version=version
        )


def write_interchange(
    documents: Sequence[Document],
    agreement: Agreement,
    control_number: int,
    at: datetime,
    *,
    test: bool = False,
    version: str = "",
) -> Written:
    """All documents, of one kind, in one interchange; of the version agreed for its set, unless it is given. Raises
    MappingError, which names the field (and, of several, the document)."""
    if isinstance(documents[0], InterchangeAcknowledgment):
        version = (version or agreement.version or VERSION)[:12]
        interchange = OutgoingInterchange(agreement, "", version, control_number, at, test)
        text = bare_interchange_text([_ta1(d, interchange) for d in documents], interchange)
        return _written(_encoded(text, agreement), "TA1", interchange, None)
    name = set_for(documents[0].kind, agreement)
    version = (version or agreement.version_of(name) or VERSION)[:12]
    if name == "999" and version < "005010":
        version = "005010"  # older releases have none
    declaration = set_declaration(name, release_of(version)[0])
    interchange = OutgoingInterchange(
        agreement, declaration.group, version, control_number, at, test, asks_ta1=agreement.ask_ta1
    )
    written, warnings = [], list[str]()
    for number, document in enumerate(documents, 1):
        if document.kind != documents[0].kind:
            raise MappingError(f"a group holds one kind of document: {documents[0].kind} and {document.kind}")
        try:
            warnings += _wrong_totals(document, name, agreement, several=len(documents) > 1)
            written.append(_transaction(document, name, f"{number:04}", interchange))
        except MappingError as error:
            if len(documents) == 1:
                raise
            raise MappingError(f"{document.kind} {document.number}: {error}") from None
    expect = agreement.expect_ack.within if agreement.expect_ack and declaration.group != "FA" else None
    head, tail = (_encoded(text, agreement) for text in interchange_text(len(written), interchange))
    return _written(head + b"".join(written) + tail, name, interchange, expect, tuple(warnings))


def _wrong_totals(document: Document, name: str, agreement: Agreement, *, several: bool) -> list[str]:
    """What of a document's totals isn't so. Counts and sums are written as they are, all else as the document says.
    Raises MappingError where the agreement refuses such a document."""
    found = contradictions(document, name)
    if found and agreement.totals == "refuse":
        raise MappingError(totals_error(found).text)
    whose = f"{document.kind} {document.number}: " if several else ""
    counted = {element.path for element in counted_elements(document.kind, name)}
    return [f"{whose}{one.text}{'; it was counted anew' if one.field in counted else ''}" for one in found]


def _written(
    body: bytes, name: str, interchange: OutgoingInterchange, expect: float | None, warnings: tuple[str, ...] = ()
) -> Written:
    number = interchange.control_number
    facts = {
        "set": name,
        "group_code": interchange.group_code,
        "version": interchange.version,
        "control_number": f"{number:09}",
        "group_control_number": str(number),
        "transaction_control_number": "0001",
        "test": interchange.test,
    }
    return Written(body, CONTENT_TYPE, facts, expect, warnings)


def _ta1(document: Document, interchange: OutgoingInterchange) -> str:
    assert isinstance(document, InterchangeAcknowledgment)  # noqa: S101 - the caller has looked
    for name, (pattern, what) in _TA1.items():
        if (text := getattr(document, name)) is not None and not re.fullmatch(pattern, text, re.ASCII):
            raise MappingError(f"{name}: {text[:40]!r} is no {what}")
    for name in ("currency", "extras"):
        if getattr(document, name):
            raise MappingError(f"{name}: a TA1 has no place for it")
    if document.date is not None and not 2000 <= document.date.year < 2100:
        raise MappingError(f"date: {document.date} can't be said in six digits (TA102)")
    date = f"{document.date:%y%m%d}" if document.date else interchange.at.strftime("%y%m%d")
    time = document.time or interchange.at.strftime("%H%M")
    values: list[Text] = ["TA1", document.number.rjust(9, "0"), date, time, document.status, document.note]
    fields = dict(enumerate(("number", "date", "time", "status", "note"), 1))
    return segment_text(WrittenSegment(values, fields), interchange.separators)


_TA1 = {
    "number": (r"\d{1,9}", "interchange control number (TA101)"),
    "time": (r"\d{4}", "time HHMM (TA103)"),
    "status": (r"[AER]", "interchange acknowledgment code (TA104)"),
    "note": (r"\d{3}", "interchange note code (TA105)"),
}


def set_for(kind: str, agreement: Agreement) -> str:
    """The transaction set that carries a kind of document to a partner. Raises MappingError."""
    sets = sets_of(kind)
    if not sets:
        raise MappingError(f"no transaction set carries the document {kind!r}")
    if kind == "functional_acknowledgment":
        asked = agreement.acknowledge.with_set if agreement.acknowledge else sets[0]
        return asked if asked in sets else sets[0]
    if not agreement.send:
        return sets[0]
    agreed = [name for name in sets if name in agreement.send]
    if not agreed:
        raise MappingError(
            f"the agreement with {agreement.partner} has no {' or '.join(sets)} to send; it has"
            f" {', '.join(agreement.send)}"
        )
    return agreed[0]


@lru_cache(maxsize=64)
def sets_of(kind: str) -> tuple[str, ...]:
    """The transaction sets that carry a kind of document."""
    return tuple(name for name in known_sets() if set_declaration(name, "005010").document == kind)


def _transaction(document: Document, name: str, number: str, interchange: OutgoingInterchange) -> bytes:
    """ST to SE, read back and compared."""
    agreement = interchange.agreement
    release = release_of(interchange.version)[0]
    try:
        plan = writing_plan(name, release, tuple(agreement.overlays.get(name, ())))
    except WrongRule as error:
        raise MappingError(f"the overlay of {agreement.partner} for {name} doesn't fit it: {error}") from None
    if isinstance(document, ApplicationAdvice) and document.date is None:
        document = document.model_copy(update={"date": interchange.at.date()})
    document = plan.writable(document)
    segments = render(document, plan)
    data = _transaction_bytes(segments, name, number, interchange)
    read = _read_back(data, document.partner, interchange)
    if read.document is None:
        raise MappingError(refusal(document, plan.declaration, segments, read.findings, str(read.error)))
    if found := next(changed_fields(as_counted(document, name), read.document), None):
        path, wanted, carried = found
        raise MappingError(
            f"{path}: {_short(wanted)} can't be carried by the {name} ({interchange.version}); it would arrive as"
            f" {_short(carried)}"
        )
    return data


def _transaction_bytes(
    segments: Sequence[WrittenSegment], name: str, number: str, interchange: OutgoingInterchange
) -> bytes:
    """ST to SE. Binary data is a character for each byte, whatever the character set."""
    lines = transaction_lines(segments, name, number, interchange)
    if not any(segment.id in LENGTH_AT for segment in segments):
        return _encoded(ended(lines, interchange.separators), interchange.agreement, segments)
    encoded = [_encoded(lines[0], interchange.agreement)]
    for segment, line in zip(segments, lines[1:-1], strict=True):
        agreed = interchange.agreement
        terms = replace(agreed, charset="latin-1") if segment.id in LENGTH_AT else agreed
        encoded.append(_encoded(line, terms, [segment]))
    end = ended([""], interchange.separators).encode("latin-1")
    return end.join([*encoded, _encoded(lines[-1], interchange.agreement)]) + end


def _read_back(data: bytes, partner: str | None, interchange: OutgoingInterchange) -> Transaction:
    """A transaction as who receives it will read it."""
    agreement = interchange.agreement
    header = _encoded(ended([isa_text(interchange)], interchange.separators), agreement)
    delimiters: Delimiters | None = None
    for event in events(BytesBody(header + data)):
        if event.header is not None:
            delimiters = event.header.delimiters
        if event.kind == "ST" and delimiters is not None:
            return read_transaction(event, delimiters, interchange.version, partner, _outbound(agreement))
        if event.error is not None:
            raise MappingError(f"the separators agreed with {agreement.partner} can't be read: {event.error}")
    raise MappingError(f"the separators agreed with {agreement.partner} can't be read")


@lru_cache(maxsize=64)
def _outbound_cached(partner: str, charset: Any, overlays: Any) -> Agreement:
    return Agreement(partner, (), charset=charset, overlays=dict(overlays))


def _outbound(agreement: Agreement) -> Agreement:
    """The terms by which we check what we send: theirs, without those on what they send."""
    return _outbound_cached(agreement.partner, agreement.charset, tuple(agreement.overlays.items()))


def _encoded(text: str, agreement: Agreement, segments: Sequence[WrittenSegment] = ()) -> bytes:
    try:
        return text.encode(CODECS[agreement.charset])
    except UnicodeEncodeError as error:
        wrong = text[error.start]
        for segment in segments:
            for position, value in enumerate(segment.elements):
                if wrong in _all_of(value):
                    raise MappingError(
                        f"{segment.field(position)}: {wrong!r} isn't in the character set {agreement.charset}"
                    ) from None
        raise MappingError(f"{wrong!r} isn't in the character set {agreement.charset}") from None


def _all_of(value: Text) -> str:
    return value if isinstance(value, str) else "".join(part for components in value for part in components)


def _short(value: Any) -> str:
    text = "nothing" if value in (None, "", ()) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _build(name: str, options: X12WriterOptions, context: Context) -> X12Writer:
    agreement = context.partners.by_name(options.partner)
    if agreement is None:
        known = ", ".join(context.partners.names) or "none"
        raise ConfigError(f"{name}: there is no partner {options.partner!r}; known: {known}")
    if agreement.we is None or not agreement.ids:
        raise ConfigError(f"{name}: the agreement with {options.partner} needs `ids` and `we` to write X12")
    return X12Writer(agreement)


PLUGIN = WriterPlugin(
    name="x12",
    options=X12WriterOptions,
    summary=(
        "Writes X12 interchanges for a partner: one transaction a document, by the declaration that reads it and the"
        " partner's agreement."
    ),
    example="partner: ACME\n",
    build=_build,
    shorthand="partner",
    partners=("partner",),
    bounded=lambda options: LINEAR,
)
