"""The model of config/partners/*.yaml: a partner, and the X12 terms between us."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from hub.configuration.files.models import Name, YamlModel
from hub.core.agreement import AcknowledgmentSet, Charset, ErrorPolicy, InterchangeAckPolicy
from hub.core.options.duration import Duration, seconds
from hub.core.options.form import Form

NAMED_CHARACTERS = {"\\n": "\n", "\\r": "\r", "\\t": "\t"}
HEXADECIMAL = re.compile(r"(?:0x|\\x)([0-9A-Fa-f]{2})")

VERSION = r"^[0-9]{6}[A-Z0-9]{0,6}$"
SET = r"^[0-9]{3}$"
SetName = Annotated[str, Form(SET, 'the number of a transaction set: three digits in quotes, as in "850"')]
Release = Annotated[
    str, Form(VERSION, 'a release as GS08 has it: six digits, perhaps with a suffix, as in "004010" or "004010VICS"')
]
SEGMENT = "[A-Z][A-Z0-9]{1,2}"
PLACE = re.compile(rf"(?:{SEGMENT}/)*{SEGMENT}(?:[0-9]{{2}})?")
ELEMENT = re.compile(rf"(?:{SEGMENT}/)*{SEGMENT}[0-9]{{2}}")


def character(text: str) -> str:
    """One character: itself, or as `\\n`, `\\x1c`, `0x1c`."""
    if found := HEXADECIMAL.fullmatch(text):
        text = chr(int(found[1], 16))
    text = NAMED_CHARACTERS.get(text, text)
    if len(text) != 1:
        raise ValueError(f"{text!r} should be one character, or its code as in 0x1c")
    if not text.isascii() or text.isalnum() or text in " .-\0":
        raise ValueError(f"{text!r} can't separate: no letter, digit, blank, point, hyphen, and nothing beyond ASCII")
    return text


Character = Annotated[str, AfterValidator(character)]


def positive(text: str) -> str:
    if seconds(text) <= 0:
        raise ValueError("should be longer than 0s")
    return text


Period = Annotated[Duration, AfterValidator(positive)]


class X12Id(YamlModel):
    qualifier: str = Field(min_length=2, max_length=2, description="ISA05 or ISA07.")
    id: str = Field(min_length=1, max_length=15, description="ISA06 or ISA08, without padding.")

    @field_validator("id")
    @classmethod
    def unpadded(cls, value: str) -> str:
        if value != value.strip():
            raise ValueError("should stand without padding")
        return value


class PartnerId(X12Id):
    test: bool | None = Field(
        None, description="true: for test traffic only (ISA15 T); false: for production only; without it for both."
    )


class GroupCodes(YamlModel):
    """The application codes of the group header; without them GS has the ids of the interchange."""

    we: str | None = Field(None, min_length=2, max_length=15, description="We, in GS02 of what we send.")
    they: str | None = Field(None, min_length=2, max_length=15, description="They, in GS02 of what they send.")


class AcknowledgeTerms(YamlModel):
    """How we acknowledge what they send; a route `acknowledge-<partner>` is made of it."""

    with_set: AcknowledgmentSet = Field("997", alias="with", description="The set: 997 or 999.")
    within: Period | None = Field(None, description="What we promise them; for people.")
    errors: ErrorPolicy = Field(
        "reject",
        description=(
            "A transaction that breaks its declaration and can be understood all the same: reject it, or accept it"
            " (with errors, AK501 E)."
        ),
    )
    ta1: InterchangeAckPolicy = Field(
        "asked",
        description="A TA1 answers an interchange: when ISA14 asks for it or the envelope fails, always, or never.",
    )
    through: Name | None = Field(
        None,
        description="The destination that takes acknowledgments; without it the only one that writes X12 for them.",
    )
    repeat: bool = Field(
        False,
        description=(
            "A partner who sends the same file again gets the same acknowledgment again under a new control number, at"
            " most three times a day. For file, sftp and sftp_server sources."
        ),
    )


class ExpectAckTerms(YamlModel):
    """What we expect for what we send."""

    within: Period = Field(description="An acknowledgment within this time; a later or a rejecting one becomes a hold.")
    owner: str | None = Field(None, min_length=1, description="Whose hold; without it the agreement's owner.")


class BatchTerms(YamlModel):
    """When what waits goes together."""

    max: int = Field(ge=1, le=9999, description="At most so many documents in one interchange.")
    wait: Period = Field(description="A document waits at most so long for others.")


class DelimitersEntry(YamlModel):
    """What separates. One character each, as it is or as \\n or 0x1c."""

    element: Character = Field("*", description="Between elements.")
    component: Character = Field(">", description="Between components of an element (ISA16).")
    repetition: Character = Field("^", description="Between repetitions of an element (ISA11, from 004020 on).")
    terminator: Character = Field("~", description="Behind each segment.")
    newline: Literal["none", "lf", "crlf"] = Field("none", description="What follows the terminator.")

    @model_validator(mode="after")
    def different(self) -> DelimitersEntry:
        names: dict[str, str] = {}
        for name in ("element", "component", "repetition", "terminator"):
            value = getattr(self, name)
            if value in names:
                raise ValueError(f"{names[value]} and {name} are both {value!r}; all four should differ")
            names[value] = name
            if value in "\r\n" and name != "terminator":
                raise ValueError(f"{name} can't be the line end {value!r}")
        if self.terminator in "\r\n" and self.newline != "none":
            raise ValueError("the terminator is a line end already; write newline: none")
        return self


class Duplicates(YamlModel):
    """What comes twice."""

    days: int = Field(
        ge=1, le=3650, description="An interchange control number of theirs may not come again for so long."
    )


class HoldTotals(YamlModel):
    """What waits for a person because its totals are wrong."""

    hold: Name = Field(
        description="The hold of config/policies.yaml that is opened at each destination, before anything is sent."
    )


class RuleEntry(YamlModel):
    """One departure from the standard."""

    at: str = Field(
        description=(
            "The place: loops from the outside in, the segment, the element: BEG/BEG02, PO1, PO1/PID/PID05, N1/N4."
        )
    )
    use: Literal["M", "O", "X"] | None = Field(None, description="Mandatory, optional, or not used.")
    max: int | None = Field(None, ge=1, le=999_999, description="How often the segment or loop may stand there.")
    min_length: int | None = Field(None, ge=0, le=99_999, description="The least length of the element.")
    max_length: int | None = Field(None, ge=1, le=99_999, description="The greatest length of the element.")
    codes: tuple[str, ...] | None = Field(None, min_length=1, description="The only codes of the element.")
    add: tuple[str, ...] = Field((), description="Codes that the element has beside those of the standard.")
    remove: tuple[str, ...] = Field((), description="Codes of the standard that the element doesn't have.")
    qualifiers: tuple[str, ...] | None = Field(
        None, min_length=1, description="The only codes of the first element of the segment."
    )
    default: str | None = Field(None, min_length=1, description="Written where a document has no value.")
    segment: (
        Annotated[str, Form(SEGMENT, "the name of a segment: two or three letters and digits, as in REF")] | None
    ) = Field(
        None,
        description="A segment that the set doesn't have, and that may stand behind this place.",
    )

    @model_validator(mode="after")
    def fits_together(self) -> RuleEntry:
        if not PLACE.fullmatch(self.at):
            raise ValueError(f"at: {self.at!r} should name a place, as BEG/BEG02, PO1, PO1/PID/PID05 or N1/N4 do")
        element = ELEMENT.fullmatch(self.at) is not None
        given = [name for name in RULE_KEYS if getattr(self, name) not in (None, ())]
        if not given:
            raise ValueError(f"the rule for {self.at} changes nothing; it takes {', '.join(RULE_KEYS)}")
        for name in given:
            if name in ELEMENT_KEYS and not element:
                raise ValueError(f"{name} is for an element, and {self.at} is a segment or loop")
            if name in SEGMENT_KEYS and element:
                raise ValueError(f"{name} is for a segment or loop, and {self.at} is an element")
        if self.use == "X" and given != ["use"]:
            raise ValueError(f"{self.at} is not used (X), so that {given[-1]} says nothing")
        if self.codes and (self.add or self.remove):
            raise ValueError("codes is the whole list; add and remove change the standard's")
        if both := sorted(set(self.add) & set(self.remove)):
            raise ValueError(f"the code {both[0]!r} is both added and removed")
        if self.default is not None and self.default in self.remove:
            raise ValueError(f"the default {self.default!r} is removed from the codes")
        if self.min_length is not None and self.max_length is not None and self.min_length > self.max_length:
            raise ValueError(f"min_length {self.min_length} is above max_length {self.max_length}")
        if self.default is not None and self.codes and self.default not in self.codes:
            raise ValueError(f"the default {self.default!r} isn't among the codes")
        return self


ELEMENT_KEYS = ("min_length", "max_length", "codes", "add", "remove", "default")
SEGMENT_KEYS = ("max", "qualifiers", "segment")
RULE_KEYS = ("use", *SEGMENT_KEYS, *ELEMENT_KEYS)


class X12Terms(YamlModel):
    """The X12 terms."""

    version: Release | None = Field(
        None,
        description="Of GS08: a release, perhaps with a suffix: 004010, 004010VICS.",
    )
    versions: dict[SetName, Release] = Field(
        default_factory=dict,
        description=(
            'By set, where it isn\'t `version`, in both directions: {"856": "005010"}. What we acknowledge with follows'
            " the group that it answers."
        ),
    )
    read_as: Release | dict[SetName, Release] | None = Field(
        None,
        description=(
            "The release by which they write, where GS08 of what they send says another one: of all sets, or by set:"
            ' {"856": "004010"}. Acknowledgments still follow their GS08, and what we send has `version`.'
        ),
    )
    receive: tuple[SetName, ...] = Field((), description="Transaction sets that we take; without it all that we know.")
    send: tuple[SetName, ...] = Field(
        (), description="Transaction sets that we send; without it what a document needs."
    )
    acknowledge: AcknowledgeTerms | None = Field(None, description="How we acknowledge what they send.")
    expect_ack: Period | ExpectAckTerms | None = Field(
        None, description="That they acknowledge what we send: within this time, or {within, owner}."
    )
    ask_ta1: bool = Field(False, description="Ask for a TA1 in what we send (ISA14).")
    delimiters: DelimitersEntry = Field(DelimitersEntry(), description="What separates in what we send.")
    charset: Charset = Field(
        "extended",
        description=(
            "Of the values: X12's basic set, everything (extended: UTF-8, else 8-bit text), utf-8, latin-1, or"
            " windows-1252."
        ),
    )
    duplicates: Duplicates | None = Field(None, description="What becomes of an interchange that comes again.")
    batch: BatchTerms | None = Field(
        None,
        description="Documents of one kind go together in one interchange; without it each goes in one of its own.",
    )
    test: bool = Field(False, description="All that we send is test traffic (ISA15 T).")
    totals: Literal["warn", "refuse"] | HoldTotals = Field(
        "warn",
        description=(
            "Documents whose totals contradict their lines (CTT, AMT with TT, TDS, ...), from them and to them: take"
            ' them with a warning, refuse them (and answer with an 824, where "824" is in `send`), or hold them: {hold:'
            " NAME}."
        ),
    )
    overlays: dict[SetName, tuple[RuleEntry, ...]] = Field(
        default_factory=dict, description="By set, where they depart from the standard, in this order."
    )


class PartnerFile(YamlModel):
    """config/partners/*.yaml: a partner, and the X12 terms between us."""

    partner: Name = Field(description="The partner's name in routes and facts.")
    ids: tuple[PartnerId, ...] = Field((), description="The interchange ids that the partner uses.")
    we: X12Id | None = Field(None, description="The interchange id that we use with the partner.")
    group: GroupCodes = Field(GroupCodes(), description="The application codes of GS02 and GS03.")
    owner: str | None = Field(
        None, min_length=1, description="Who answers for this partner: holds and alarms go there."
    )
    x12: X12Terms = Field(X12Terms(), description="X12 terms.")
