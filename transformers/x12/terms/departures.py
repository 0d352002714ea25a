"""What in a file departs from an agreement. What the agreement says and the file doesn't have is no departure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from hub.core.agreement import Agreement, InterchangeId, Separators
from hub.core.partners import PartnerDirectory
from hub.core.ports import Body
from transformers.x12.envelope.delimiters import Delimiters
from transformers.x12.finding import SegmentFinding
from transformers.x12.lineage.inspection import GroupSeen, InterchangeSeen, Stray, TransactionSeen, inspect
from transformers.x12.terms.agreement_check import ACKNOWLEDGMENTS
from transformers.x12.terms.observation import charset_of, newline_of

Kind = Literal[
    "ids", "test", "delimiters", "version", "group", "set", "charset", "envelope", "content", "accepted", "totals"
]
"""What it departs from; `content` is what stands in a transaction: elements, codes, the order and number of segments;
`accepted` the same, of one that the agreement takes with its errors."""

ADVICE: dict[Kind, str] = {
    "ids": (
        "a sender that is in no agreement is refused: ask them, or write the id into `ids`; an id of ours that is"
        " another one is read all the same"
    ),
    "test": (
        "an id takes part in test or in production traffic only where `ids` says so: ask them, or write `test:` at"
        " the id"
    ),
    "delimiters": (
        "the hub reads any delimiters; these matter if they ask for the same in what we send: ask them, or write theirs"
        " into `delimiters`, or leave the key out"
    ),
    "version": (
        "the hub reads it all the same, as the release that GS08 names: ask them whether they have moved, and write it"
        " as `version`, or for the one set as `versions: {SET: VERSION}`; where only their GS08 is wrong, write the"
        " release by which they write as `read_as`"
    ),
    "group": "the hub reads it all the same; what we send has the codes of `group`: ask them, or write theirs",
    "set": "it is refused, and acknowledged as such: ask them, or write the set into `receive`",
    "charset": "the hub reads it all the same, as 8-bit text: ask them, or write the `charset` that they use",
    "envelope": "what of it is refused, `hub x12 validate` says: they have to send it again, whole and counted right",
    "totals": (
        "the document is refused, or held at each destination, as `totals` in the agreement says (the 997 accepts it:"
        " that one speaks of syntax): they correct the totals or the lines, or write `totals: warn`"
    ),
    "content": (
        "the transaction is refused, and acknowledged as such (`errors: accept` takes what can be understood): they"
        " correct it, or a rule in `overlays` says what their guide says"
    ),
    "accepted": (
        "the transaction is taken with its errors, and acknowledged as such (`errors: accept`); what could not be read"
        " is in the document's extras: they correct it, or a rule in `overlays` says what their guide says"
    ),
}
"""What to do about each kind, for those who look after the agreement."""

NEWLINES = {"": "none", "\n": "lf", "\r\n": "crlf"}
SEPARATORS = ("element", "component", "repetition", "terminator")


@dataclass(frozen=True, slots=True)
class Departure:
    """One of them. `interchange` and `group` count from 1, 0 where it isn't within one; `set` and `control_number` are
    those of the transaction. `note`: something to know of that the hub takes all the same."""

    kind: Kind
    text: str
    interchange: int = 0
    group: int = 0
    set: str = ""
    control_number: str = ""
    finding: SegmentFinding | None = None
    note: bool = False

    @property
    def where(self) -> str:
        """`interchange 1, group 1, 850 0001, PO107 (segment 14, byte 812)`."""
        parts = [f"interchange {self.interchange}"] if self.interchange else []
        parts += [f"group {self.group}"] if self.group else []
        parts += [f"{self.set} {self.control_number}".strip()] if self.set or self.control_number else []
        if (found := self.finding) is not None and found.segment:
            places = [f"segment {found.position}"] if found.position else []
            places += [f"byte {found.offset}"] if found.offset is not None else []
            name = found.where if found.element else found.segment
            parts.append(f"{name} ({', '.join(places)})" if places else name)
        return ", ".join(parts)

    def as_dict(self) -> dict[str, str | int | bool | None]:
        """For `--json`."""
        found = self.finding or SegmentFinding("", "", 0, "")
        return {
            **{"kind": self.kind, "note": self.note, "text": self.text, "where": self.where},
            **{"interchange": self.interchange or None, "group": self.group or None},
            **{"set": self.set or None, "control_number": self.control_number or None},
            **{"segment": found.segment or None, "position": found.position or None, "element": found.element},
            **{"advice": None if self.note else ADVICE[self.kind]},
            **{"code": found.code or None, "value": found.value, "offset": found.offset},
        }


def departures(body: Body, agreement: Agreement) -> Iterator[Departure]:
    """In the order of the body, in flat memory. All of the body is judged by this agreement, whoever sent it."""
    interchange = group = 0
    versions = _Versions(agreement)
    for seen in inspect(body, PartnerDirectory(), agreement):
        found: Iterable[Departure] = ()
        match seen:
            case InterchangeSeen():
                interchange, group = seen.number, 0
                found = _of_interchange(seen, agreement)
            case GroupSeen():
                group = seen.number
                versions.of_group(seen)
                found = _of_group(seen, agreement)
            case TransactionSeen():
                found = (*versions.of_set(seen.read.set), *_of_transaction(seen, agreement))
            case Stray():
                found = [Departure("envelope", seen.finding.text, finding=seen.finding)]
                if seen.level == "body":
                    interchange = group = 0
            case _:
                pass
        for one in found:
            yield replace(one, interchange=interchange, group=group)


def _of_interchange(seen: InterchangeSeen, agreement: Agreement) -> Iterator[Departure]:
    isa = seen.elements
    yield from _ids(isa, agreement)
    test = isa[15] == "T"
    if "test" in agreement.stated and test != agreement.test:
        text = f"ISA15 is {isa[15]}, and the agreement says test: {str(agreement.test).lower()}"
        yield Departure("test", text, finding=_isa(15))
    yield from _delimiters(seen.delimiters, agreement)
    if seen.refusal is not None:
        yield Departure("envelope", seen.refusal.text, finding=seen.refusal)
    for warning in seen.warnings:
        if not warning.startswith(("it is from", "it is addressed")):
            yield Departure("envelope", warning, finding=_isa(), note=True)


def _ids(isa: tuple[str, ...], agreement: Agreement) -> Iterator[Departure]:
    test = isa[15] == "T"
    same = [one for one in agreement.ids if (one.qualifier, one.id) == (isa[5], isa[6])]
    if agreement.ids and not same:
        known = " or ".join(map(_show, agreement.ids))
        text = f"the sender is {isa[5]}/{isa[6]}, and {agreement.partner} is {known}"
        yield Departure("ids", text, finding=_isa(6))
    elif same and all(one.test is not None and one.test != test for one in same):
        kind, only = ("test", "production") if test else ("production", "test")
        text = f"ISA15 is {isa[15]} ({kind}), and {_show(same[0])} is for {only} only"
        yield Departure("test", text, finding=_isa(15))
    if (we := agreement.we) is not None and (we.qualifier, we.id) != (isa[7], isa[8]):
        text = f"the receiver is {isa[7]}/{isa[8]}, and we are {_show(we)}"
        yield Departure("ids", text, finding=_isa(8))


def _show(one: InterchangeId) -> str:
    return f"{one.qualifier}/{one.id}"


def _isa(element: int | None = None) -> SegmentFinding:
    return SegmentFinding("", "ISA", 0, "", element)


def _delimiters(marks: Delimiters, agreement: Agreement) -> Iterator[Departure]:
    agreed: Separators = agreement.separators
    for name in SEPARATORS:
        found, wanted = getattr(marks, name).decode("latin-1"), getattr(agreed, name)
        if f"delimiters.{name}" in agreement.stated and found and found != wanted:
            word = name if name == "terminator" else f"{name} separator"
            text = f"the {word} is {found!r}, and {wanted!r} is agreed"
            yield Departure("delimiters", text, finding=_isa())


def _of_group(seen: GroupSeen, agreement: Agreement) -> Iterator[Departure]:
    for position, who, wanted in ((2, "they are", agreement.group_they), (3, "we are", agreement.group_we)):
        if wanted is not None and seen.element(position) != wanted:
            text = f"GS{position:02} is {seen.element(position)!r}, and {who} {wanted} there"
            yield Departure("group", text, finding=_gs(position))
    if seen.refusal is not None:
        yield Departure("envelope", seen.refusal.text, finding=seen.refusal)


class _Versions:
    """Whether GS08 is the version agreed for the sets of its group. An acknowledgment follows what it answers: one
    whose own version isn't agreed may have any that is agreed for something."""

    def __init__(self, agreement: Agreement) -> None:
        self._agreement = agreement
        self._found = ""
        self._told: set[str] = set()

    def of_group(self, seen: GroupSeen) -> None:
        self._found = seen.element(8)
        self._told.clear()

    def of_set(self, name: str) -> Iterator[Departure]:
        """Once for each set of a group."""
        if name in self._told:
            return
        self._told.add(name)
        if self._agreement.read_version(name, "") != "":
            return
        one = self._agreement.version_of(name)
        follows = name in ACKNOWLEDGMENTS and name not in self._agreement.versions
        agreed = self._agreement.all_versions if follows else (one,) if one is not None else ()
        if agreed and not any(_is_version(self._found, each) for each in agreed):
            text = f"GS08 is {self._found!r}, and {' or '.join(agreed)} is agreed for the {name}"
            yield Departure("version", text, set=name, finding=_gs(8))


