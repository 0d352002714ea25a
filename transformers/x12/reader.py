"""The reader `x12`: interchanges to documents, one Reading a transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import Field

from hub.core.errors import ConfigError, DecodeError
from hub.core.message import EMPTY
from hub.core.partners import PartnerDirectory
from hub.core.plugin import Context, Options, Plugin
from hub.core.ports import Body, FactValue, Reading
from transformers.x12.catalogue import RELEASES, known_sets, set_declaration
from transformers.x12.delimiters import InterchangeHeader
from transformers.x12.envelope import events
from transformers.x12.event import Event
from transformers.x12.transaction import read_transaction
from transformers.x12.verdict import Verdict, judge

ONE_PASS = 1 << 20
"""Bytes up to which the events of a body are kept between the two passes."""


class X12ReaderOptions(Options):
    """Which transactions the reader takes."""

    only: list[str] = Field(
        default_factory=list,
        description="Partners whose transactions are taken; those of others are refused. Without it: everybody's",
    )


class X12Reader:
    """Reads X12: envelopes are judged first, then the transactions come one by one.

    Positions are ordinals, from 1, of interchange, group and transaction. A transaction that is wrong, or of a set without a
    declaration, is a Reading with its error; a group with a missing or wrong trailer is so for each of its
    transactions; an interchange with a missing or wrong trailer is one Reading with an error. Bytes that are no
    interchange are one Reading, with the position `()` where the body holds no interchange at all.
    """

    def __init__(self, partners: PartnerDirectory, only: tuple[str, ...] = ()) -> None:
        self._partners = partners
        self._only = only

    def read(self, body: Body, headers: Mapping[str, Any] = EMPTY) -> Iterator[Reading]:
        if body.size <= ONE_PASS:
            kept = list(events(body))
            return self._read(judge(kept), lambda: iter(kept))
        return self._read(judge(events(body)), lambda: events(body))

    def _read(self, verdict: Verdict, stream: Callable[[], Iterator[Event]]) -> Iterator[Reading]:
        place = _Place(self._partners, self._only, verdict)
        for event in stream():
            yield from place.take(event)


class _Place:
    """Where in the body the reading stands."""

    def __init__(self, partners: PartnerDirectory, only: tuple[str, ...], verdict: Verdict) -> None:
        self._partners = partners
        self._only = only
        self._verdict = verdict
        self._interchange = 0
        self._group = 0
        self._transaction = 0
        self._found = 0
        self._strays = 0
        self._header: InterchangeHeader | None = None
        self._group_elements: tuple[str, ...] = ()
        self._partner = ""
        self._warnings: tuple[str, ...] = ()
        self._in_group = False

    def take(self, event: Event) -> Iterator[Reading]:
        match event.kind:
            case "ISA":
                yield from self._begin(event)
            case "GS":
                yield from self._left_empty(event)
                self._begin_group(event.elements)
            case "ST":
                yield from self._take_transaction(event)
            case "GE":
                yield from self._left_empty(event)
                self._in_group = False
            case "IEA":
                yield from self._left_empty(event)
                if self._group == 0 and not self._refused:
                    yield self._empty(event, "the interchange holds no groups")
                self._header = None
            case "junk":
                yield from self._junk(event)
            case "end":
                if self._interchange == 0 and self._strays == 0:
                    yield Reading((), error=DecodeError("found nothing: the body is empty", offset=0, code="024"))

    @property
    def _refused(self) -> bool:
        return self._interchange in self._verdict.interchanges

    def _begin(self, event: Event) -> Iterator[Reading]:
        assert event.header is not None  # noqa: S101 - an ISA has one
        self._interchange += 1
        self._group = self._strays = 0
        self._in_group = False
        self._header = event.header
        self._warnings = event.header.warnings
        isa = event.header.elements
        agreement = self._partners.by_id(isa[5], isa[6])
        self._partner = agreement.partner if agreement else ""
        self._group_elements = ()
        if self._refused:
            yield Reading(
                (str(self._interchange),),
                error=self._verdict.interchanges[self._interchange],
                envelope=self._envelope("", ""),
                keys=self._keys(""),
                warnings=self._warnings,
            )

    def _left_empty(self, event: Event) -> Iterator[Reading]:
        """A group that ends here without a transaction."""
        if self._in_group and self._found == 0 and not self._refused:
            yield self._empty(event, "the group holds no transactions")

    def _begin_group(self, elements: tuple[str, ...]) -> None:
        self._group += 1
        self._transaction = self._found = self._strays = 0
        self._group_elements = elements
        self._in_group = True

    def _take_transaction(self, event: Event) -> Iterator[Reading]:
        if not self._in_group:
            self._begin_group(())
        self._transaction += 1
        self._found += 1
        if self._refused or self._header is None:
            return
        read = read_transaction(event, self._header.delimiters, self._version, self._partner or None)
        error = read.error
        document = read.document
        warnings = self._warnings + read.warnings
        if (group_error := self._verdict.groups.get((self._interchange, self._group))) is not None:
            error, document = group_error, None
        elif self._only and self._partner not in self._only:
            error, document = self._not_ours(event), None
        yield Reading(
            self._position(str(self._transaction)),
            document=document,
            error=error,
            envelope=self._envelope(read.set, read.control_number),
            keys=self._keys(read.control_number),
            warnings=warnings,
        )

    def _not_ours(self, event: Event) -> DecodeError:
        assert self._header is not None  # noqa: S101
        who = self._partner or f"{self._header.elements[5]}/{self._header.elements[6]}, whom we don't know"
        text = f"the transaction is from {who}; this source takes only {', '.join(self._only)}"
        return DecodeError(text, segment="ISA", element="ISA06", offset=event.offset)

    def _empty(self, event: Event, text: str) -> Reading:
        self._strays += 1
        position = self._position("0") if self._in_group else (str(self._interchange),)
        error = DecodeError(text, segment=event.elements[0], offset=event.offset, code="024")
        return Reading(
            position, error=error, envelope=self._envelope("", ""), keys=self._keys(""), warnings=self._warnings
        )

    def _junk(self, event: Event) -> Iterator[Reading]:
        """Bytes that belong to nothing. Their position is that of what stands before them, with how many they are."""
        self._strays += 1
        if event.lone:
            first = self._interchange == 0 and self._strays == 1
            position = () if first else (str(self._interchange), "", f"+{self._strays}")
            yield Reading(position, error=event.error)
        elif not self._refused:
            yield Reading(
                self._position(f"{self._transaction}+{self._strays}"),
                error=event.error,
                envelope=self._envelope("", ""),
                keys=self._keys(""),
                warnings=self._warnings,
            )

    def _position(self, transaction: str) -> tuple[str, ...]:
        return (str(self._interchange), str(self._group), transaction)

    @property
    def _version(self) -> str:
        return self._group_elements[8] if len(self._group_elements) > 8 else ""

    def _keys(self, transaction: str) -> tuple[tuple[str, str], ...]:
        isa = self._header.elements if self._header else ()
        group = self._group_elements[6] if len(self._group_elements) > 6 else ""
        pairs = (
            ("control_number", isa[13] if isa else ""),
            ("group_control_number", group),
            ("transaction_control_number", transaction),
        )
        return tuple(pair for pair in pairs if pair[1])

    def _envelope(self, name: str, transaction: str) -> dict[str, FactValue]:
        isa = self._header.elements if self._header else ("",) * 17
        return {
            "set": name,
            "version": self._version,
            "control_number": isa[13],
            "group_control_number": self._group_elements[6] if len(self._group_elements) > 6 else "",
            "transaction_control_number": transaction,
            "sender": isa[6],
            "receiver": isa[8],
            "test": isa[15] == "T",
            "partner": self._partner,
        }


def _build(name: str, options: X12ReaderOptions, context: Context) -> X12Reader:
    partners = context.partners or PartnerDirectory()
    for partner in options.only:
        if partners.by_name(partner) is None:
            known = ", ".join(partners.names) or "none"
            raise ConfigError(f"{name}: there is no partner {partner!r}; known: {known}")
    return X12Reader(partners, tuple(options.only))


def _documents(options: X12ReaderOptions) -> tuple[str, ...]:
    return tuple(dict.fromkeys(set_declaration(name, RELEASES[0]).document for name in known_sets()))


PLUGIN = Plugin(
    name="x12",
    kind="reader",
    options=X12ReaderOptions,
    summary="Reads X12 interchanges (850, 856, 810; 004010 and 005010): one document a transaction, checked against its declaration.",
    example="only: [ACME]\n",
    build=_build,
    documents=_documents,
)
