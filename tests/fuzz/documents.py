"""Documents of every kind: made up from their models, and real ones with some fields changed."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.core.ports import FileBody
from hub.documents import DOCUMENTS, Document
from hub.documents.base import Part, structured
from hub.documents.parts.identifiers import Identifiers
from tests.golden.x12_files import FIXTURES, read
from transformers.x12.declarations.fields import FieldShape, shapes
from transformers.x12.writing.writer import sets_of

DEEPEST = 3
"""Parts within parts that are made up."""

CODES = [
    "",
    "A",
    "EA",
    "ST",
    "01",
    "UP",
    "VN",
    "ship_to",
    "original",
    "20260302",
    "0815",
    "C",
    "PO1[1]",
    "N1[2]/N4",
    "REF",
]
LETTERS = "ABCXYZ abcxyz 0123456789 .,-/#&()'"
HARD = [
    "\x00",
    "~",
    "*",
    ">",
    "^",
    "|",
    "\n",
    "\r\n",
    " ",
    " A",
    "A ",
    "é",
    "漢",
    "\ud7ff",
    "\x85",
    "\xa0",
    "A" * 300,
    "\ufeff",
]

KINDS = [*sorted(kind for kind in DOCUMENTS if sets_of(kind)), "interchange_acknowledgment"]
"""What X12 carries."""

TEXTS = st.one_of(
    st.sampled_from(CODES), st.text(LETTERS, max_size=40), st.sampled_from(HARD), st.text(max_size=30)
).filter(lambda text: text.isascii() or text.encode("utf-8", "replace").decode() == text)
STRUCTURES = st.lists(st.lists(TEXTS, max_size=3).map(tuple), max_size=3).map(lambda each: structured(tuple(each)))
NUMBERS = st.one_of(
    st.decimals(min_value=-(10**9), max_value=10**9, places=2),
    st.decimals(min_value=-(10**24), max_value=10**24, allow_nan=False),
    st.sampled_from(
        [Decimal(text) for text in ("0", "-0", "0.00", "1E+5", "1E-9", "-0.5", "100", "99999999999999999")]
    ),
)
DATES = st.one_of(st.dates(), st.dates(datetime.date(1970, 1, 1), datetime.date(2069, 12, 31)))
WHOLES = st.one_of(st.integers(-2, 12), st.integers(-(10**12), 10**12))


def values(shape: FieldShape, depth: int = 0) -> st.SearchStrategy[Any]:
    """What a field may hold."""
    match shape.kind:
        case "text":
            found: st.SearchStrategy[Any] = TEXTS
        case "number":
            found = NUMBERS
        case "whole":
            found = WHOLES
        case "date":
            found = DATES
        case "ids":
            found = st.dictionaries(TEXTS, TEXTS, max_size=3).map(Identifiers)
        case "texts":
            found = st.lists(TEXTS, max_size=4).map(tuple)
        case "elements":
            found = st.lists(st.one_of(TEXTS, STRUCTURES), max_size=4).map(tuple)
        case _:
            assert shape.part is not None
            inner = parts(shape.part, depth + 1)
            found = inner if shape.kind == "part" else st.lists(inner, max_size=2).map(tuple)
    return st.one_of(st.none(), found) if shape.optional else found


@st.composite
def parts(draw: st.DrawFn, cls: type[Part], depth: int = 0) -> Part:
    """A part in which some fields have values."""
    chosen: dict[str, Any] = {}
    for name, shape in shapes(cls).items():
        deep = shape.kind in ("part", "parts") and depth >= DEEPEST
        if name == "document" or (deep and not shape.required):
            continue
        if shape.required or draw(st.integers(0, 3)) == 0:
            chosen[name] = draw(values(shape, depth))
    try:
        return cls.model_validate(chosen)
    except ValidationError:
        assume(False)
        raise


def made_up(kind: str) -> st.SearchStrategy[Any]:
    """A document of nothing but chance."""
    return parts(DOCUMENTS[kind])


@lru_cache(maxsize=1)
def real() -> dict[str, list[Document]]:
    """The documents of the fixtures, by kind."""
    found: dict[str, list[Document]] = {}
    for path in sorted(FIXTURES.glob("*.edi")):
        for reading in read(FileBody(path)):
            if reading.document is not None:
                found.setdefault(reading.document.kind, []).append(reading.document)
    return found


Step = tuple[str, int | None]


def places(part: Part, path: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], str, FieldShape]]:
    """All fields within a part: the way to the part that has it, its name and its shape."""
    for name, shape in shapes(type(part)).items():
        if name == "document":
            continue
        yield path, name, shape
        value = getattr(part, name)
        if isinstance(value, Part):
            yield from places(value, (*path, (name, None)))
        elif shape.kind == "parts":
            for number, one in enumerate(value):
                yield from places(one, (*path, (name, number)))


def replaced(part: Part, path: tuple[Step, ...], name: str, value: Any) -> Part:
    """The part with one field changed, somewhere within it."""
    if not path:
        return part.model_copy(update={name: value})
    (field, number), *rest = path
    held = getattr(part, field)
    if number is None:
        return part.model_copy(update={field: replaced(held, tuple(rest), name, value)})
    inner = [*held]
    inner[number] = replaced(inner[number], tuple(rest), name, value)
    return part.model_copy(update={field: tuple(inner)})


@st.composite
def changed(draw: st.DrawFn, kind: str) -> Document:
    """A real document with up to three of its fields changed."""
    document: Part = draw(st.sampled_from(real()[kind]))
    for _ in range(draw(st.integers(0, 3))):
        path, name, shape = draw(st.sampled_from(list(places(document))))
        document = replaced(document, path, name, draw(values(shape, len(path))))
    try:
        type(document).model_validate(document.model_dump())
    except ValidationError:
        assume(False)
    assert isinstance(document, Document)
    return document
