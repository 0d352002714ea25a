"""HTTP as the hub's adapters see it that listen: requests, responses, and the listener that many of them share. No
framework's types."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.core.message import JSON, empty
from hub.core.options.duration import seconds
from hub.core.ports import Body


@dataclass(frozen=True, slots=True)
class WebRequest:
    """A request whose body has not been read yet. `values` are what stands in the places of the mount's path, `headers`
    have lower-case names (one that came several times has its values joined by commas), `peer` is the client's address
    as far as it is known, `certificate` the names that its certificate proves. `secure`: nobody on the way could read
    or change it."""

    method: str
    path: str
    values: Mapping[str, str] = field(default_factory=empty)
    query: Mapping[str, str] = field(default_factory=empty)
    headers: Mapping[str, str] = field(default_factory=empty)
    peer: str = ""
    certificate: tuple[str, ...] = ()
    secure: bool = False
    target: str = ""
    """Path and query, encoded as the client has sent them."""

    @property
    def content_type(self) -> str:
        """Without its parameters, in small letters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class WebResponse:
    """A whole answer."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=empty)
    wrong_secret: bool = False
    """A password or key was wrong: the listener counts it for the client's address, and shuts out an address that
    guesses."""


@dataclass(frozen=True, slots=True)
class FirstLook:
    """`check` is called with the first `size` bytes of a body (all of a smaller one) before more of it is read; what it
    returns refuses the request."""

    size: int
    check: Callable[[bytes], Awaitable[WebResponse | None]]


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request whose body may be read: up to `largest` bytes, where that is less than what the listener takes. `take`
    is called with it, once; the body is gone when it returns."""

    take: Callable[[Body], Awaitable[WebResponse]]
    largest: int | None = None
    look: FirstLook | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Mount:
    """A method and a path (`/orders/{region}`) of a listener. `begin` refuses a request before its body is read, or
    admits it; it raises nothing. `about` is the OpenAPI operation, `security` the OpenAPI security schemes that it
    names; None as `about`: it isn't told. A `shared` path may be mounted by several: the first answer that is no
    refusal is given."""

    method: str
    path: str
    begin: Callable[[WebRequest], Awaitable[WebResponse | Admitted]]
    about: Mapping[str, Any] | None = None
    security: Mapping[str, Any] = field(default_factory=empty)
    shared: bool = False


class WebListener(Protocol):
    """A port that listens for HTTP. It is open while something is mounted; what is mounted and removed leaves the
    others alone.

    - `mount` returns when requests are answered. Raises TransientError(unreachable) when the port can't be had, and
      ConfigError for a path that is taken.
    - `unmount` refuses further requests, and returns when those under way are answered, or after a bounded time.
    - `url` is what clients call a path by.
    """

    async def mount(self, *mounts: Mount) -> None: ...

    async def unmount(self, *mounts: Mount) -> None: ...

    def url(self, path: str) -> str: ...


SENDERS = "@senders"
"""The owner, in the place of a source's name, of what a sender may use once over all sources: nonces and signatures."""

LONGEST_WINDOW = 3600.0
"""Seconds: the largest `window` of nonces and signatures. What was used at one source is remembered as long as any may
take it."""


def within_longest_window(window: str) -> str:
    """The window of an option. Raises ValueError for a longer one."""
    if seconds(window) > LONGEST_WINDOW:
        raise ValueError("a window is at most 1h: what was used once is remembered for twice as long")
    return window


class Repetitions(Protocol):
    """What was answered to requests that may be repeated, by key, across restarts and processes. Raises
    JournalUnavailable.

    - `begin` takes the key for `keep` seconds: None, the caller does the work, and calls `finish` with the answer, or
      `free` when nothing was done. Otherwise what stands there. A key whose work was left undone, because its process
      has ended, is free.
    """

    async def begin(self, key: str, fingerprint: str, keep: float) -> Repetition | None: ...

    async def finish(self, key: str, answer: WebResponse) -> None: ...

    async def free(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Repetition:
    """An earlier request with the same key. `answer` None: it is still in work; without `in_work` its process may have
    ended."""

    fingerprint: str
    answer: WebResponse | None = None
    in_work: bool = True
