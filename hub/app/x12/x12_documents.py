"""Canonical documents in a file, whatever it holds: X12, or JSON of one document or of many."""

from __future__ import annotations

import json
from collections.abc import Iterator

from hub.core.errors import DecodeError
from hub.core.partners import PartnerDirectory
from hub.core.ports import Body, Reading
from hub.documents import from_foreign_json
from transformers.x12.reading.reader import X12Reader

LARGEST_JSON = 256 << 20
"""Bytes of a file of documents in JSON: it is read whole."""


def holds_json(body: Body) -> bool:
    """Whether it begins as JSON does."""
    begin = next(body.chunks(512), b"").removeprefix(b"\xef\xbb\xbf").lstrip()
    return begin[:1] in (b"{", b"[")


def readings_in(body: Body, partners: PartnerDirectory) -> Iterator[Reading]:
    """All documents of a file, and what can't be read as one. Acknowledgments that we would send aren't among them."""
    if holds_json(body):
        yield from json_readings(body)
        return
    for reading in X12Reader(partners).read(body):
        if reading.envelope.get("direction") != "outbound":
            yield reading


def json_readings(body: Body) -> Iterator[Reading]:
    """The documents of JSON: one object, a list of them, or one behind the other as `hub read` prints them. Positions
    count them from 1."""
    if body.size > LARGEST_JSON:
        yield Reading((), error=DecodeError(f"the JSON has {body.size} bytes, expected at most {LARGEST_JSON}"))
        return
    try:
        text = b"".join(body.chunks()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        yield Reading((), error=DecodeError("not JSON: the bytes aren't UTF-8", offset=error.start))
        return
    number = 0
    for number, piece in enumerate(_objects(text), 1):
        try:
            yield Reading((str(number),), document=from_foreign_json(piece.encode()))
        except DecodeError as error:
            yield Reading((str(number),), error=error)
    if number == 0:
        yield Reading((), error=DecodeError("found no document: the file is blank", offset=0))


def _objects(text: str) -> Iterator[str]:
    """Each object as it stands in the text; what can't be read as one, whole: whoever reads it says what is wrong."""
    decoder, blanks = json.JSONDecoder(), " \t\r\n"
    at = len(text) - len(text.lstrip())
    inside = text[at : at + 1] == "["
    if inside:
        at += 1
        blanks += ","
    while True:
        while at < len(text) and text[at] in blanks:
            at += 1
        if at >= len(text) or (inside and text[at] == "]" and not text[at + 1 :].strip()):
            return
        try:
            end = decoder.raw_decode(text, at)[1]
        except (ValueError, RecursionError):
            yield text[at:]
            return
        yield text[at:end]
        at = end
