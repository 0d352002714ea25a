"""The reader `json`: a body that is one document in JSON, or a list of them; canonical, or made canonical by a
template.

The template sees `body` (numbers with a fraction are exact), `name` (what the body was called where it came from) and
`headers`, and makes the canonical JSON of the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, field_validator

from hub.core.context import Context
from hub.core.errors import DecodeError
from hub.core.message import EMPTY
from hub.core.plugin import LINEAR, ReaderPlugin
from hub.core.ports import Body, BytesBody, Reading
from hub.documents.codec import MAX_JSON
from hub.mapping.canonical import BodyItem, Canonical, CanonicalOptions, kinds_of, text_or_none
from hub.mapping.json_list import check_pointer, elements
from hub.mapping.json_text import SCHEMAS, JsonCheck, parse_json
from hub.mapping.site_template import TEMPLATES


class JsonReaderOptions(CanonicalOptions):
    """What the reader expects."""

    checked_by: str | None = Field(
        None,
        alias="schema",
        description="A JSON Schema of routes/schemas that each body, or each of the list, satisfies.",
    )
    each: str | None = Field(
        None,
        description=(
            "Where the list stands whose elements are documents of their own: /orders; / for a body that is the list."
        ),
    )

    @field_validator("each")
    @classmethod
    def _path(cls, value: str | None) -> str | None:
        return value if value is None else check_pointer(value)


class JsonReader:
    """Reads a body as one document, or the elements of its list as one each. In canonical JSON the key `document` may
    be missing; another one than expected is refused."""

    def __init__(self, canonical: Canonical, check: JsonCheck | None, each: str | None, parsed: bool) -> None:
        self._canonical, self._check, self._each, self._parsed = canonical, check, each, parsed

    def read(self, body: Body, headers: Mapping[str, Any] = EMPTY) -> Iterator[Reading]:
        """One Reading with the position `()`, or one for each element of the list."""
        return self._canonical.readings(self._read_items(body), headers, self._each is not None)

    def _read_items(self, body: Body) -> Iterator[BodyItem]:
        try:
            pieces = elements(body.chunks(), self._each) if self._each is not None else iter((_read_body(body),))
            for piece in pieces:
                yield self._parse_piece(piece)
        except DecodeError as error:
            yield BodyItem({}, error=error)

    def _parse_piece(self, piece: bytes) -> BodyItem:
        if not self._parsed:
            return BodyItem({}, raw=piece)
        try:
            value = parse_json(piece.removeprefix(b"\xef\xbb\xbf"))
        except (ValueError, ArithmeticError, RecursionError) as error:
            return BodyItem({}, raw=piece, error=DecodeError(f"not JSON: {error}"))
        wrong = self._check.wrong(value) if self._check is not None else None
        return BodyItem({"body": value}, raw=piece, error=DecodeError(wrong) if wrong else None)


def _read_body(body: Body) -> bytes:
    if isinstance(body, BytesBody):
        return body.data
    if body.size > MAX_JSON:
        raise DecodeError(f"the body has {body.size} bytes, more than the {MAX_JSON} that a document may have")
    return b"".join(body.chunks())


def _build(name: str, options: JsonReaderOptions, context: Context) -> JsonReader:
    schema = text_or_none(context, SCHEMAS, options.checked_by)
    check = JsonCheck(*schema) if schema else None
    return JsonReader(Canonical.of(options, context), check, options.each, bool(check or options.map))


PLUGIN = ReaderPlugin(
    name="json",
    options=JsonReaderOptions,
    summary=(
        "Reads a body that is one document in JSON, or a list of them, canonical or through a template of the site."
    ),
    example="document: order@1\nmap: shop-order.json.j2\nschema: shop-order.schema.json\neach: /orders\n",
    build=_build,
    shorthand="document",
    files={"map": TEMPLATES, "checked_by": SCHEMAS},
    documents=kinds_of,
    bounded=lambda options: 0 if options.checked_by or (options.map and options.each is not None) else LINEAR,
)
