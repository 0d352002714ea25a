"""Folders elsewhere: any store that fsspec speaks to (S3 and its likes, Google, Azure, WebDAV, SMB). fsspec stays in
this file."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import fsspec
from pydantic import Field, field_validator

from hub.core.errors import RejectedError, TransientError
from hub.core.options.limits import LimitOptions
from hub.core.plugin import Options

BLOCK = 1 << 20
WHOLE = ("s3", "s3a", "gs", "gcs", "az", "abfs", "adl", "memory", "oss")
"""Stores in which an object appears whole when it is written; elsewhere it is written under a temporary name, and
renamed."""

T = TypeVar("T")

Option = str | int | bool | float


class StoreEndpointOptions(Options):
    """A store of files that isn't a folder of this machine."""

    url: str = Field(description="As fsspec writes it: `s3://bucket/prefix`, `gs://...`, `abfs://...`, `smb://...`.")
    options: dict[str, Option | dict[str, Option]] = Field(
        default_factory=dict,
        description=(
            "Options of the store: `key`, `secret`, `endpoint_url`, `client_kwargs`; secrets by reference: ${NAME}."
        ),
    )
    connections: int = Field(4, ge=1, le=64, description="Calls under way at once. Further ones wait for their turn.")
    limit: LimitOptions | None = Field(None, description="What the store can bear.")

    @field_validator("url")
    @classmethod
    def check_scheme(cls, value: str) -> str:
        scheme = value.partition("://")[0]
        if "://" not in value or scheme not in fsspec.available_protocols():
            raise ValueError(
                f"{value!r} is no URL of a store; known are s3://, gs://, abfs://, smb:// and what else fsspec has"
            )
        if scheme in ("file", "local"):
            raise ValueError("a folder of this machine needs no store: write `folder` alone")
        return value.rstrip("/")


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of the store."""

    name: str
    path: str
    size: int
    version: str


class FileStore:
    """The calls block; `in_thread` runs them in threads of the store's own, so that a silent store stops nobody else.
    Raises TransientError for what may work later."""

    def __init__(self, name: str, options: StoreEndpointOptions) -> None:
        self.options = options
        self._name = name
        scheme, _, root = options.url.partition("://")
        self._scheme = scheme
        self._root = root
        self._opened: Any = None
        self._placing = threading.Lock()
        self._threads = ThreadPoolExecutor(options.connections, f"store-{name}")

    async def in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        """`work(*arguments)` in one of the store's threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    @property
    def _fs(self) -> Any:
        if self._opened is None:
            self._opened = fsspec.filesystem(
                self._scheme, use_listings_cache=False, skip_instance_cache=True, **self.options.options
            )
        return self._opened

    def path(self, folder: str, name: str = "") -> str:
        return "/".join(part.strip("/") for part in (self._root, folder, name) if part.strip("/"))

    def files(self, folder: str) -> list[Stored]:
        """Those that stand in the folder itself; none where there is no such folder."""
        where = self.path(folder)
        with self._translated(f"list {where}"):
            try:
                entries = self._fs.ls(where, detail=True)
            except FileNotFoundError:
                return []
            found = [stored(entry) for entry in entries if entry.get("type") == "file"]
            return [file for file in found if file.path.rstrip("/") != where and is_plain(file.name)]

    def look(self, path: str) -> Stored | None:
        with self._translated(f"look at {path}"):
            try:
                return stored(self._fs.info(path))
            except FileNotFoundError:
                return None

    def pieces(self, path: str) -> Iterator[bytes]:
        """The bytes, block by block."""
        with self._translated(f"read {path}"), self._fs.open(path, "rb", block_size=8 * BLOCK) as file:
            while piece := file.read(BLOCK):
                yield piece

    def digest(self, path: str) -> str:
        found = hashlib.sha256()
        for piece in self.pieces(path):
            found.update(piece)
        return found.hexdigest()

    def put(self, path: str, body: bytes, overwrite: bool) -> bool:
        """Whole or not at all. False when something stands there and nothing may be replaced."""
        with self._translated(f"write {path}"):
            if self._scheme in WHOLE:
                return self._put_whole(path, body, overwrite)
            if not overwrite and self._fs.exists(path):
                return False
            folder, _, name = path.rpartition("/")
            self._fs.makedirs(folder, exist_ok=True)
            temporary = f"{folder}/.{name}.{hashlib.sha256(body).hexdigest()[:8]}.part"
            self._fs.pipe_file(temporary, body)
            with self._placing:  # of two documents of one name the second finds the first
                if not overwrite and self._fs.exists(path):
                    self._fs.rm_file(temporary)
                    return False
                self._fs.mv(temporary, path)
            return True

    def _put_whole(self, path: str, body: bytes, overwrite: bool) -> bool:
        if overwrite:
            self._fs.pipe_file(path, body)
            return True
        if self._fs.exists(path):
            return False
        try:
            self._fs.pipe_file(path, body, mode="create")
        except FileExistsError:
            return False
        return True

    def move(self, path: str, target: str) -> None:
        """Copies and removes, where the store can't rename: after a crash in between the file stands at both places."""
        with self._translated(f"move {path} to {target}"):
            if self._scheme not in WHOLE:
                self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._fs.copy(path, target)
            self._fs.rm_file(path)

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """Every store raises errors of its own."""
        try:
            yield
        except (TransientError, RejectedError):
            raise
        except ImportError as error:
            raise TransientError(f"store {self._name}: {self._scheme}:// needs a package: {error}", "failed") from error
        except Exception as error:
            text = " ".join(str(error).split())[:300] or type(error).__name__
            denied = isinstance(error, PermissionError) or getattr(error, "errno", None) == errno.EACCES
            gone = isinstance(error, FileNotFoundError)
            raise TransientError(
                f"store {self._name}: can't {what}: {text}", "failed" if denied or gone else "unreachable"
            ) from error

    async def close(self) -> None:
        self._threads.shutdown(wait=False)
        self._opened = None


def stored(entry: dict[str, Any]) -> Stored:
    path = str(entry["name"])
    marks = (entry.get(key) for key in ("ETag", "etag", "md5Hash", "content_md5", "LastModified", "mtime", "created"))
    version = next((str(mark) for mark in marks if mark is not None), "")
    return Stored(
        path.rstrip("/").rpartition("/")[2], path, int(entry.get("size") or 0), f"{entry.get('size')}:{version}"
    )


def is_plain(name: str) -> bool:
    return name not in ("", ".", "..") and "\\" not in name and name.isprintable()
