"""The reader `x12`: interchanges to documents, one Reading a transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from hub.core.context import Context
from hub.core.errors import ConfigError, DecodeError
from hub.core.message import EMPTY
from hub.core.partners import PartnerDirectory
from hub.core.plugin import LINEAR, Options, ReaderPlugin
from hub.core.ports import Body, FieldOrigin, Reading
from transformers.x12.declarations.catalogue import NEWEST, known_sets, set_declaration
from transformers.x12.envelope.event import Event
from transformers.x12.envelope.scan import events
from transformers.x12.envelope.verdict import Verdict, interchange_key, judge
from transformers.x12.lineage.lineage import lineage
from transformers.x12.reading.progress import ReadingProgress, agreement_for
from transformers.x12.reading.transaction import NOBODY
from transformers.x12.terms.agreement_check import agreement_problems

ONE_PASS = 1 << 20
"""Bytes up to which the events of a body are kept between the two passes."""

DUPLICATES = "hub-duplicate-interchanges"
"""The header in which the intake says which interchanges have been taken before: position to a sentence."""


class X12ReaderOptions(Options):
    """Which transactions the reader takes."""

    only: list[str] = Field(
        default_factory=list,
        description="Partners whose transactions are taken; those of others are refused. Without it: everybody's",
    )

    strangers: Literal["refuse", "take"] = Field(
        default="refuse",
        description=(
            "What becomes of interchanges whose sender is in no agreement, on a site that has agreements: refused, so"
            " that they rest with the source's dead letters until there is one; or taken, as from nobody"
        ),
    )


class X12Reader:
    """Reads X12: envelopes are judged first, then the transactions come one by one.

    Positions are ordinals, from 1, of interchange, group and transaction. A transaction that is wrong, or of a set
    without a declaration, is a Reading with its error; a group with a missing or wrong trailer is so for each of its
    transactions; an interchange with a missing or wrong trailer is one Reading with an error. Bytes that are no
    interchange are one Reading, with the position `()` where the body holds no interchange at all.

    Where the agreement asks for acknowledgments, each group is followed by a Reading (position `1/1/ack`) with a
    functional_acknowledgment that goes out (fact `direction`: outbound), and an interchange by one (`1/ta1`) with an
    interchange_acknowledgment.
    """

    def __init__(self, partners: PartnerDirectory, only: tuple[str, ...] = (), *, strangers: bool = True) -> None:
        self._partners = partners
        self._only = only
        self._strangers = strangers or not partners.names

    def read(self, body: Body, headers: Mapping[str, Any] = EMPTY) -> Iterator[Reading]:
        kept = list(events(body)) if body.size <= ONE_PASS else None
        stream: Callable[[], Iterator[Event]] = (lambda: events(body)) if kept is None else (lambda: iter(kept))
        verdict = judge(stream())
        duplicates = headers.get(DUPLICATES)
        if isinstance(duplicates, Mapping):
            _refuse(verdict, duplicates)
        progress = ReadingProgress(self._partners, self._only, verdict, strangers=self._strangers)
        for event in stream():
            yield from progress.take(event)

    def interchanges(self, body: Body) -> Iterator[tuple[str, str, str]]:
        """Partner, control number and position of each interchange whose sender is known. A number belongs to the id
        that sent it, for test or production, and is given with them: `17 ZZ ACME P`; one that stands in the body before
        isn't given."""
        position, seen = 0, set()
        for event in events(body):
            if event.header is not None:
                position += 1
                isa = event.header.elements
                agreement = agreement_for(isa, self._partners)
                if agreement and (key := interchange_key(isa)) not in seen:
                    seen.add(key)
                    yield agreement.partner, " ".join((key[3] or "0", *key[:3])), str(position)

    def lineages(
        self, body: Body, wanted: Collection[tuple[str, ...]] | None = None
    ) -> Iterator[tuple[tuple[str, ...], list[FieldOrigin]]]:
        """The bytes behind every field of the transactions at these positions (None: of all)."""
        at, header, version, left = [0, 0, 0], None, "", None if wanted is None else set(wanted)
        agreement = None
        for event in events(body):
            if event.header is not None:
                header, version, at = event.header, "", [at[0] + 1, 0, 0]
                agreement = agreement_for(header.elements, self._partners)
            elif event.kind == "GS":
                version, at = (event.elements[8:9] or ("",))[0], [at[0], at[1] + 1, 0]
            elif event.kind == "ST":
                at = [at[0], max(at[1], 1), at[2] + 1]
                position = tuple(map(str, at))
                if header is not None and (left is None or position in left):
                    yield position, lineage(event, header.delimiters, version, agreement or NOBODY)
                    if left is not None:
                        left.discard(position)
            if left is not None and not left:
                return


def _refuse(verdict: Verdict, duplicates: Mapping[str, str]) -> None:
    for position, text in duplicates.items():
        error = DecodeError(f"the interchange control number was {text}", segment="ISA", element="ISA13", code="025")
        verdict.interchanges.setdefault(int(position), error)


def _build(name: str, options: X12ReaderOptions, context: Context) -> X12Reader:
    partners = context.partners
    for partner in options.only:
        if partners.by_name(partner) is None:
            known = ", ".join(partners.names) or "none"
            raise ConfigError(f"{name}: there is no partner {partner!r}; known: {known}")
    return X12Reader(partners, tuple(options.only), strangers=options.strangers == "take")


def _documents(options: X12ReaderOptions) -> tuple[str, ...]:
    kinds = [set_declaration(name, NEWEST).document for name in known_sets()]
    return (*dict.fromkeys(kinds), "interchange_acknowledgment")


PLUGIN = ReaderPlugin(
    name="x12",
    options=X12ReaderOptions,
    summary=(
        "Reads X12 interchanges: one document a transaction, checked against its declaration and the partner's"
        " agreement; acknowledges them where it asks for it."
    ),
    example="only: [ACME]\n",
    build=_build,
    documents=_documents,
    partners=("only",),
    agreement=agreement_problems,
    bounded=lambda options: LINEAR,
)