def _is_version(found: str, agreed: str) -> bool:
    """A release alone leaves the suffix open."""
    return found == agreed or (len(agreed) == 6 and found[:6] == agreed)


def _gs(element: int) -> SegmentFinding:
    return SegmentFinding("", "GS", 0, "", element)


def _of_transaction(seen: TransactionSeen, agreement: Agreement) -> Iterator[Departure]:
    read, data, marks = seen.read, seen.event.data, seen.delimiters
    name, number = read.set, read.control_number
    unagreed = bool(agreement.receive) and name not in agreement.receive
    for finding in seen.findings:
        kind: Kind = "content" if read.document is None else "accepted"
        kind = "set" if unagreed and finding.segment == "ST" else kind
        yield Departure(kind, finding.text, set=name, control_number=number, finding=finding)
    if (
        "charset" in agreement.stated
        and agreement.charset == "utf-8"
        and charset_of(data, marks) in ("latin-1", "windows-1252")
    ):
        yield Departure("charset", "the bytes aren't UTF-8, as is agreed", set=name, control_number=number)
    newline, wanted = newline_of(data, marks), agreement.separators.newline
    if "delimiters.newline" in agreement.stated and newline != wanted:
        text = f"segments are followed by {NEWLINES[newline]}, and {NEWLINES[wanted]} is agreed (newline)"
        yield Departure("delimiters", text)
    agreed = agreement.totals != "warn"
    for wrong in read.contradictions if agreed else ():
        place = SegmentFinding("", wrong.segment, wrong.position, wrong.text, wrong.element or None, value=wrong.stated)
        yield Departure("totals", wrong.text, set=name, control_number=number, finding=place)
    told = {wrong.text for wrong in read.contradictions} if agreed else set()
    for warning in read.warnings:
        if warning not in told and not any(f.text in warning for f in seen.findings):
            yield Departure("content", warning, set=name, control_number=number, note=True)
