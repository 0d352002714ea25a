"""The seams between the pure core and the world. Each docstring is the contract; one contract suite runs against
every implementation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from hub.core.agreement import BatchLimits
from hub.core.effect import EffectStatus
from hub.core.errors import DecodeError
from hub.core.message import EMPTY, JSON, empty
from hub.core.outgoing_address import OutgoingAddress
from hub.core.record import record
from hub.core.replies.reply import Reply

if TYPE_CHECKING:
    from hub.documents.base import Document

FactValue = str | int | bool | None | Any
"""text, integer, boolean, `Decimal` (number), `date` or None. Flat."""


# --- transformers ----------------------------------------------------------------------------------------------------


class Body(Protocol):
    """Bytes that can be read more than once, without holding them whole: a claim, a file, a message body."""

    @property
    def size(self) -> int: ...

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        """The bytes from the beginning, in pieces of at most `size`. Each call begins anew."""
        ...


@record
class BytesBody:
    """A body that is in memory already."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        for start in range(0, len(self.data), size):
            yield self.data[start : start + size]


@dataclass(frozen=True, slots=True)
class FileBody:
    """A body that stands in a file."""

    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        with self.path.open("rb") as stream:
            while piece := stream.read(size):
                yield piece


@record
class Reading:
    """One thing found in a body: a document, or the reason why there is none.

    `position` is where it stands (for X12: ordinals of interchange, group and transaction, from 1, as text; `()` for a
    body that is one document). `envelope` holds facts that the envelope knows and the document doesn't (`set`,
    `version`, `control_number`, `partner`, `test`, ...). `keys` are pairs (kind, value) of business keys that the
    envelope knows (`control_number`, `group_control_number`, ...) beside the document's own, by which `hub trace` finds
    the message.
    """

    position: tuple[str, ...]
    document: Document | None = None
    error: DecodeError | None = None
    envelope: Mapping[str, FactValue] = field(default_factory=empty)
    keys: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


class Reader(Protocol):
    """Bytes to documents. Yields in the order of the body, lazily, in memory bounded by its largest document.

    A part that can't be read yields a Reading with its error and never stops its neighbours. What the reader cannot
    make sense of at all is one Reading with an error and the position `()`. Raises nothing else than DecodeError.
    `headers` are those of the message or arrival the body came in.
    """

    def read(self, body: Body, headers: Mapping[str, Any] = EMPTY) -> Iterator[Reading]: ...


DUPLICATES = "hub-duplicate-interchanges"
"""The header in which a reader is told of duplicates: {position: "taken on 2026-03-02 as acme_17.edi"}."""


@runtime_checkable
class InterchangeReader(Reader, Protocol):
    """A reader of interchanges with control numbers. `interchanges` gives partner, control number and position (the
    ordinal, from 1, as the first part of a Reading's position) of each in the body whose partner is known, lazily and
    in flat memory. Raises nothing else than DecodeError. Those that the hub knows to be duplicates come to `read` in
    the header DUPLICATES: it yields each as one Reading with an error."""

    def interchanges(self, body: Body) -> Iterable[tuple[str, str, str]]: ...


@dataclass(frozen=True, slots=True)
class FieldOrigin:
    """What gave a field of a canonical document. `field` is its path (`lines[2].products.UP`). For X12: `position`
    counts the segments of the transaction from 1 (ST), `element` and `component` from 1. `start` and `end` are the
    bytes of the body, from 0; `text` is what they say."""

    field: str
    segment: str
    position: int
    element: int
    component: int | None
    start: int
    end: int
    text: str

    @property
    def where(self) -> str:
        """`PO107`, `MEA04-2`."""
        return f"{self.segment}{self.element:02}" + (f"-{self.component}" if self.component else "")


@runtime_checkable
class TracingReader(Reader, Protocol):
    """A reader that can say which bytes gave which field of each document of a body: position after position in their
    order, those `wanted` (None: all), and of each the fields in the order of their bytes. A position that isn't there
    is left out. It reads the body again, once for all positions, and no further than the last one wanted: slow, and
    only on demand."""

    def lineages(
        self, body: Body, wanted: Collection[tuple[str, ...]] | None = None
    ) -> Iterable[tuple[tuple[str, ...], list[FieldOrigin]]]: ...


@dataclass(frozen=True, slots=True)
class WriteContext:
    """What a writer needs from outside, handed to it because it knows no clock and draws nothing."""

    document_id: str
    destination: str
    key: str
    now: datetime
    facts: Mapping[str, FactValue] = field(default_factory=empty)
    control_number: int | None = None


