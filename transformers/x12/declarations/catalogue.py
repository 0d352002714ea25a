"""The YAML files of this package, loaded and checked: the transaction sets that there are.

`set_declaration("850", "004010")` is one transaction set in one release.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from transformers.x12.declarations.declaration import (
    CENTURY,
    DATE,
    MANY,
    Century,
    Element,
    ElementUse,
    Loop,
    Pairs,
    Period,
    Placement,
    Rule,
    Segment,
    SegmentUse,
    SetDeclaration,
    SubPart,
    Target,
    Tree,
)

RELEASES = (
    *("003040", "003050", "003060", "003070", "004010", "004020", "004030", "004040", "004041", "004042"),
    *("004050", "004051", "004052", "004060", "005010"),
)
"""The releases that are read as what they say they are; 004010 and 005010 are those that the declarations state."""

NEWEST = RELEASES[-1]

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader, in C where libyaml is there."""


def known_sets() -> tuple[str, ...]:
    """The transaction sets that have a declaration."""
    folder = resources.files("transformers.x12").joinpath("sets")
    return tuple(sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml")))


def known_segments() -> frozenset[str]:
    """The ids of all segments in the directory."""
    return frozenset(_files()[1]["segments"])


def release_of(version: str) -> tuple[str, bool]:
    """The release that serves a version (GS08), and whether that is exactly the one it names; else it is the newest
    before it, and 004010 for what names no release. A version may lack zeros before or behind it (4010, or 00401 as in
    ISA12)."""
    named = version[:6]
    if named in RELEASES:
        return named, True
    digits = named[: len(named) - len(named.lstrip("0123456789"))]
    significant = digits.lstrip("0")
    if len(digits) < len(RELEASES[0]):
        named = significant.ljust(4, "0").zfill(6) if len(significant) in (3, 4) else "004010"
    return max((r for r in RELEASES if r <= named), default=RELEASES[0]), False


@lru_cache(maxsize=64)
def set_declaration(name: str, release: str) -> SetDeclaration:
    """The declaration of a set. Raises KeyError when there is none; ValueError, with the place, when it is wrong."""
    if name not in known_sets():
        raise KeyError(name)
    return declaration_of(_text(f"sets/{name}.yaml"), release)


def declaration_of(text: str, release: str) -> SetDeclaration:
    """The text of a declaration, in one release. Raises ValueError, with the place, when it is wrong."""
    data = yaml.load(text, LOADER)  # noqa: S506 - a safe one
    return SetDeclaration(
        set=data["set"],
        release=release,
        name=data["name"],
        group=data["group"],
        document=data["document"],
        source=_source(text),
        structure=_DeclarationBuilder(release).structure(data["structure"], data["set"]),
    )


def _text(name: str) -> str:
    return resources.files("transformers.x12").joinpath(name).read_text("utf-8")


def _source(text: str) -> str:
    """The `source:` comment at the head of a file."""
    found = re.search(r"^# source: ((?:.*\n)(?:#  ?.*\n)*)", text, re.M)
    return re.sub(r"\n#\s*", " ", found[1]).strip() if found else ""


@lru_cache(maxsize=1)
def _files() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]:
    load = [yaml.load(_text(f"{n}.yaml"), LOADER) for n in ("elements", "segments", "codes", "mapping")]  # noqa: S506
    return load[0], load[1], load[2], load[3]


_ENTRY = frozenset(
    [
        "segment",
        "loop",
        "use",
        "max",
        "to",
        "put",
        "pairs",
        "drop",
        "parts",
        "counts",
        "sums",
        "prefer",
        "structure",
        "group",
        "when",
        "tree",
        "since",
        "before",
    ]
)


