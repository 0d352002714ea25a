"""The X12 terms between a partner and us, as config/partners/*.yaml states them. Times are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

AcknowledgmentSet = Literal["997", "999"]
ErrorPolicy = Literal["reject", "accept"]
"""What becomes of a transaction that breaks its declaration in a way that still lets it be understood: rejected, or
taken and acknowledged as accepted with errors (AK501 E)."""

InterchangeAckPolicy = Literal["asked", "always", "never"]
"""When a TA1 answers an interchange: when ISA14 asks or its envelope fails, always, or never."""

TotalsPolicy = Literal["warn", "refuse", "hold"]
"""What becomes of a document whose totals contradict its lines: it is taken with a warning, refused, or held at each
destination."""

Charset = Literal["basic", "extended", "utf-8", "latin-1", "windows-1252"]


@dataclass(frozen=True, slots=True)
class InterchangeId:
    """An X12 interchange id as ISA05/06 or ISA07/08 carry it: qualifier and id, without the padding. `test` True: used
    for test traffic only (ISA15 T), False: for production only, None: for both."""

    qualifier: str
    id: str
    test: bool | None = None


@dataclass(frozen=True, slots=True)
class Separators:
    """What separates, in what we send; one character each. `newline` follows each terminator."""

    element: str = "*"
    component: str = ">"
    repetition: str = "^"
    terminator: str = "~"
    newline: Literal["", "\n", "\r\n"] = ""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """How we acknowledge what the partner sends. `through` names the destination that takes it to them; without it, the
    only destination that writes X12 for the partner does. `within` is what we promise, for people. `repeat`: whoever
    sends the same bytes again gets the same acknowledgment again."""

    with_set: AcknowledgmentSet = "997"
    within: float | None = None
    errors: ErrorPolicy = "reject"
    ta1: InterchangeAckPolicy = "asked"
    through: str | None = None
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class ExpectAck:
    """What we expect for what we send: an acknowledgment within so many seconds; a late or rejecting one becomes a hold
    of `owner`."""

    within: float
    owner: str = ""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Documents of one set that go together in one interchange: at most `max`, waiting at most `wait` seconds."""

    max: int
    wait: float


@dataclass(frozen=True, slots=True)
class OverlayRule:
    """One departure of the partner from the standard, in one set.

    `at` names the place: loop ids from the outside in, the segment, the element, joined by `/`: `BEG/BEG02`, `PO1`,
    `PO1/PID/PID05`, `N1/N4`. A loop is named by its first segment; of a segment that stands at the top only its id.
    `codes` replaces the code list, `add` and `remove` change it; `qualifiers` are the values that the first element of
    a segment (or of a loop's first segment) may have there; `default` is written where a document has no value;
    `segment` adds a segment that the set doesn't have behind the place (its elements are kept as extras).
    """

    at: str
    use: Literal["M", "O", "X"] | None = None
    max: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    codes: tuple[str, ...] | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    qualifiers: tuple[str, ...] | None = None
    default: str | None = None
    segment: str | None = None


ALL_SETS = "*"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A partner and the terms. `receive` and `send` empty: every set. `versions`: by set, where it isn't `version`.
    `we` and `group_*`: how we and they are called in ISA and GS (GS02 and GS03 are the ISA ids where they aren't
    given). `duplicate_days`: how long an interchange control number of theirs may not come again. `stated`: the terms
    that the file says in so many words, as its keys (`charset`, `delimiters.element`): the others are our defaults,
    from which nobody can depart. `totals_hold`: the hold, where `totals` is `hold`.
    `read_as`: by set (`*` all others), the release by which they write, where their GS08 says another one."""

    partner: str
    ids: tuple[InterchangeId, ...]
    we: InterchangeId | None = None
    version: str | None = None
    receive: tuple[str, ...] = ()
    send: tuple[str, ...] = ()
    group_we: str | None = None
    group_they: str | None = None
    acknowledge: Acknowledge | None = None
    expect_ack: ExpectAck | None = None
    ask_ta1: bool = False
    separators: Separators = Separators()
    charset: Charset = "extended"
    duplicate_days: int | None = None
    batch: BatchLimits | None = None
    test: bool = False
    owner: str = ""
    overlays: Mapping[str, tuple[OverlayRule, ...]] = field(default_factory=dict)
    stated: frozenset[str] = frozenset()
    versions: Mapping[str, str] = field(default_factory=dict)
    totals: TotalsPolicy = "warn"
    totals_hold: str = ""
    read_as: Mapping[str, str] = field(default_factory=dict)

    def read_version(self, set: str, written: str) -> str:
        """The version by which a transaction of theirs is read: what is agreed for its set, or for all, else what they
        wrote (GS08)."""
        return self.read_as.get(set) or self.read_as.get(ALL_SETS) or written

    def version_of(self, set: str) -> str | None:
        """The version agreed for a transaction set, in both directions: its own, else that of all."""
        return self.versions.get(set, self.version)

    @property
    def all_versions(self) -> tuple[str, ...]:
        """Every version that is agreed for something."""
        return tuple(dict.fromkeys(v for v in (self.version, *self.versions.values()) if v is not None))

    @property
    def advises(self) -> bool:
        """Whether an 824 answers what is refused for its totals."""
        return self.totals == "refuse" and "824" in self.send

    def id_for(self, test: bool) -> InterchangeId | None:
        """The id to send to, for test or production."""
        return next((i for i in self.ids if i.test is None or i.test == test), None)
