"""Signed requests: HMAC (RFC 2104) over the timestamp, where the options say so method and path, and the body; full
stops in between."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from adapters.http.auth_options import HmacOptions
from hub.core.network.web import WebRequest
from hub.core.options.duration import seconds
from hub.core.ports import Body


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that is still to be compared: `sender` reads the body, and gives the partner, or "" for none."""

    signature: str
    sender: Callable[[Body], str]


class Signatures:
    """Of several partners, each with a secret of its own."""

    def __init__(self, options: HmacOptions, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._window = seconds(options.window)

    def signed(self, request: WebRequest) -> Signed | str | None:
        """None: there is no signature. A text: what is wrong with it."""
        given = request.headers.get(self._options.header.lower())
        if given is None:
            return None
        stamp = request.headers.get(self._options.timestamp.lower(), "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            return "a signature without a timestamp"
        if abs(self._clock() - int(stamp)) > self._window:
            return "a timestamp outside the window"
        digest = decoded(given.rpartition("=")[2] if given.startswith(f"{self._options.algorithm}=") else given)
        if digest is None:
            return "a signature that is neither hex nor base64"
        begin = signed_before_body(request, stamp, whole=self._options.covers == "request")
        return Signed(digest.hex(), lambda body: self._sender(begin, digest, body))

    def _sender(self, begin: bytes, digest: bytes, body: Body) -> str:
        macs = {
            partner: hmac.new(secret.encode(), begin, self._options.algorithm)
            for partner, secret in self._options.secret.items()
        }
        for piece in body.chunks():
            for mac in macs.values():
                mac.update(piece)
        found = [partner for partner, mac in macs.items() if hmac.compare_digest(mac.digest(), digest)]
        return found[0] if found else ""


def signed_before_body(request: WebRequest, stamp: str, *, whole: bool) -> bytes:
    """The timestamp; of a whole request also method and path with query, as the client has sent them. Each ends with a
    full stop."""
    parts = (stamp, request.method, request.target) if whole else (stamp,)
    return "".join(f"{part}." for part in parts).encode()


def decoded(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
