"""Where in a body the reading of it stands: events in, readings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from hub.core.agreement import Agreement
from hub.core.errors import DecodeError
from hub.core.partners import PartnerDirectory
from hub.core.ports import FactValue, Reading
from hub.documents import Document
from transformers.x12.acknowledging.acknowledging import (
    NOT_ACKNOWLEDGED,
    GroupOutcome,
    envelope_note,
    interchange_acknowledgment,
    wants_ta1,
)
from transformers.x12.acknowledging.advising import ADVICE, application_advice
from transformers.x12.envelope.delimiters import InterchangeHeader
from transformers.x12.envelope.event import Event
from transformers.x12.envelope.numbers import SeenNumbers
from transformers.x12.envelope.verdict import Verdict
from transformers.x12.reading.membership import as_member, repeated_group
from transformers.x12.reading.refused_interchange import RefusedInterchange
from transformers.x12.reading.transaction import NOBODY, Transaction, read_transaction
from transformers.x12.validation.totals import WrongTotal, totals_error


class ReadingProgress:
    """Takes the events of a body in their order. Positions are ordinals of interchange, group and transaction, from 1;
    what we say of a group has `ack` in the transaction's place, what we say of an interchange has `ta1` in the
    group's."""

    def __init__(
        self, partners: PartnerDirectory, only: tuple[str, ...], verdict: Verdict, *, strangers: bool = True
    ) -> None:
        self._strangers = strangers
        self._partners = partners
        self._only = only
        self._verdict = verdict
        self._interchange = 0
        self._strays = 0
        self._header: InterchangeHeader | None = None
        self._agreement: Agreement = NOBODY
        self._warnings: tuple[str, ...] = ()
        self._note: tuple[str, str] | None = None
        self._group = 0
        self._transaction = 0
        self._acknowledged = 0
        self._in_group = False
        self._outcome = GroupOutcome(())
        self._numbers = SeenNumbers()
        self._groups = SeenNumbers()
        self._group_warnings: tuple[str, ...] = ()
        self._refused: RefusedInterchange | None = None

    def take(self, event: Event) -> Iterator[Reading]:
        match event.kind:
            case "ISA":
                yield from self._begin(event)
            case "TA1":
                yield from self._interchange_acknowledged(event)
            case "GS":
                yield from self._end_group(event)
                self._begin_group(event)
            case "ST":
                yield from self._take_transaction(event)
            case "GE" if not self._in_group:
                error = DecodeError("found GE without a group", segment="GE", offset=event.offset, code="022")
                yield from self._junk(replace(event, kind="junk", error=error))
            case "GE":
                yield from self._end_group(event)
            case "IEA":
                yield from self._end_group(event)
                yield from self._end(event)
            case "junk":
                yield from self._junk(event)
            case "end":
                yield from self._end_refused()
                if self._interchange == 0 and self._strays == 0:
                    yield Reading((), error=DecodeError("found nothing: the body is empty", offset=0, code="024"))

    # --- interchange -------------------------------------------------------------------------------------------------

    @property
    def _refusal(self) -> DecodeError | None:
        return self._verdict.interchanges.get(self._interchange)

    @property
    def _partner(self) -> str:
        return self._agreement.partner

    def _begin(self, event: Event) -> Iterator[Reading]:
        assert event.header is not None  # noqa: S101 - an ISA has one
        yield from self._end_refused()
        self._interchange += 1
        self._group = self._strays = self._transaction = self._acknowledged = 0
        self._in_group = False
        self._groups = SeenNumbers()
        self._header = event.header
        isa = event.header.elements
        self._agreement = agreement_for(isa, self._partners) or NOBODY
        self._note = envelope_note(isa)
        self._warnings = (
            event.header.warnings + ((self._note[1],) if self._note else ()) + misaddressed(isa, self._agreement)
        )
        self._outcome = GroupOutcome(())
        if self._agreement is NOBODY and not self._strangers:
            text = (
                f"the sender {isa[5]}/{isa[6]} is in no agreement{' for test traffic' if isa[15] == 'T' else ''}; "
                "`hub partner add` drafts one, then replay"
            )
            error = DecodeError(text, segment="ISA", element="ISA06", offset=event.offset, code="006")
            self._verdict.interchanges.setdefault(self._interchange, error)
        if self._interchange in self._verdict.repeated and self._agreement.duplicate_days is not None:
            text = f"the interchange control number {isa[13]} stands in the same body before"
            error = DecodeError(text, segment="ISA", element="ISA13", offset=event.offset, code="025")
            self._verdict.interchanges.setdefault(self._interchange, error)
        if (refusal := self._refusal) is not None:
            self._refused = RefusedInterchange(self._reading((str(self._interchange),), error=refusal))
            yield from self._answer(isa, "R", refusal.x12_code or "024")

    def _end_refused(self) -> Iterator[Reading]:
        """An interchange that was refused, once all of it has been seen: with the numbers of what is in it, by which
        people look for it."""
        refused, self._refused = self._refused, None
        if refused is not None:
            yield refused.reading()

    def _end(self, event: Event) -> Iterator[Reading]:
        yield from self._end_refused()
        if self._header is not None and self._refusal is None:
            if self._group == 0 and self._acknowledged == 0:
                yield self._empty(event, "the interchange holds no groups")
            note = self._note[0] if self._note else self._verdict.notes.get(self._interchange)
            yield from self._answer(self._header.elements, "E" if note else "A", note or "000")
        self._header = None

    def _answer(self, isa: tuple[str, ...], status: str, note: str) -> Iterator[Reading]:
        """The TA1, where one is due."""
        terms = self._agreement.acknowledge
        if terms is not None and (self._group or status == "R") and wants_ta1(terms.ta1, isa, refused=status == "R"):
            document = interchange_acknowledgment(isa, status, note, self._partner)
            yield self._acknowledge((str(self._interchange), "ta1"), document, "TA1", "")

    def _interchange_acknowledged(self, event: Event) -> Iterator[Reading]:
        """A TA1 that the partner sent. It belongs before the groups."""
        if self._in_group:
            text = f"found {'*'.join(event.elements)[:24].encode()!r} outside of a transaction"
            error = DecodeError(text, segment="TA1", offset=event.offset, code="022")
            yield from self._junk(Event("junk", event.offset, error=error))
            return
        self._acknowledged += 1
        position = (str(self._interchange), "0", str(self._acknowledged))
        if self._refusal is not None:
            return
        elements = event.elements
        if len(elements) < 6 or not elements[1] or elements[4] not in ("A", "E", "R"):
            text = f"found {'*'.join(elements)[:60]!r}, expected TA1 with five elements"
            error = DecodeError(text, segment="TA1", offset=event.offset, code="022")
            yield self._reading(position, name="TA1", error=error)
            return
        isa = ("", *([""] * 8), elements[2], elements[3], "", "", elements[1])
        document = interchange_acknowledgment(isa, elements[4], elements[5], self._partner or None)
        yield self._reading(position, name="TA1", document=document)

    # --- groups ------------------------------------------------------------------------------------------------------

    def _begin_group(self, event: Event) -> None:
        """`event` has the elements of the GS; none where transactions stand without one."""
        self._group += 1
        self._transaction = self._strays = 0
        self._outcome = GroupOutcome(event.elements)
        self._numbers = SeenNumbers()
        self._in_group = True
        self._group_warnings = ()
        if self._groups.again(self._group_number):
            error = repeated_group(event.elements, event)
            if self._agreement.duplicate_days is None:
                self._group_warnings = (error.text,)
            else:
                self._verdict.groups.setdefault((self._interchange, self._group), error)

    def _end_group(self, event: Event) -> Iterator[Reading]:
        """What a group ends with: that it is empty, and what we say of it."""
        if not self._in_group:
            return
        self._in_group = False
        if self._refusal is not None:
            return
        refusal = self._verdict.groups.get((self._interchange, self._group))
        if self._transaction == 0:
            yield self._empty(event, refusal.text if refusal else "the group holds no transactions")
        terms = self._agreement.acknowledge
        if terms is None or not self._outcome.elements or self._outcome.code in NOT_ACKNOWLEDGED:
            return
        counted = event.elements[1] if event.kind == "GE" and len(event.elements) > 1 else ""
        document = self._outcome.acknowledgment(refusal, counted, self._partner)
        yield self._acknowledge(self._position("ack"), document, terms.with_set, self._outcome.version)

    def _acknowledge(self, position: tuple[str, ...], document: Document, name: str, version: str) -> Reading:
        header = self._header.elements if self._header else ("",) * 17
        return acknowledgment_reading(position, document, name, version, header, self._partner)

    # --- transactions ------------------------------------------------------------------------------------------------

    def _take_transaction(self, event: Event) -> Iterator[Reading]:
        if not self._in_group:
            self._begin_group(replace(event, elements=()))
        self._transaction += 1
        if self._refused is not None and self._header is not None:
            self._refused.note(event, self._header.delimiters)
        if self._refusal is not None or self._header is None:
            return
        partner = self._partner or None
        read = read_transaction(event, self._header.delimiters, self._outcome.version, partner, self._agreement)
        error, document = read.error, read.document
        number = document.number if document is not None else read.number
        if (refusal := self._verdict.groups.get((self._interchange, self._group))) is not None:
            error, document = refusal, None
        elif self._only and self._partner not in self._only:
            error, document = self._not_ours(event), None
            read = Transaction(read.set, read.control_number, error=error, segments=read.segments)
        else:
            again = self._numbers.again(read.control_number)
            read = as_member(read, self._outcome.elements, event, self._agreement, again=again)
            error, document = read.error, read.document
        if refusal is not None:
            self._outcome.received += 1
        elif self._agreement.acknowledge is not None:
            self._outcome.add(read, self._agreement)
        position = self._position(str(self._transaction))
        wrong: tuple[WrongTotal, ...] = ()
        if document is not None and read.contradictions and self._agreement.totals == "refuse":
            wrong = read.contradictions
            error, number = totals_error(wrong, event.offset), document.number
            document = None
        yield self._reading(
            position,
            read.control_number,
            read.set,
            document=document,
            error=error,
            warnings=(*self._group_warnings, *read.warnings),
            refused=number if error is not None else "",
        )
        if wrong and self._agreement.advises:
            advice = application_advice(read, self._outcome.elements, self._partner)
            yield self._acknowledge((*position, ADVICE), advice, ADVICE, self._outcome.version)

    def _not_ours(self, event: Event) -> DecodeError:
        assert self._header is not None  # noqa: S101
        who = self._partner or f"{self._header.elements[5]}/{self._header.elements[6]}, whom we don't know"
        text = f"the transaction is from {who}; this source takes only {', '.join(self._only)}"
        return DecodeError(text, segment="ISA", element="ISA06", offset=event.offset)

    def _empty(self, event: Event, text: str) -> Reading:
        self._strays += 1
        position = self._position("0") if self._group else (str(self._interchange),)
        error = DecodeError(text, segment=event.elements[0], offset=event.offset, code="024")
        return self._reading(position, error=error)

    def _junk(self, event: Event) -> Iterator[Reading]:
        """Bytes that belong to nothing. Their position is that of what stands before them, with how many they are."""
        self._strays += 1
        if event.lone:
            first = self._interchange == 0 and self._strays == 1
            position = () if first else (str(self._interchange), "", f"+{self._strays}")
            yield Reading(position, error=event.error)
            yield from self._header_refused(event, position)
        elif self._refusal is None:
            yield self._reading(self._position(f"{self._transaction}+{self._strays}"), error=event.error)

    def _header_refused(self, event: Event, position: tuple[str, ...]) -> Iterator[Reading]:
        """The TA1 to an ISA that can't be used, where its sender can still be read."""
        isa = event.elements
        agreement = agreement_for(isa, self._partners) if isa else None
        terms = agreement.acknowledge if agreement else None
        if agreement is None or terms is None or event.error is None or not wants_ta1(terms.ta1, isa, refused=True):
            return
        document = interchange_acknowledgment(isa, "R", event.error.x12_code or "024", agreement.partner)
        yield acknowledgment_reading((*position, "ta1"), document, "TA1", "", isa, agreement.partner)

    # --- readings ----------------------------------------------------------------------------------------------------

    def _reading(
        self,
        position: tuple[str, ...],
        number: str = "",
        name: str = "",
        *,
        document: Document | None = None,
        error: DecodeError | None = None,
        warnings: tuple[str, ...] = (),
        refused: str = "",
    ) -> Reading:
        """`refused`: the number of the document that is refused."""
        return Reading(
            position,
            document=document,
            error=error,
            envelope={**self._envelope(name, number), **({"number": refused} if refused else {})},
            keys=self._keys(number),
            warnings=self._warnings + warnings,
        )

    def _position(self, transaction: str) -> tuple[str, ...]:
        return (str(self._interchange), str(self._group), transaction)

    @property
    def _group_number(self) -> str:
        return self._outcome.elements[6] if len(self._outcome.elements) > 6 else ""

    def _keys(self, transaction: str) -> tuple[tuple[str, str], ...]:
        isa = self._header.elements if self._header else ()
        pairs = (
            ("control_number", isa[13] if isa else ""),
            ("group_control_number", self._group_number),
            ("transaction_control_number", transaction),
        )
        return tuple(pair for pair in pairs if pair[1])

    def _envelope(self, name: str, transaction: str) -> Mapping[str, FactValue]:
        isa = self._header.elements if self._header else ("",) * 17
        return {
            "set": name,
            "version": self._outcome.version,
            "control_number": isa[13],
            "group_control_number": self._group_number,
            "transaction_control_number": transaction,
            "sender": isa[6],
            "receiver": isa[8],
            "test": isa[15] == "T",
            "partner": self._partner,
        }


def agreement_for(isa: tuple[str, ...], partners: PartnerDirectory) -> Agreement | None:
    """Whose interchange it is, by ISA05 and ISA06."""
    return partners.by_id(isa[5], isa[6], isa[15] == "T")


def acknowledgment_reading(
    position: tuple[str, ...], document: Document, name: str, version: str, isa: tuple[str, ...], partner: str
) -> Reading:
    """Something that we say to the partner of an ISA: it goes out."""
    return Reading(
        position,
        document=document,
        envelope={
            **{"set": name, "partner": partner, "direction": "outbound", "test": isa[15] == "T"},
            **{"version": version or f"{isa[12]}0"[:6], "sender": isa[8], "receiver": isa[6]},
        },
        keys=(("acknowledges", document.number),),
    )


def misaddressed(isa: tuple[str, ...], agreement: Agreement) -> tuple[str, ...]:
    """A warning, where an interchange is addressed to somebody else than the agreement says that we are."""
    we = agreement.we
    if we is None or (we.qualifier, we.id) == (isa[7], isa[8]):
        return ()
    return (f"it is addressed to {isa[7]}/{isa[8]}, and the agreement says that we are {we.qualifier}/{we.id}",)
