"""From what stands in a body to the canonical document: as it is, or through a template of the site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson
from pydantic import Field

from hub.core.context import Context
from hub.core.errors import ConfigError, DecodeError, MappingError
from hub.core.message import EMPTY, Header
from hub.core.plugin import Options
from hub.core.ports import Reading
from hub.core.record import record
from hub.documents import Document
from hub.documents.codec import from_foreign_json, from_json
from hub.mapping.document_name import DocumentName
from hub.mapping.json_template import JsonTemplate
from hub.mapping.refused import known_of
from hub.mapping.site_template import SiteTemplate


class CanonicalOptions(Options):
    """Which document, and how it is made."""

    document: DocumentName = Field(description="The document that it is, with its version: `order@1`.")
    map: JsonTemplate | None = Field(
        None, description="A template of routes/templates, named *.json.j2, that makes the canonical JSON."
    )


@record
class BodyItem:
    """One thing in a body, in order: what a template sees of it (`body`, `rows`, ...), or why it can't be read. `raw`
    is canonical JSON where nothing has to be made of it."""

    names: Mapping[str, Any]
    raw: bytes | None = None
    error: DecodeError | None = None


class Canonical:
    """Makes documents. `where` of an error is kept: a template's mistake is said with the template's line."""

    def __init__(self, document: str, template: SiteTemplate | None = None) -> None:
        self._document = document
        self._template = template

    @classmethod
    def of(cls, options: CanonicalOptions, context: Context) -> Canonical:
        """Raises ConfigError."""
        return cls(options.document, SiteTemplate(options.map, context.text, context.work) if options.map else None)

    def document(self, found: BodyItem, headers: Mapping[str, Any] = EMPTY) -> Document:
        """Raises DecodeError."""
        if found.error is not None:
            raise found.error
        if self._template is None:
            if found.raw is not None:
                return self._as_it_is(found.raw, found.names)
            return from_json(orjson.dumps(found.names["body"], default=str), self._document)
        try:
            text = self._template.render({"name": "", **headers_seen(headers), **found.names})
        except MappingError as error:
            raise DecodeError(str(error)) from None
        try:
            return from_foreign_json(text.encode(), self._document)
        except DecodeError as error:
            raise DecodeError(f"what {self._template.name} makes of it: {error}") from None
        except UnicodeEncodeError:
            raise DecodeError(f"what {self._template.name} makes of it is no text") from None

    def _as_it_is(self, raw: bytes, names: Mapping[str, Any]) -> Document:
        try:
            return from_foreign_json(raw, self._document)
        except DecodeError as error:
            place = next((f"{what} {names[what]}: " for what in ("row", "line") if what in names), "")
            raise DecodeError(f"{place}{error}") if place else error from None

    def readings(self, found: Iterable[BodyItem], headers: Mapping[str, Any], split: bool) -> Iterator[Reading]:
        """A Reading for each, in their order: with the positions 1, 2, ... of a body that is split, else `()`. One that
        can't be read spoils no other."""
        for ordinal, one in enumerate(found, 1):
            position = (str(ordinal),) if split else ()
            try:
                yield Reading(position, document=self.document(one, headers))
            except DecodeError as error:
                yield Reading(position, error=error, envelope=known_of(one.raw, one.names))


def headers_seen(headers: Mapping[str, Any]) -> Mapping[str, Any]:
    """What templates see of the arrival: `name`, what it was called, and `headers`."""
    name = headers.get(Header.NAME)
    return {"name": name if isinstance(name, str) else "", "headers": headers}


def kinds_of(options: CanonicalOptions) -> tuple[str, ...]:
    """For a declaration's `documents`."""
    return (options.document.partition("@")[0],)


def text_or_none(context: Context, folder: str, name: str | None) -> tuple[str, str] | None:
    """A file of the site by name and text, where one is named. Raises ConfigError."""
    if name is None:
        return None
    try:
        return name, context.text(folder, name)
    except (OSError, LookupError) as error:
        raise ConfigError(f"there is no file {folder}/{name}: {error}") from None
