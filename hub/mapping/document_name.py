"""The type of an option that names a document with its version."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from hub.core.errors import DecodeError
from hub.documents.codec import document_class


def known(name: str) -> str:
    """The name. Raises ValueError, with the nearest right one."""
    try:
        document_class(name)
    except DecodeError as error:
        raise ValueError(error.text) from None
    return name


DocumentName = Annotated[str, AfterValidator(known)]
"""`order@1`."""
