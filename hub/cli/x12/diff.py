"""`hub x12 diff`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import orjson
import typer
from rich.text import Text

from hub.app.x12.x12_documents import readings_in
from hub.cli.shell.output import FOUND, USAGE, AsJson, fail, print_json
from hub.cli.shell.site_option import HERE, SiteDir
from hub.cli.x12.file import opened, partners_here, piped
from hub.cli.x12.lines import line, show
from hub.core.partners import PartnerDirectory
from hub.documents import Document
from hub.documents.base import Part
from transformers.x12.lineage.document_diff import diff_documents
from transformers.x12.writing.counted import without_counts

NOTHING = "-"

LARGEST = 64 << 20
"""Bytes of a file that is compared: all of its documents are in memory at once."""


def diff(
    one: Annotated[str, typer.Argument(metavar="A", help="X12 or canonical JSON; - for standard input.")],
    other: Annotated[str, typer.Argument(metavar="B", help="X12 or canonical JSON; - for standard input.")],
    site: SiteDir = HERE,
    as_json: AsJson = False,
) -> None:
    """Says where two files differ in what they mean: the field, its value in A and its value in B. Envelopes,
    separators, line ends and whether a right count of the lines (CTT01) was sent don't matter.

    Documents are paired by kind and number, those that are left in their order. Exit code 1 when the files differ.
    Example: hub x12 diff sent.edi received.edi
    """
    if one == other == "-":
        fail("error: only one of the two can be standard input", USAGE)
    partners = partners_here(site)
    left, right = _read_documents(one, partners), _read_documents(other, partners)
    found = list(_compared(left, right))
    if as_json:
        print_json([each.as_dict() for each in found])
    else:
        with piped():
            _print(found, len(left), len(right))
    raise typer.Exit(FOUND if found else 0)


@dataclass(frozen=True, slots=True)
class DocumentDifference:
    """A difference, and the document it is in. Without a path the whole document is there on one side only, or can't be
    read."""

    document: str
    number: str
    path: str
    one: Any
    other: Any

    def as_dict(self) -> dict[str, Any]:
        return {
            "document": self.document,
            "number": self.number,
            "path": self.path,
            "a": _plain(self.one),
            "b": _plain(self.other),
        }


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands in a file where a document should be."""

    kind: str
    number: str
    text: str


def _read_documents(file: str, partners: PartnerDirectory) -> list[Document | Unreadable]:
    found: list[Document | Unreadable] = []
    with opened(file) as body:
        if body.size > LARGEST:
            size = f"{body.size / (1 << 20):.0f} MB, and at most {LARGEST >> 20} MB can be compared"
            fail(f"error: {file}: the file has {size}: its documents are held in memory; compare it in parts", USAGE)
        for reading in readings_in(body, partners):
            if reading.document is not None:
                found.append(reading.document)
                continue
            if not reading.position:
                fail(f"error: {file}: {reading.error}", USAGE)
            number = str(reading.envelope.get("transaction_control_number") or ".".join(reading.position))
            found.append(Unreadable(str(reading.envelope.get("set") or ""), number, str(reading.error)))
    return found


def _compared(
    one: Sequence[Document | Unreadable], other: Sequence[Document | Unreadable]
) -> Iterator[DocumentDifference]:
    for left, right in _pairs(one, other):
        if isinstance(left, Document) and isinstance(right, Document):
            for each in diff_documents(without_counts(left), without_counts(right)):
                yield DocumentDifference(left.kind, left.number, each.path, each.one, each.other)
        else:
            shown = left or right
            assert shown is not None  # noqa: S101 - one of a pair is there
            yield DocumentDifference(shown.kind, shown.number, "", _describe(left), _describe(right))


def _pairs(
    one: Sequence[Document | Unreadable], other: Sequence[Document | Unreadable]
) -> Iterator[tuple[Document | Unreadable | None, Document | Unreadable | None]]:
    """By kind and number; what is left of a kind in its order; what is left then alone. In the order of A, then of
    B."""
    left, right = dict(enumerate(one)), dict(enumerate(other))
    pairs: dict[int, int] = {}
    for key in (lambda d: (d.kind, d.number), lambda d: d.kind):
        waiting: dict[Any, list[int]] = {}
        for number in reversed(right):
            waiting.setdefault(key(right[number]), []).append(number)
        for number in list(left):
            if numbers := waiting.get(key(left[number])):
                pairs[number] = numbers.pop()
                del left[number], right[pairs[number]]
    for number, document in enumerate(one):
        yield document, other[pairs[number]] if number in pairs else None
    yield from ((None, document) for document in right.values())


def _describe(document: Document | Unreadable | None) -> str | None:
    if document is None:
        return None
    return f"can't be read: {document.text}" if isinstance(document, Unreadable) else "is there"


def _plain(value: Any) -> Any:
    """A value for JSON and for people."""
    if isinstance(value, Part):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Decimal) or hasattr(value, "isoformat") else value


def _print(found: Sequence[DocumentDifference], left: int, right: int) -> None:
    heading = None
    for each in found:
        if heading != (heading := (each.document, each.number)):
            show(line(0, (f"{each.document} {each.number}", "bold")))
        show(line(1, each.path or "document", (_text(each.one), "red"), "->", (_text(each.other), "green")))
    if not found:
        show(Text(f"no difference: {left} {'document' if left == 1 else 'documents'}", style="green"))


def _text(value: Any) -> str:
    plain = _plain(value)
    if isinstance(plain, dict | list):
        return orjson.dumps(plain).decode() if plain else NOTHING
    return NOTHING if plain is None else str(plain)