class _DeclarationBuilder:
    """Resolves the names that the files use, in one release."""

    def __init__(self, release: str) -> None:
        self._release = release
        elements, segments, self._codes, self._mapping = _files()
        self._elements = elements["elements"]
        self._composites = elements.get("composites", {})
        self._segments = segments["segments"]
        self._made: dict[str, Segment] = {}

    def structure(self, entries: list[dict[str, Any]], path: str) -> tuple[SegmentUse | Loop, ...]:
        return tuple(self._entry(entry, path) for entry in entries if self._there(entry))

    def _entry(self, entry: dict[str, Any], path: str) -> SegmentUse | Loop:
        if unknown := set(entry) - _ENTRY:
            raise ValueError(f"{path}: unknown key {sorted(unknown)[0]!r}")
        return self._loop(entry, path) if "loop" in entry else self._use(entry, path)

    def _there(self, entry: dict[str, Any]) -> bool:
        return str(entry.get("since", "")) <= self._release < str(entry.get("before", "999999"))

    def _loop(self, entry: dict[str, Any], path: str) -> Loop:
        name = entry["loop"]
        structure = self.structure(entry["structure"], f"{path}/{name}")
        first = structure[0]
        if not isinstance(first, SegmentUse) or first.segment.id != name or first.max != 1:
            raise ValueError(f"{path}/{name}: a loop begins with its own segment, once")
        if entry.get("to") and first.mapping is None:
            first = SegmentUse(first.segment, first.mandatory, 1, None, self._mapped(name, {}, path))
            structure = (first, *structure[1:])
        if problem := _tree_problem(entry, first):
            raise ValueError(f"{path}/{name}: {problem}")
        when = next(iter(entry.get("when", {}).items()), None)
        tree = entry.get("tree")
        return Loop(
            id=name,
            mandatory=entry.get("use") == "M",
            max=_max(entry),
            structure=structure,
            to=entry.get("to"),
            group=entry.get("group"),
            when=(when[0], frozenset([when[1]] if isinstance(when[1], str) else when[1])) if when else None,
            tree=Tree(**tree) if tree else None,
        )

    def _use(self, entry: dict[str, Any], path: str) -> SegmentUse:
        name = entry["segment"]
        mapped = "to" in entry or "put" in entry or "pairs" in entry
        mapping = self._mapped(name, entry, path) if mapped else None
        prefer = {position: tuple(codes) for position, codes in entry.get("prefer", {}).items()}
        return SegmentUse(
            self._segment(name),
            entry.get("use") == "M",
            _max(entry),
            entry.get("to"),
            mapping,
            entry.get("counts", {}),
            entry.get("sums", {}),
            prefer,
        )

    def _mapped(self, name: str, entry: dict[str, Any], path: str) -> Placement:
        data = entry if "put" in entry or "pairs" in entry else self._mapping.get(name)
        if data is None:
            raise ValueError(f"{path}/{name}: mapping.yaml has no entry for {name}")
        data = self._of_release(data)
        put = data.get("put", {k: v for k, v in data.items() if isinstance(k, int) or "." in k})
        pairs = data.get("pairs")
        return Placement(
            put={k: self._target(v) for k, v in put.items() if isinstance(k, int)},
            components={_component(k): self._target(v) for k, v in put.items() if isinstance(k, str)},
            pairs=Pairs(pairs[0], pairs[1], self._target(pairs[2])) if pairs else None,
            parts=tuple(
                SubPart(part["to"], {k: self._target(v) for k, v in part["put"].items()})
                for part in data.get("parts", ())
            ),
            drop=frozenset(data.get("drop", ())),
            period=_period(data["period"], put) if "period" in data else None,
        )

    def _target(self, text: str) -> Target:
        name, _, words = (part.strip() for part in text.partition("|"))
        how = "append" if name.endswith("[]") else "join" if name.endswith("+") else "set"
        return Target(name.removesuffix("[]").removesuffix("+"), how, self._codes["words"][words] if words else {})

    def _of_release(self, data: dict[str, Any]) -> dict[str, Any]:
        """What an entry says in this release: the newest of its `releases` that isn't after it."""
        for release, other in data.get("releases", {}).items():
            if self._release >= release:
                data = other
        return data

    def _segment(self, name: str) -> Segment:
        if name not in self._made:
            self._made[name] = self._make_segment(name, self._segments[name])
        return self._made[name]

    def _make_segment(self, name: str, data: dict[str, Any]) -> Segment:
        if data.get("open"):
            return Segment(name, data["name"], open=True)
        data = {"name": data["name"], **self._of_release(data)}
        uses = [self._element_use(text) for text in data["elements"]]
        rules = [_rule(text) for text in data.get("rules", ())]
        if "repeat" in data:
            first, count = data["repeat"]
            pair = [ElementUse(u.element) for u in uses[-2:]]
            mandatory = uses[-1].mandatory
            uses += pair * (count - 1)
            start = first + 2 if mandatory else first
            rules += [Rule("P", (p, p + 1)) for p in range(start, first + 2 * count, 2)]
        return Segment(name, data["name"], tuple(uses), tuple(rules), centuries=_centuries(uses))

    def _element_use(self, text: str) -> ElementUse:
        number, *marks = text.split()
        repeat = next((int(mark[1:]) for mark in marks if mark.startswith("x")), 1)
        return ElementUse(self._element(number), "M" in marks, repeat)

    def _element(self, number: str) -> Element:
        if number in self._composites:
            name, *uses = self._composites[number]
            return Element(number, name, "C", 1, 999, components=tuple(map(self._element_use, uses)))
        name, kind, low, high, *later = self._elements[number]
        for release, longer in (later[0] if later else {}).items():
            if self._release >= release:
                high = longer
        if kind == "DT" and high == 8 and self._release < "004010":
            low, high = 6, 6
        codes = self._codes["lists"].get(number, {})
        return Element(number, name, kind, low, high, frozenset(codes.get("codes", ())), bool(codes.get("verified")))


def _tree_problem(entry: dict[str, Any], first: SegmentUse) -> str:
    """Why the loops of a tree could be read and not be written."""
    tree = entry.get("tree")
    if tree is None:
        return "a group of loops is a tree: add `tree: {id: 1, parent: 2, children: FIELD}`" if "group" in entry else ""
    if "group" not in entry:
        return f"a tree is written as one group: add `group: {entry['loop']}`, to all of its loops the same"
    if "to" not in entry:
        return "a tree makes parts: add `to: FIELD`"
    if first.mapping is None or tree["id"] not in first.mapping.put:
        return f"the id of a tree is a field: `put` says nothing of element {tree['id']}"
    return ""


def _rule(text: str) -> Rule:
    name, _, tolerated = text.partition(" W")
    positions = tuple(int(name[i : i + 2]) for i in range(1, len(name), 2))
    if tolerated and (name[0] != "C" or int(tolerated) not in positions[1:]):
        raise ValueError(f"{text!r}: only a rule C tolerates that one of its later elements is missing")
    return Rule(name[0], positions, int(tolerated or 0))


def _centuries(uses: list[ElementUse]) -> tuple[Century, ...]:
    """Each century with the date before it."""
    dates = [p for p, use in enumerate(uses, 1) if use.element.number == DATE]
    found = (p for p, use in enumerate(uses, 1) if use.element.number == CENTURY)
    return tuple(Century(max(d for d in dates if d < p), p) for p in found)


def _period(places: list[int], put: dict[Any, str]) -> Period:
    code, text = places
    return Period(code, text, alone="date" not in put.values())


def _component(key: str) -> tuple[int, int]:
    element, _, component = key.partition(".")
    return int(element), int(component)


def _max(entry: dict[str, Any]) -> int:
    value = entry.get("max", 1)
    return MANY if value == "many" else int(value)