@record
class Written:
    """A destination's bytes, as every attempt sends them. `facts` are what the bytes are called by (`set`,
    `control_number`, ...): they stand for the document's own facts in the name it is sent under. `expect_ack`: within
    how many seconds the partner is to acknowledge it; None: no acknowledgment is expected. `warnings`: what the journal
    tells of it."""

    body: bytes
    content_type: str = JSON
    facts: Mapping[str, FactValue] = field(default_factory=empty)
    expect_ack: float | None = None
    warnings: tuple[str, ...] = ()


class Writer(Protocol):
    """A document to bytes. Raises MappingError, which names the field; the same input gives the same bytes."""

    def write(self, document: Document, context: WriteContext) -> Written: ...


@runtime_checkable
class NumberedWriter(Writer, Protocol):
    """A writer whose bytes carry a control number. `sequence` names whose numbers they are (a partner's name): the
    context's `control_number` is taken from it before the first write of a document to a destination, and is the same
    at every later one. Its documents are acknowledged by that number."""

    @property
    def sequence(self) -> str: ...


@runtime_checkable
class BatchingWriter(NumberedWriter, Protocol):
    """A numbered writer that also takes a Batch: its documents in one interchange, as transactions 0001, 0002, ... in
    their order. `batch` is what the partner agreed to; None: each document goes alone."""

    @property
    def batch(self) -> BatchLimits | None: ...


# --- adapters --------------------------------------------------------------------------------------------------------


@record
class Arrival:
    """What a source hands to the intake: a body, where it came from and what it was called there.

    `facts` are what the source knows of it beside the bytes (`partner` where it knows who sent it, and what its options
    map from headers and properties): facts of every document in it, unless the reader knows better. `salt` tells it
    from others with the same bytes that are meant as another message; without it the same bytes are the same message,
    from the same partner and with the same facts (`identity`). `keys` are pairs (kind, value) of business keys of every
    document in it. `partner` is who has proved to have sent it: a document that names another is refused.
    `offered_again`: the source may have offered it before: a crash has left it there, or a broker delivered it again.
    What is recorded of it then is not done once more; a file that its sender drops once more is another matter. `kept`:
    the source keeps it until it is acknowledged, gets it again after a crash, and has many in work: its documents may
    be delivered while it waits. Such a source never cancels a task that calls `take`.
    """

    source: str
    body: Body
    name: str = ""
    headers: Mapping[str, Any] = field(default_factory=empty)
    facts: Mapping[str, FactValue] = field(default_factory=empty)
    salt: str = ""
    keys: tuple[tuple[str, str], ...] = ()
    partner: str = ""
    offered_again: bool = False
    kept: bool = False

    @property
    def identity(self) -> str:
        """What tells it from others with the same bytes: the salt, who has proved to have sent it, and the facts that
        it came with."""
        if not self.partner and not self.facts:
            return self.salt
        facts = sorted((name, str(value)) for name, value in self.facts.items())
        return repr((self.salt, self.partner, facts))


async def nothing_to_note() -> None:
    """What most arrivals need once their source has acknowledged them."""


@record
class Taken:
    """The intake has taken responsibility: everything made from the arrival is confirmed and committed. The source may
    forget it. `refused` counts the parts that went to the source's dead letters; `documents` those that were routed or
    are kept as unmatched. `cause` is for us. `told`: the same for whoever sent it, empty where it is none of their
    business.

    `settled`: a source that puts away what was taken (a file that it moves) calls this after that, so that the hub can
    tell a file that comes again from one that is only offered again. It never raises. A source that can't know doesn't
    call it: to the hub its arrivals may all be offered again."""

    documents: int = 0
    refused: int = 0
    cause: str = ""
    told: str = ""
    settled: Callable[[], Awaitable[None]] = field(default=nothing_to_note, compare=False, repr=False)

    @property
    def failed(self) -> bool:
        """Nothing in it could be read."""
        return self.documents == 0 and self.refused > 0


Take = Callable[[Arrival], Awaitable[Taken]]
"""The intake. Raises TransientError or JournalUnavailable when nothing was taken: the source keeps the arrival and
offers it again."""


class Source(Protocol):
    """An inbound channel adapter. `run` offers every arrival to `take` and acknowledges it at its origin only after
    `take` has returned; it goes on until it is cancelled, and then stops offering at once."""

    async def run(self, take: Take) -> None: ...


