"""A folder as a destination: one file a document, whole or not at all."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

from pydantic import Field, field_validator

from adapters.file.address import FileAddress
from adapters.file.moving import NEW, TEMPORARY, sweep
from adapters.inbox.folder_sync import sync
from hub.core.context import Context
from hub.core.errors import MappingError, RejectedError, TransientError, TransientKind
from hub.core.options.form import Form
from hub.core.plugin import Options
from hub.core.ports import Outgoing, Receipt
from hub.documents.naming import file_name

FULL = (errno.ENOSPC, errno.EDQUOT)
BAD_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EISDIR, errno.ENOTDIR, errno.EILSEQ)
"""What a file system answers to a name that it will never take, once the folder is there."""


class FileDestinationOptions(Options):
    """A folder into which documents are written."""

    store: str | None = Field(None, description="The name of a `store` endpoint; without it a folder of this machine.")
    folder: str = Field(description="The folder, relative to the site, or to the store. Created when missing.")
    name: str | None = Field(
        None,
        description=(
            "The file name; `{fact}` is substituted. Without it `{partner}_{document}_{number}.json`, where the"
            " document has no partner `{document}_{number}.json`. A value that can't stand in a name is changed, and a"
            " digest appended."
        ),
    )
    overwrite: bool = Field(
        False, description="Whether a file of that name with other contents is replaced; else it is refused."
    )

    mode: Annotated[str, Form("0?[0-7]{3}", 'a mode: three octal digits in quotes, as in "0640"')] = Field(
        "0600",
        description=(
            "Who may read and write the file, as chmod takes it: `0640` lets the group read it. A store has rights of"
            " its own."
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


class FileDestination:
    """Writes a temporary file, syncs it, and renames it: a reader sees the whole file or none. A file that stands there
    with the same contents counts as delivered."""

    def __init__(self, options: FileDestinationOptions, context: Context) -> None:
        self._clock = context.clock
        self._named_folder = options.folder
        self._folder = context.site / options.folder
        self._name = options.name
        self._overwrite = options.overwrite
        self._mode = int(options.mode, 8)
        self._swept = False

    def address(self, outgoing: Outgoing) -> FileAddress:
        return FileAddress(folder=self._named_folder, name=outgoing.fixed_address or self.fix_address(outgoing))

    def fix_address(self, outgoing: Outgoing, *, earlier: bool = False) -> str:
        """The file's name. See `hub.core.ports.Addressing`."""
        try:
            return file_name(outgoing.facts, self._name, earlier=earlier)
        except MappingError as error:
            raise RejectedError(str(error), code="no_name") from error

    async def send(self, outgoing: Outgoing) -> Receipt:
        return await asyncio.to_thread(self._write, self.address(outgoing).name, outgoing.body)

    def _write(self, name: str, body: bytes) -> Receipt:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise transient(self._folder, error) from error
        if not self._swept:
            self._swept = True
            sweep(self._folder, self._clock())
        target = self._folder / name
        try:
            return self._write_new(target, body)
        except OSError as error:
            if error.errno in BAD_NAME:
                raise RejectedError(f"{target}: {error.strerror}", code="bad_name") from error
            raise transient(target, error) from error

    def _write_new(self, target: Path, body: bytes) -> Receipt:
        if not self._overwrite and target.exists():
            return same_or_refused(target, body)
        with NamedTemporaryFile(dir=self._folder, prefix=NEW, suffix=TEMPORARY, delete=False) as new:
            try:
                new.write(body)
                new.flush()
                os.fsync(new.fileno())
                self._place(Path(new.name), target)
            except FileExistsError:
                return same_or_refused(target, body)
            finally:
                Path(new.name).unlink(missing_ok=True)
        sync(self._folder)
        return Receipt(f"written to {target.name}")

    def _place(self, new: Path, target: Path) -> None:
        new.chmod(self._mode)
        if self._overwrite:
            new.replace(target)
        else:
            os.link(new, target)

    async def close(self) -> None:
        return None


def transient(path: Path, error: OSError) -> TransientError:
    kind: TransientKind = "busy" if error.errno in FULL else "unreachable"
    return TransientError(f"{path}: {error.strerror}", kind)


def same_or_refused(target: Path, body: bytes) -> Receipt:
    if target.is_file() and target.stat().st_size == len(body):
        there = hashlib.sha256(target.read_bytes()).digest()
        if there == hashlib.sha256(body).digest():
            return Receipt(f"{target.name} stood there already, with the same contents")
    raise RejectedError(f"{target.name} stands there already with other contents", code="exists")
