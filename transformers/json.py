"""The reader `json`: a body that is one canonical document in JSON, checked against its model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, field_validator

from hub.core.errors import DecodeError
from hub.core.message import EMPTY
from hub.core.plugin import Context, Options, Plugin
from hub.core.ports import Body, BytesBody, Reading
from hub.documents.codec import MAX_JSON, document_class, from_json


class JsonReaderOptions(Options):
    """What the reader expects."""

    document: str = Field(description="The document that a body is, with its version: `order@1`")

    @field_validator("document")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            document_class(value)
        except DecodeError as error:
            raise ValueError(error.text) from None
        return value


class JsonReader:
    """Reads a body as one document. The key `document` may be missing in it; another one than expected is refused."""

    def __init__(self, document: str) -> None:
        self._document = document

    def read(self, body: Body, headers: Mapping[str, Any] = EMPTY) -> Iterator[Reading]:
        """One Reading, with the position `()`."""
        try:
            yield Reading((), document=from_json(_whole(body), self._document))
        except DecodeError as error:
            yield Reading((), error=error)


def _whole(body: Body) -> bytes:
    if isinstance(body, BytesBody):
        return body.data
    if body.size > MAX_JSON:
        raise DecodeError(f"the body has {body.size} bytes, more than the {MAX_JSON} that a document may have")
    return b"".join(body.chunks())


def _build(name: str, options: JsonReaderOptions, context: Context) -> JsonReader:
    return JsonReader(options.document)


def _documents(options: JsonReaderOptions) -> tuple[str, ...]:
    return (options.document.partition("@")[0],)


PLUGIN = Plugin(
    name="json",
    kind="reader",
    options=JsonReaderOptions,
    summary="Reads a body that is one canonical document in JSON, and checks it against the document's schema.",
    example="document: order@1\n",
    build=_build,
    shorthand="document",
    documents=_documents,
)