@runtime_checkable
class SoleSource(Source, Protocol):
    """A source of which one runs at a time, however many processes share the journal: it looks at a place that knows no
    competing consumers (a folder, a list, a clock). While `sole` is true its `run` is called in the process that holds
    its lease, and cancelled when the lease can't be kept. A process that was stopped for longer than its lease may
    still be at work when another begins: the source must bear that."""

    @property
    def sole(self) -> bool: ...


class Memory(Protocol):
    """What a source remembers across restarts and processes: small texts by name, in the journal. What is put is
    durable when the call returns. Raises JournalUnavailable.

    `first` puts the value where there is none yet, and gives the one that stands there: of many processes all get the
    same.
    """

    async def get(self, name: str) -> str | None: ...

    async def put(self, name: str, value: str) -> None: ...

    async def first(self, name: str, value: str) -> str: ...


async def noted_nowhere(mark: str) -> None:
    """For those who send without a journal."""


@record
class Outgoing:
    """What a destination sends: stored before the first attempt and the same at every attempt. `fixed_address` is what
    an `Addressing` adapter has called it before the first attempt (a file name, a routing key, a path); empty where the
    adapter is to make it.

    `note` commits a short mark before a step that can't be undone, and that the far end can't tell from its repetition.
    Raises TransientError: the step must not be taken. `mark` is what an earlier attempt has noted, in whatever process;
    a person's release forgets it."""

    document_id: str
    document: str
    key: str
    body: bytes
    content_type: str
    attempt: int = 1
    correlation_id: str | None = None
    facts: Mapping[str, FactValue] = field(default_factory=empty)
    headers: Mapping[str, Any] = field(default_factory=empty)
    fixed_address: str = ""
    mark: str = ""
    note: Callable[[str], Awaitable[None]] = field(default=noted_nowhere, compare=False, repr=False)


@record
class Receipt:
    """What the far end said when it took the document. `status` and `text` are for people; `reply` is its body,
    `content_type` what the far end calls it. `keys` are pairs (kind, value) of identifiers that the far end gave:
    business keys of the document from now on, by which `hub trace` finds it. `headers` are those of the reply, where it
    has any, by lower-case name. `cut`: `reply` is only its beginning."""

    text: str = EffectStatus.DELIVERED.value
    status: int | None = None
    reply: bytes = b""
    content_type: str | None = None
    keys: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=empty)
    cut: bool = False

    @property
    def answer(self) -> Reply:
        """What the far end replied, as it came."""
        return Reply(self.status, self.headers, self.reply, self.cut)


class Destination(Protocol):
    """An outbound channel adapter.

    `address` says where the document goes and under which names: method, URL, headers, file name, routing key. It is
    pure: made of the outgoing document and the options alone, without I/O, clock or chance. The same document has the
    same address every time. An address holds no secret. Raises RejectedError where the facts make none.

    `send` sends to exactly this address, and adds credentials. It returns once the far end has taken the document. It
    raises TransientError (may work later), RejectedError (a definite no, or a hold), Unconfirmed (the far end may have
    it, and can't tell one sending from another), and nothing else; it never retries by itself. Sending the same `key`
    again is the far end's chance to recognise a repetition."""

    def address(self, outgoing: Outgoing) -> OutgoingAddress: ...

    async def send(self, outgoing: Outgoing) -> Receipt: ...

    async def close(self) -> None: ...


@runtime_checkable
class Addressing(Destination, Protocol):
    """A destination that makes a part of the address of a document's facts: a file name, a routing key, a path. The hub
    asks for this part before the first attempt and stores it; every attempt gets it back in `Outgoing.fixed_address`,
    so that an edit of the template or a newer release never sends to a second place. `earlier`: the document was begun
    by a release that stored no address; the answer is the one that it used. Raises RejectedError where the facts make
    none."""

    def fix_address(self, outgoing: Outgoing, *, earlier: bool = False) -> str: ...


@runtime_checkable
class Asking(Protocol):
    """An endpoint that can be asked for something and changes nothing by it: a lookup, a list. `call` is a method and a
    path with query, in which `{fact}` is substituted. The receipt's `reply` is at most a few MB. Raises TransientError
    (may work later), RejectedError with the status (404: there is no such thing), and nothing else. It keeps no limit:
    the caller does."""

    async def ask(self, call: str, facts: Mapping[str, FactValue], headers: Mapping[str, str] = EMPTY) -> Receipt: ...
