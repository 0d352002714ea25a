"""A folder of an SFTP server as a destination: one file a document, whole or not at all."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import Field, field_validator, model_validator

from adapters.sftp.address import SftpAddress
from adapters.sftp.endpoint import SftpEndpoint
from adapters.sftp.progress import TransferProgress
from adapters.sftp.session import UNMEASURED, Declined
from hub.core.clock import Clock
from hub.core.errors import MappingError, RejectedError, Unconfirmed
from hub.core.log import Log
from hub.core.plugin import Options
from hub.core.ports import Outgoing, Receipt
from hub.documents.naming import file_name

if TYPE_CHECKING:
    from adapters.sftp.connection import Connection
    from adapters.sftp.session import RemoteFile

LONGEST_NAME = 200

AHEAD = 1 << 20
"""Bodies above this size (bytes) are written without waiting for each answer, where the size can be compared
afterwards."""

CLOSING = "closing"
"""The mark of an attempt that is about to write the last piece of its file, and to close it."""

Note = Callable[[str], None]

MOST_CLOSED = 1000
"""Files whose fate is open that one destination remembers."""


class SftpDestinationOptions(Options):
    """A folder into which documents are uploaded."""

    endpoint: str = Field(description="The name of an `sftp` endpoint.")
    folder: str = Field(description="The folder on the server: `/inbound`, or relative to where the login begins.")
    name: str | None = Field(
        None,
        description=(
            "The file name; `{fact}` is substituted. Without it `{partner}_{document}_{number}.json`, where the"
            " document has no partner `{document}_{number}.json`. A value that can't stand in a name is changed, and a"
            " digest appended."
        ),
    )
    temporary: str = Field(
        ".{name}.part",
        description=(
            "Under which name it is uploaded before the rename: `{name}` stands for the file's own, and eight digits of"
            " its document; with a folder: `/tmp/{name}`."
        ),
    )
    overwrite: bool = Field(
        False, description="Whether a file of that name with other contents is replaced; else it is refused."
    )
    rename: bool = Field(
        True,
        description=(
            "Whether a file is uploaded under a temporary name and then renamed. Without it the partner may see half a"
            " file."
        ),
    )
    stat: bool = Field(
        True,
        description=(
            "Whether the server tells what stands under a name. Without it nothing is looked at or compared, and a file"
            " that stands there is refused by the rename, or replaced where there is none."
        ),
    )
    read: bool = Field(
        True,
        description=(
            "Whether the account may read and list what it has written. Without it a file that stands there already"
            " with the same size may be ours: a person decides (hold `unconfirmed`)."
        ),
    )
    takes_files: bool = Field(
        False,
        description=(
            "Whether the server takes a file away as soon as it is closed: then that counts as delivered. It needs"
            " `rename: false`."
        ),
    )
    marker: str | None = Field(
        None,
        description=(
            "An empty file to put beside it afterwards: `{name}.done`. `{stem}` is the name without its extension."
        ),
    )

    @field_validator("name")
    @classmethod
    def one_name(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value or value.startswith(".") or any(c in "/\\" or not c.isprintable() for c in value):
            raise ValueError(
                "name must be one visible file name: without / and \\, not beginning with a dot; folders belong into"
                " `folder`"
            )
        return value

    @field_validator("temporary")
    @classmethod
    def with_name(cls, value: str) -> str:
        if "{name}" not in value or value == "{name}" or not value.isprintable():
            raise ValueError("temporary must hold {name} and differ from it: .{name}.part")
        return value

    @model_validator(mode="after")
    def fits(self) -> SftpDestinationOptions:
        if self.takes_files and self.rename:
            raise ValueError(
                "takes_files needs `rename: false`: the server would take the file under its temporary name"
            )
        return self

    @field_validator("marker")
    @classmethod
    def marks_a_name(cls, value: str | None) -> str | None:
        if value is not None and (
            ("{name}" not in value and "{stem}" not in value) or value == "{name}" or "/" in value
        ):
            raise ValueError("marker must be a file name that holds {name} or {stem}: {name}.done")
        return value


class SftpDestination:
    """Uploads to a temporary name, checks the size, and renames: the partner sees the whole file or none. A file that
    stands there with the same contents counts as delivered; the next attempt begins anew what an earlier one left half
    done."""

    def __init__(self, options: SftpDestinationOptions, endpoint: SftpEndpoint, log: Log, clock: Clock) -> None:
        self._options = options
        self._endpoint = endpoint
        self._log, self._clock = log, clock
        self._closed: dict[str, bool] = {}
        """Files whose attempt has not ended well, and whether the server was asked to close them when all was written.
        The journal knows it too (CLOSING), for the time after a crash, and for other processes."""

    def address(self, outgoing: Outgoing) -> SftpAddress:
        options, server = self._options, self._endpoint.options
        name = outgoing.fixed_address or self.fix_address(outgoing)
        if len(name) > LONGEST_NAME:
            raise RejectedError(f"the name {name[:60]}... has {len(name)} characters", code="bad_name")
        temporary = options.temporary.replace("{name}", own_name(name, outgoing.key))
        return SftpAddress(
            host=server.host,
            port=server.port,
            path=joined(options.folder, name),
            name=name,
            temporary=within(options.folder, temporary) if options.rename else None,
            marker=joined(options.folder, marked(options.marker, name)) if options.marker is not None else None,
        )

    def fix_address(self, outgoing: Outgoing, *, earlier: bool = False) -> str:
        """The file's name. See `hub.core.ports.Addressing`."""
        try:
            return file_name(outgoing.facts, self._options.name, earlier=earlier)
        except MappingError as error:
            raise RejectedError(str(error), code="no_name") from error

    async def send(self, outgoing: Outgoing) -> Receipt:
        address = self.address(outgoing)
        own = own_name(address.name, outgoing.key)
        if outgoing.mark == CLOSING:
            self._closed.setdefault(own, True)
        loop = asyncio.get_running_loop()

        async def noted(mark: str) -> None:
            await outgoing.note(mark)

        def note(mark: str) -> None:
            asyncio.run_coroutine_threadsafe(noted(mark), loop).result()

        return await self._endpoint.use(lambda connection: self._put(connection, address, own, outgoing.body, note))

    def _put(self, connection: Connection, address: SftpAddress, own: str, body: bytes, note: Note) -> Receipt:
        options, target, name = self._options, address.path, address.name
        there = connection.entry(target) if options.stat else None
        if there is not None and self._stood_there(connection, target, there, body):
            self._mark(connection, address)
            return Receipt(f"{name} stood there already, with the same contents")
        if there is not None and not options.overwrite and not self._is_begun(connection, target, there, body):
            raise RejectedError(f"{name} stands there already with other contents", code="exists")
        taken = self._upload(connection, address.temporary or target, own, name, body, note)
        if address.temporary is not None:
            self._place(connection, address.temporary, target, body)
        self._closed.pop(own, None)
        self._mark(connection, address)
        return Receipt(f"uploaded as {name}" + (", the server has taken it" if taken else ""))

    def _upload(self, connection: Connection, path: str, own: str, name: str, body: bytes, note: Note) -> bool:
        """Writes the file and compares its size. True: the server has taken it away, as the options say. What an
        earlier attempt has closed is not written a second time: it stands there, or the server has it. Raises
        Unconfirmed when it is gone, and the options don't say what that means."""
        options, ahead = self._options, self._options.stat and len(body) > AHEAD
        closed_before = self._closed.get(own, False)
        if not closed_before:
            self._write(connection, path, own, name, body, ahead, note)
        if not options.stat:
            return False
        there = connection.entry(path)
        if there is not None and (there.size not in (len(body), UNMEASURED) or (there.size == UNMEASURED and ahead)):
            self._closed[own] = False
            if closed_before:  # an earlier attempt was cut off before its last piece
                return self._upload(connection, path, own, name, body, note)
            if there.size != UNMEASURED:
                raise Declined(f"{path} has {there.size} bytes after {len(body)} were written", "failure")
            self._write(connection, path, own, name, body, False, note)
            there = connection.entry(path)
        if there is None and not options.takes_files:
            self._closed.pop(own, None)
            raise Unconfirmed(
                f"the server closed {path} and it is gone: it may have been delivered. Ask the partner; where their"
                " server takes files as soon as they are closed, set `rename: false` and `takes_files: true`"
            )
        return there is None

    def _write(
        self, connection: Connection, path: str, own: str, name: str, body: bytes, ahead: bool, note: Note
    ) -> None:
        """Before the file is closed the journal knows it: from then on the server may have it. Only its refusal says
        that it has not."""

        def closing() -> None:
            self._remember(own)
            note(CLOSING)

        progress = TransferProgress(self._log, "sftp_upload", name, len(body), self._clock)
        try:
            connection.upload(body, path, progress, ahead=ahead, closing=closing)
        except Declined:
            if self._closed.get(own):
                self._closed[own] = False
                note("")
            raise

    def _remember(self, own: str) -> None:
        while len(self._closed) >= MOST_CLOSED:
            self._closed.pop(next(iter(self._closed)), None)
        self._closed[own] = True

    def _is_begun(self, connection: Connection, target: str, there: RemoteFile, body: bytes) -> bool:
        """Whether what stands there is the beginning of what is to be sent: an attempt without a temporary name was cut
        off."""
        if self._options.rename or there.size >= len(body):
            return False
        if not self._options.read:
            raise Unconfirmed(f"{target} stands there, shorter than it is to be, and this account can't read it")
        return connection.begins(target, body)

    def _stood_there(self, connection: Connection, target: str, there: RemoteFile, body: bytes) -> bool:
        """Whether what stands there is what is to be sent."""
        if there.size not in (len(body), UNMEASURED):
            return False
        if not self._options.read:
            raise Unconfirmed(f"{target} stands there already, and this account can't read it: it may be the same")
        return same(connection, target, there.size, body)

    def _place(self, connection: Connection, temporary: str, target: str, body: bytes) -> None:
        """Another may have put a file there meanwhile: it is never replaced unless told."""
        overwrite, stat = self._options.overwrite, self._options.stat
        try:
            (connection.replace if overwrite else connection.rename)(temporary, target)
        except Declined as error:
            there = connection.entry(target) if stat and not overwrite else None
            if there is None:
                if error.reason == "missing" and not (stat and connection.entry(temporary)):
                    text = (
                        f"the server closed {temporary}, and it is gone before it was renamed: it may have been"
                        " delivered"
                    )
                    raise Unconfirmed(text) from error
                raise
            connection.remove(temporary)
            if not self._stood_there(connection, target, there, body):
                raise RejectedError(f"{target} stands there already with other contents", code="exists") from None

    def _mark(self, connection: Connection, address: SftpAddress) -> None:
        if address.marker is not None:
            connection.upload(b"", address.marker, lambda done: None)

    async def close(self) -> None:
        return None


def same(connection: Connection, path: str, size: int, body: bytes) -> bool:
    if size == UNMEASURED:
        return connection.holds(path, body)
    return size == len(body) and connection.digest(path, size) == hashlib.sha256(body).hexdigest()


def own_name(name: str, key: str) -> str:
    """A name that no other document has, and every attempt of this one: two of one name never mix their bytes."""
    return f"{name}.{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def within(folder: str, name: str) -> str:
    """In the folder, unless the name has one of its own."""
    return name if "/" in name else joined(folder, name)


def joined(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if folder not in ("", ".") else name


def marked(marker: str, name: str) -> str:
    """The name of a file's marker."""
    stem, dot, _ = name.rpartition(".")
    return marker.replace("{name}", name).replace("{stem}", stem if dot and stem else name)
