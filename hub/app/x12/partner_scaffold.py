"""A partner's file, drafted from what a sample of theirs shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hub.app.x12.partner_sample import NEWLINES, plain, sentences
from hub.configuration.files.models import NAME
from hub.configuration.files.partner_file import character
from hub.core.agreement import InterchangeId, OverlayRule, Separators
from transformers.x12.declarations.catalogue import known_sets, release_of, set_declaration
from transformers.x12.declarations.overlay import WrongRule, overlaid
from transformers.x12.envelope.delimiters import Delimiters
from transformers.x12.terms.agreement_check import ACKNOWLEDGMENTS
from transformers.x12.terms.observation import Observation

HEAD = "# yaml-language-server: $schema=../schemas/partner.schema.json\n"
VERSION = re.compile(r"[0-9]{6}[A-Z0-9]{0,6}")
FREE = "^!|%&\x1f"
"""What may separate repetitions where they show no separator of their own."""

SENT_BACK = {
    **{"850": ("855", "856", "810"), "860": ("865",), "855": ("850", "860"), "940": ("945",), "832": ("850",)},
    **{"875": ("880",), "943": ("944",), "204": ("990", "214", "210"), "830": ("856",), "862": ("856",)},
}
"""What usually goes the other way, by what they send."""


@dataclass(frozen=True, slots=True)
class PartnerScaffold:
    """A file of config/partners: its path in the site, its text, and what it was made from, in sentences."""

    partner: str
    file: str
    text: str
    seen: tuple[str, ...]


def scaffold(observation: Observation, sample: str, name: str | None = None) -> PartnerScaffold:
    """`sample` is the name of the file they sent; `name` what the partner shall be called."""
    partner = name or name_for(observation)
    text = HEAD + "".join(f"{line}\n" for line in _lines(observation, sample, partner))
    return PartnerScaffold(partner, f"config/partners/{partner.lower()}.yaml", text, tuple(sentences(observation)))


def name_for(observation: Observation) -> str:
    """The id they go by, in letters: that of their group header where the interchange has a number only."""
    groups = [they for they, _ in observation.groups]
    for text in (observation.sender.id, *groups):
        if text.isascii() and any(c.isalpha() for c in text):
            return _as_name(text)
    return _as_name(f"P{observation.sender.id}")


def _as_name(text: str) -> str:
    kept = re.sub(r"[^A-Z0-9_-]+", "-", text.upper()).strip("-_")[:40]
    return kept if re.fullmatch(NAME, kept) else "PARTNER"


def _lines(seen: Observation, sample: str, partner: str) -> Iterator[str]:
    yield f"# Drafted from {plain(sample)}. What stands behind # is a suggestion."
    yield ""
    yield f"partner: {partner}"
    yield f"ids: [{_id(seen.sender)}]"
    yield from _we(seen)
    yield from _group(seen)
    yield "# owner: edi-desk                  # whose holds and alarms are theirs"
    terms = [*_version(seen), *_sets(seen), *_suggestions(seen, partner), *_delimiters(seen), *_rest(seen)]
    yield "x12:" if any(not line.startswith("  #") for line in terms) else "x12: {}"
    yield from terms


def _suggestions(seen: Observation, partner: str) -> Iterator[str]:
    back = [name for sent in sorted(seen.sets) for name in SENT_BACK.get(sent, ())]
    if back:
        yield f"  # send: [{', '.join(map(quoted, dict.fromkeys(back)))}]"
    yield f'  # acknowledge: {{with: "997", within: 24h}}     # needs a destination with write: {{x12: {partner}}}'
    yield '  # expect_ack: 24h                # what we send is to be acknowledged; "997" must be in receive'
    yield "  # duplicates: {days: 30}         # an ISA13 may not come again for so long"
    if seen.asks_ta1:
        yield "  # they ask for a TA1 (ISA14): acknowledge answers it"


def _rest(seen: Observation) -> Iterator[str]:
    if seen.charset not in ("basic", "extended"):
        yield f"  charset: {seen.charset}"
    if seen.test == {True}:
        yield "  test: true                       # their sample is test traffic; away with it for production"
    yield from _overlays(seen)


def _id(one: InterchangeId) -> str:
    return f"{{qualifier: {quoted(one.qualifier)}, id: {quoted(one.id)}}}"


def _we(seen: Observation) -> Iterator[str]:
    first, *others = [receiver for receiver, _ in seen.receivers.most_common()]
    yield f"we: {_id(first)}"
    for other in others:
        yield f"# the file is also addressed to {plain(other.qualifier)}/{plain(other.id)}"


def _group(seen: Observation) -> Iterator[str]:
    """GS02 and GS03, where they aren't the ids of the interchange."""
    receiver = seen.receivers.most_common(1)[0][0]
    if len(seen.groups) != 1:
        return
    ((they, we),) = seen.groups
    parts = [
        f"{key}: {quoted(code)}"
        for key, code, id in (("we", we, receiver.id), ("they", they, seen.sender.id))
        if code != id and 2 <= len(code) <= 15
    ]
    if parts:
        yield f"group: {{{', '.join(parts)}}}"


