"""What is wrong with the X12 terms of an agreement: sets and versions that nobody knows, overlays that don't fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from hub.core.agreement import ALL_SETS, Agreement, OverlayRule
from hub.core.options.nearest import hint
from hub.core.plugin import Problem
from hub.documents import DOCUMENTS
from transformers.x12.compiled.compiled import compiled_set
from transformers.x12.declarations.catalogue import NEWEST, RELEASES, known_sets, release_of, set_declaration
from transformers.x12.declarations.overlay import WrongRule, overlaid
from transformers.x12.terms.overlay_check import RuleContradiction, contradictions

STATED = ("004010", "005010")
"""Releases in which an overlay is looked at where the agreement names no version: it should fit one of them."""

ACKNOWLEDGMENTS = ("997", "999")
"""They follow the version of what they answer."""


def agreement_problems(agreement: Agreement) -> Iterator[Problem]:
    """Everything, in the order of the file. The same for the same agreement."""
    yield from _version(agreement)
    yield from _versions(agreement)
    yield from _read_as(agreement)
    yield from _sets("receive", agreement.receive)
    yield from _sets("send", agreement.send)
    yield from _acknowledgments(agreement)
    yield from _totals(agreement)
    for name, rules in agreement.overlays.items():
        yield from _overlay(agreement, name, rules)


def _version(agreement: Agreement) -> Iterator[Problem]:
    if agreement.version is not None and not release_of(agreement.version)[1]:
        text = f"version: there is no release {agreement.version[:6]} that we know"
        yield Problem(("x12", "version"), text, hint(agreement.version[:6], RELEASES))


def _versions(agreement: Agreement) -> Iterator[Problem]:
    agreed = sorted({*agreement.receive, *agreement.send})
    for name, version in agreement.versions.items():
        path = ("x12", "versions", name)
        if name not in known_sets():
            text = f"versions: there is no transaction set {name!r} that we know"
            yield Problem(path, text, hint(name, known_sets()))
        elif agreement.receive and agreement.send and name not in agreed:
            yield Problem(path, f"versions: {name} is neither in `receive` nor in `send`", hint(name, agreed))
        if not release_of(version)[1]:
            text = f"versions: {name}: there is no release {version[:6]} that we know"
            yield Problem(path, text, hint(version[:6], RELEASES))


def _read_as(agreement: Agreement) -> Iterator[Problem]:
    for name, version in agreement.read_as.items():
        path: tuple[str | int, ...] = ("x12", "read_as") if name == ALL_SETS else ("x12", "read_as", name)
        own = "" if name == ALL_SETS else f"{name}: "
        if name != ALL_SETS and name not in known_sets():
            text = f"read_as: there is no transaction set {name!r} that we know"
            yield Problem(path, text, hint(name, known_sets()))
        elif name != ALL_SETS and agreement.receive and name not in agreement.receive:
            yield Problem(path, f"read_as: {name} isn't in `receive`", hint(name, agreement.receive))
        if not release_of(version)[1]:
            text = f"read_as: {own}there is no release {version[:6]} that we know"
            yield Problem(path, text, hint(version[:6], RELEASES))


def _sets(key: str, names: Iterable[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for position, name in enumerate(names):
        path = ("x12", key, position)
        if name not in known_sets():
            yield Problem(path, f"{key}: there is no transaction set {name!r} that we know", hint(name, known_sets()))
        elif name in seen:
            yield Problem(path, f"{key}: {name} stands twice")
        elif _document(name) not in DOCUMENTS:
            yield Problem(path, f"{key}: no document becomes a {name}")
        seen.add(name)
    for position, name in enumerate(names):
        others = [other for other in seen if other != name and _document(other) == _document(name)]
        if key == "send" and others and name == max((name, *others)) and _document(name) != _document("997"):
            text = f"send: {name} and {others[0]} both carry the document {_document(name)}; the first one is sent"
            yield Problem(("x12", key, position), text, warning=True)


@lru_cache(maxsize=64)
def _document(name: str) -> str:
    return set_declaration(name, NEWEST).document if name in known_sets() else ""


def _acknowledgments(agreement: Agreement) -> Iterator[Problem]:
    expected, receive = agreement.expect_ack, agreement.receive
    if expected is not None and receive and not set(ACKNOWLEDGMENTS) & set(receive):
        text = (
            "expect_ack: neither 997 nor 999 is in `receive`, so that every acknowledgment of theirs would be refused"
        )
        yield Problem(("x12", "expect_ack"), text, 'add "997" to receive')
    terms, versions = agreement.acknowledge, agreement.all_versions
    if terms is not None and terms.with_set == "999" and versions and max(versions) < "005010":
        text = f"acknowledge: the 999 exists from 005010 on, and the version is {max(versions)}"
        yield Problem(("x12", "acknowledge", "with"), text, 'write with: "997"')


def _totals(agreement: Agreement) -> Iterator[Problem]:
    if agreement.advises and agreement.acknowledge is None:
        text = "totals: an 824 goes to them as acknowledgments do, and the agreement has none"
        yield Problem(("x12", "totals"), text, 'write acknowledge: {with: "997"}, or take "824" out of send')


def _overlay(agreement: Agreement, name: str, rules: tuple[OverlayRule, ...]) -> Iterator[Problem]:
    path = ("x12", "overlays", name)
    if name not in known_sets():
        yield Problem(path, f"overlays: there is no transaction set {name!r} that we know", hint(name, known_sets()))
        return
    agreed = {*agreement.receive, *agreement.send}
    if agreement.receive and agreement.send and name not in agreed:
        yield Problem(path, f"overlays: {name} is neither in `receive` nor in `send`", warning=True)
    for problem in _wrong(agreement, name, rules):
        text = f"overlays: {name}: {problem.text}"
        yield Problem((*path, problem.rule), text, problem.hint, problem.warning)


def _wrong(agreement: Agreement, name: str, rules: tuple[OverlayRule, ...]) -> list[RuleContradiction]:
    """What is wrong with the rules: in the agreed release, or in the first in which they fit where none is agreed; else
    in the release by which what they send is read."""
    version, read = agreement.version_of(name), agreement.read_version(name, "")
    releases = (release_of(version)[0],) if version else () if read else STATED
    found = [_in_release(name, release, rules) for release in releases]
    best = [min(found, key=_broken)] if found else []
    best += [_in_release(name, release_of(read)[0], rules)] if read else []
    return max(best, key=_broken)


def _broken(found: list[RuleContradiction]) -> bool:
    return any(not one.warning for one in found)


def _in_release(name: str, release: str, rules: tuple[OverlayRule, ...]) -> list[RuleContradiction]:
    standard = set_declaration(name, release)
    try:
        overlaid(standard, rules)
        found = list(contradictions(standard, rules))
        if all(one.warning for one in found):
            compiled_set(name, release, rules)
    except WrongRule as error:
        return [RuleContradiction(*_blamed(name, release, rules, error))]
    return found


def _blamed(name: str, release: str, rules: tuple[OverlayRule, ...], error: WrongRule) -> tuple[int, str]:
    """The first rule with which the set can't be read any more."""
    for number in range(error.rule):
        try:
            compiled_set(name, release, rules[: number + 1])
        except WrongRule as earlier:
            return earlier.rule, str(earlier)
    return error.rule, str(error)
