"""The reader `ndjson`: each line a document in JSON; canonical, or made canonical by a template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from hub.core.context import Context
from hub.core.errors import DecodeError
from hub.core.message import EMPTY
from hub.core.plugin import LINEAR, ReaderPlugin
from hub.core.ports import Body, Reading
from hub.mapping.canonical import BodyItem, Canonical, CanonicalOptions, kinds_of, text_or_none
from hub.mapping.json_text import SCHEMAS, JsonCheck, parse_json
from hub.mapping.lines import LONGEST_LINE, lines
from hub.mapping.site_template import TEMPLATES


class NdjsonReaderOptions(CanonicalOptions):
    """What each line is."""

    checked_by: str | None = Field(
        None, alias="schema", description="A JSON Schema of routes/schemas that each line satisfies."
    )


class NdjsonReader:
    """Reads lines; empty ones count for nothing. A line that can't be read spoils no other."""

    def __init__(self, canonical: Canonical, check: JsonCheck | None, parsed: bool) -> None:
        self._canonical, self._check, self._parsed = canonical, check, parsed

    def read(self, body: Body, headers: Mapping[str, Any] = EMPTY) -> Iterator[Reading]:
        """One Reading for each line; errors name it."""
        return self._canonical.readings(self._read_items(body), headers, split=True)

    def _read_items(self, body: Body) -> Iterator[BodyItem]:
        for number, line in lines(body.chunks()):
            text = line.removeprefix(b"\xef\xbb\xbf").strip() if line is not None else None
            if text is None:
                yield BodyItem({}, error=DecodeError(f"line {number} has more than {LONGEST_LINE} bytes"))
            elif text:
                yield self._parse_line(number, text)

    def _parse_line(self, number: int, text: bytes) -> BodyItem:
        names = {"line": number}
        if not self._parsed:
            return BodyItem(names, raw=text)
        try:
            value = parse_json(text)
        except (ValueError, ArithmeticError, RecursionError) as error:
            return BodyItem(names, error=DecodeError(f"line {number}: not JSON: {error}"))
        wrong = self._check.wrong(value) if self._check is not None else None
        refused = DecodeError(f"line {number}: {wrong}") if wrong else None
        return BodyItem({**names, "body": value}, raw=text, error=refused)


def _build(name: str, options: NdjsonReaderOptions, context: Context) -> NdjsonReader:
    schema = text_or_none(context, SCHEMAS, options.checked_by)
    check = JsonCheck(*schema) if schema else None
    return NdjsonReader(Canonical.of(options, context), check, bool(check or options.map))


PLUGIN = ReaderPlugin(
    name="ndjson",
    options=NdjsonReaderOptions,
    summary="Reads lines that are a document in JSON each, canonical or through a template of the site.",
    example="document: order@1\nmap: shop-order.json.j2\n",
    build=_build,
    shorthand="document",
    files={"map": TEMPLATES, "checked_by": SCHEMAS},
    documents=kinds_of,
    bounded=lambda options: 0 if options.checked_by or options.map else LINEAR,
)
