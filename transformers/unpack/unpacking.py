"""A reader around a reader: it takes off what the body is packed in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from hub.core.errors import DecodeError
from hub.core.message import EMPTY, Header
from hub.core.ports import DUPLICATES, Body, FieldOrigin, InterchangeReader, Reader, Reading, TracingReader
from transformers.unpack.entry import UnpackAllowance, UnpackedEntry
from transformers.unpack.inflating import gzip_entries
from transformers.unpack.mime import mime_parts
from transformers.unpack.stream import Stream
from transformers.unpack.zipped import zip_entries

KINDS = ("gzip", "zip", "mime", "auto")
DEEPEST = 2
"""How often one thing may be packed in another."""

_MIME = re.compile(rb"(?:mime-version|content-type|content-transfer-encoding|message-id)[ \t]*:", re.IGNORECASE)


def unpacked_by(kind: str, reader: Reader) -> Reader:
    """The reader with what takes off the packing. It offers what the reader offers."""
    lists, traces = isinstance(reader, InterchangeReader), isinstance(reader, TracingReader)
    if lists and traces:
        return UnpackingAll(kind, reader)
    if lists:
        return UnpackingInterchanges(kind, reader)
    return UnpackingLineage(kind, reader) if traces else Unpacking(kind, reader)


class Unpacking:
    """Each entry is read by the reader; positions begin with the entry's ordinal, from 1. What is refused as too much,
    or breaks off, ends there: what came before it stays."""

    def __init__(self, kind: str, reader: Reader) -> None:
        self._kind, self._reader = kind, reader

    def read(self, body: Body, headers: Mapping[str, Any] = EMPTY) -> Iterator[Reading]:
        """In the order of the entries, and within each as the reader gives them."""
        for position, entry in self._entries(body, headers):
            if entry.body is None:
                yield Reading(position, error=entry.error)
                continue
            for reading in self._reader.read(entry.body, _within(headers, position, entry)):
                yield replace(reading, position=(*position, *reading.position))

    def _entries(self, body: Body, headers: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], UnpackedEntry]]:
        found = headers.get("content_type")
        content_type = found if isinstance(found, str) else ""
        yield from _opened(self._kind, body, content_type, UnpackAllowance(body.size), ())


def _opened(
    kind: str, body: Body, content_type: str, allowance: UnpackAllowance, position: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], UnpackedEntry]]:
    packing = _packing(body, content_type) if kind == "auto" else kind
    if packing is None:
        yield position, UnpackedEntry(body)
        return
    if len(position) >= DEEPEST:
        yield position, UnpackedEntry(None, error=DecodeError(f"packed more than {DEEPEST} times over"))
        return
    ordinal = 0
    try:
        for ordinal, entry in enumerate(_of(packing, body, content_type, allowance), 1):
            here = (*position, str(ordinal))
            if entry.body is None or kind != "auto":
                yield here, entry
            else:
                for inner, one in _opened("auto", entry.body, "", allowance, here):
                    yield inner, one if one.name else replace(one, name=entry.name)
    except DecodeError as error:
        yield (*position, str(ordinal + 1)), UnpackedEntry(None, error=error)


def _of(packing: str, body: Body, content_type: str, allowance: UnpackAllowance) -> Iterator[UnpackedEntry]:
    if packing == "gzip":
        return gzip_entries(body, allowance)
    if packing == "zip":
        return zip_entries(body, allowance)
    said = content_type if content_type.lower().startswith("multipart/") else ""
    return mime_parts(body, allowance, "" if _MIME.match(_begin(body)) else said)


def _packing(body: Body, content_type: str) -> str | None:
    begin = _begin(body)
    if begin.startswith(b"\x1f\x8b"):
        return "gzip"
    if begin.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if _MIME.match(begin) or content_type.lower().startswith("multipart/"):
        return "mime"
    return None


def _begin(body: Body) -> bytes:
    return Stream(body).upto(1024)


def _within(headers: Mapping[str, Any], position: tuple[str, ...], entry: UnpackedEntry) -> Mapping[str, Any]:
    """The headers as the reader of one entry sees them: its name, and the duplicates in it."""
    seen = {**headers, Header.NAME: entry.name or headers.get(Header.NAME, "")}
    told = headers.get(DUPLICATES)
    if isinstance(told, Mapping):
        before = "".join(f"{part}." for part in position)
        seen[DUPLICATES] = {key.removeprefix(before): text for key, text in told.items() if key.startswith(before)}
    return seen


class UnpackingInterchanges(Unpacking):
    """Around a reader of interchanges: their positions begin with the entry's, `2.1`. One whose number an entry before
    has is a duplicate."""

    def read(self, body: Body, headers: Mapping[str, Any] = EMPTY) -> Iterator[Reading]:
        told = headers.get(DUPLICATES)
        again = {place: f"in {name or 'an entry'} before" for place, name in self._repeated_interchanges(body, headers)}
        duplicates = {**again, **(told if isinstance(told, Mapping) else {})}
        return super().read(body, {**headers, DUPLICATES: duplicates} if duplicates else headers)

    def interchanges(self, body: Body, headers: Mapping[str, Any] = EMPTY) -> Iterable[tuple[str, str, str]]:
        """Each number of a partner once."""
        seen = set()
        for partner, number, place, _ in self._list_interchanges(body, headers):
            if (partner, number) not in seen:
                seen.add((partner, number))
                yield partner, number, place

    def _repeated_interchanges(self, body: Body, headers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The places of interchanges that came in an entry before, and what that was called."""
        first: dict[tuple[str, str], str] = {}
        for partner, number, place, name in self._list_interchanges(body, headers):
            if (partner, number) in first:
                yield place, first[partner, number]
            else:
                first[partner, number] = name

    def _list_interchanges(self, body: Body, headers: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
        """Partner, number, place and the entry's name. An entry that can't be looked through has none: `read` says what
        is wrong with it."""
        reader = self._reader
        assert isinstance(reader, InterchangeReader)  # noqa: S101  (unpacked_by looked)
        for position, entry in self._entries(body, headers):
            if entry.body is None:
                continue
            try:
                for partner, number, ordinal in reader.interchanges(entry.body):
                    yield partner, number, ".".join((*position, ordinal)), entry.name
            except DecodeError:
                continue


class UnpackingLineage(Unpacking):
    """Around a reader that traces: bytes are counted within the entry."""

    def lineages(
        self, body: Body, wanted: Collection[tuple[str, ...]] | None = None
    ) -> Iterator[tuple[tuple[str, ...], list[FieldOrigin]]]:
        reader = self._reader
        assert isinstance(reader, TracingReader)  # noqa: S101  (unpacked_by looked)
        left = None if wanted is None else set(wanted)
        for place, entry in self._entries(body, EMPTY):
            here = None if left is None else {p for p in left if p[: len(place)] == place}
            if entry.body is not None and (here is None or here):
                within = None if here is None else [position[len(place) :] for position in here]
                for position, origins in reader.lineages(entry.body, within):
                    yield (*place, *position), origins
            if left is not None and here is not None:
                left -= here
                if not left:
                    return


class UnpackingAll(UnpackingInterchanges, UnpackingLineage):
    """Around a reader that does both, as X12's."""