def _version(seen: Observation) -> Iterator[str]:
    """The version of most, and by set where it is another one; only a suggestion where a set has several."""
    found = {name: list(by) for name, by in seen.set_versions.items() if name in known_sets()}
    versions = [version for version, _ in seen.versions.most_common()]
    if not versions:
        return
    most, steady = versions[0], all(len(by) == 1 for by in found.values()) and (found or len(versions) == 1)
    if not steady or not all(map(_is_known, [most, *(by[0] for by in found.values())])):
        yield f"  # version: {', '.join(plain(version) for version in versions)}: not one version that we know"
        return
    yield f"  version: {quoted(most)}"
    used = {by[0] for name, by in found.items() if name not in ACKNOWLEDGMENTS} | {most}
    own = {
        n: by[0] for n, by in sorted(found.items()) if by[0] != most and not (n in ACKNOWLEDGMENTS and by[0] in used)
    }
    if own:
        yield f"  versions: {{{', '.join(f'{quoted(name)}: {quoted(version)}' for name, version in own.items())}}}"


def _is_known(version: str) -> bool:
    return VERSION.fullmatch(version) is not None and release_of(version)[1]


def _sets(seen: Observation) -> Iterator[str]:
    known = [name for name in seen.sets if name in known_sets()]
    if known:
        yield f"  receive: [{', '.join(map(quoted, sorted(known)))}]"
    for name in sorted(set(seen.sets) - set(known)):
        yield f"  # they also sent {plain(name) or 'a transaction without a set'}, of which there is no declaration"


def _delimiters(seen: Observation) -> Iterator[str]:
    if not seen.delimiters:
        yield (
            "  # delimiters: ISA16 is missing in their file, so that nobody can tell what separates; ask them, and add"
            " them here"
        )
        return
    marks, newline = seen.delimiters.most_common(1)[0][0], _newline(seen)
    parts = _separators(marks)
    if len(seen.delimiters) > 1:
        yield "  # they use several sets of delimiters; these are the most frequent ones"
    if parts is None:
        theirs = ", ".join(
            f"{name} {mark.decode('latin-1')!r}"
            for name, mark in (
                ("element", marks.element),
                ("component", marks.component),
                ("repetition", marks.repetition),
                ("terminator", marks.terminator),
            )
        )
        yield (
            f"  # delimiters: theirs are {plain(theirs)}; one of them stands in ordinary values, so we send with"
            " our own"
        )
        return
    shown = [f"{name}: {quoted(value)}" for name, value in parts.items()]
    steady = len(seen.delimiters) == 1 and len(seen.newlines) == 1
    shown += [f"newline: {NEWLINES[newline]}"] if steady else []
    yield f"  {'' if len(seen.delimiters) == 1 else '# '}delimiters: {{{', '.join(shown)}}}"


def _newline(seen: Observation) -> str:
    return seen.newlines.most_common(1)[0][0] if seen.newlines else ""


def _separators(marks: Delimiters) -> dict[str, str] | None:
    """The separators by name; None where an agreement can't have them."""
    parts = {
        name: getattr(marks, name).decode("latin-1") for name in ("element", "component", "repetition", "terminator")
    }
    if not parts["repetition"]:
        taken = set(parts.values())
        parts["repetition"] = next(c for c in FREE if c not in taken)
        if parts["repetition"] == Separators().repetition:
            del parts["repetition"]
    try:
        sound = [character(value) for value in parts.values()]
    except ValueError:
        return None
    ends = any(value in "\r\n" for name, value in parts.items() if name != "terminator")
    return None if ends or len(set(sound)) < len(sound) else parts


def _overlays(seen: Observation) -> Iterator[str]:
    """Codes that aren't in our lists: added by set and place, where the overlay can."""
    sets = dict.fromkeys(name for name, _ in seen.codes)
    if sets:
        yield "  overlays:                        # codes that aren't in our lists; see whether their guide has them"
    for name in sets:
        release = release_of(next(iter(seen.set_versions.get(name, ())), ""))[0]
        rules = [(place, tuple(codes)) for (set_, place), codes in seen.codes.items() if set_ == name]
        fitting = [(place, codes) for place, codes in rules if _fits(name, release, place, codes)]
        yield f'    "{name}":{"" if fitting else " []"}'
        for place, codes in fitting:
            yield f"      - {{at: {place}, add: [{', '.join(map(quoted, codes))}]}}"


def _fits(name: str, release: str, place: str, codes: tuple[str, ...]) -> bool:
    try:
        overlaid(set_declaration(name, release), (OverlayRule(place, add=codes),))
    except WrongRule:
        return False
    return True


def quoted(text: str) -> str:
    """A text of theirs in YAML, whatever it holds."""
    return '"' + "".join(map(_escaped, text)).replace("${", "$${") + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isascii() and character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
