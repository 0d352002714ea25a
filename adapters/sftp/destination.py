"""A folder of an SFTP server as a destination: one file a document, whole or not at all."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from adapters.sftp.endpoint import SftpEndpoint
from adapters.sftp.progress import Progress
from adapters.sftp.session import Declined
from hub.core.errors import MappingError, RejectedError
from hub.core.plugin import Options
from hub.core.ports import Outgoing, Receipt
from hub.documents.naming import file_name

if TYPE_CHECKING:
    from adapters.sftp.connection import Connection

LONGEST_NAME = 200


class SftpDestinationOptions(Options):
    """A folder into which documents are uploaded."""

    endpoint: str = Field(description="The name of an `sftp` endpoint.")
    folder: str = Field(description="The folder on the server: `/inbound`, or relative to where the login begins.")
    name: str | None = Field(
        None,
        description="The file name; `{fact}` is substituted. Without it `{partner}_{document}_{number}.json`, where the document has no partner `{document}_{number}.json`. A value that can't stand in a name is changed, and a digest appended.",
    )
    temporary: str = Field(
        ".{name}.part",
        description="Under which name it is uploaded before the rename: `{name}` stands for the file's own, and eight digits of its document; with a folder: `/tmp/{name}`.",
    )
    overwrite: bool = Field(
        False, description="Whether a file of that name with other contents is replaced; else it is refused."
    )
    marker: str | None = Field(
        None,
        description="An empty file to put beside it afterwards: `{name}.done`. `{stem}` is the name without its extension.",
    )

    @field_validator("name")
    @classmethod
    def one_name(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value or value.startswith(".") or any(c in "/\\" or not c.isprintable() for c in value):
            raise ValueError(
                "name must be one visible file name: without / and \\, not beginning with a dot; folders belong into `folder`"
            )
        return value

    @field_validator("temporary")
    @classmethod
    def with_name(cls, value: str) -> str:
        if "{name}" not in value or value == "{name}" or not value.isprintable():
            raise ValueError("temporary must hold {name} and differ from it: .{name}.part")
        return value

    @field_validator("marker")
    @classmethod
    def marks_a_name(cls, value: str | None) -> str | None:
        if value is not None and (
            ("{name}" not in value and "{stem}" not in value) or value == "{name}" or "/" in value
        ):
            raise ValueError("marker must be a file name that holds {name} or {stem}: {name}.done")
        return value


class SftpDestination:
    """Uploads to a temporary name, checks the size, and renames: the partner sees the whole file or none. A file that stands
    there with the same contents counts as delivered; the next attempt begins anew what an earlier one left half done."""

    def __init__(self, options: SftpDestinationOptions, endpoint: SftpEndpoint, log: Any) -> None:
        self._options = options
        self._endpoint = endpoint
        self._log = log

    def address(self, outgoing: Outgoing, *, earlier: bool = False) -> str:
        """The file's name. See `hub.core.ports.Addressing`."""
        try:
            return file_name(outgoing.facts, self._options.name, earlier=earlier)
        except MappingError as error:
            raise RejectedError(str(error), code="no_name") from error

    async def send(self, outgoing: Outgoing) -> Receipt:
        name = outgoing.address or self.address(outgoing)
        if len(name) > LONGEST_NAME:
            raise RejectedError(f"the name {name[:60]}... has {len(name)} characters", code="bad_name")
        own = f"{name}.{hashlib.sha256(outgoing.key.encode()).hexdigest()[:8]}"
        return await self._endpoint.use(lambda connection: self._put(connection, name, own, outgoing.body))

    def _put(self, connection: Connection, name: str, own: str, body: bytes) -> Receipt:
        """`own` is a name that no other document has, and every attempt of this one: two of one name never mix their bytes."""
        options = self._options
        target = joined(options.folder, name)
        there = connection.entry(target)
        if there is not None and same(connection, target, there.size, body):
            self._mark(connection, name)
            return Receipt(f"{name} stood there already, with the same contents")
        if there is not None and not options.overwrite:
            raise RejectedError(f"{name} stands there already with other contents", code="exists")
        temporary = options.temporary.replace("{name}", own)
        temporary = temporary if "/" in temporary else joined(options.folder, temporary)
        connection.upload(body, temporary, Progress(self._log, "sftp_upload", name, len(body)))
        if options.overwrite:
            connection.replace(temporary, target)
        else:
            self._place(connection, temporary, target, body)
        self._mark(connection, name)
        return Receipt(f"uploaded as {name}")

    @staticmethod
    def _place(connection: Connection, temporary: str, target: str, body: bytes) -> None:
        """Another may have put a file there meanwhile: it is never replaced."""
        try:
            connection.rename(temporary, target)
        except Declined:
            there = connection.entry(target)
            if there is None:
                raise
            connection.remove(temporary)
            if not same(connection, target, there.size, body):
                raise RejectedError(f"{target} stands there already with other contents", code="exists") from None

    def _mark(self, connection: Connection, name: str) -> None:
        marker = self._options.marker
        if marker is not None:
            path = joined(self._options.folder, marked(marker, name))
            connection.upload(b"", path, lambda done: None)

    async def close(self) -> None:
        return None


def same(connection: Connection, path: str, size: int, body: bytes) -> bool:
    return size == len(body) and connection.digest(path, size) == hashlib.sha256(body).hexdigest()


def joined(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if folder not in ("", ".") else name


def marked(marker: str, name: str) -> str:
    """The name of a file's marker."""
    stem, dot, _ = name.rpartition(".")
    return marker.replace("{name}", name).replace("{stem}", stem if dot and stem else name)
