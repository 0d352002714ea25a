"""Identities are derived, never drawn (rule A of the design): the same bytes always give the same ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b, sha256


def digest(body: bytes) -> str:
    """The digest that names a claim: SHA-256 as 64 lower-case hex digits."""
    return sha256(body).hexdigest()


def site_version(files: Mapping[str, bytes]) -> str:
    """The version of a site with these files, by their paths relative to the site: 16 hex digits. Their order doesn't
    matter, each byte of them does."""
    found = blake2b(digest_size=8)
    for name in sorted(files):
        found.update(f"{name}\0{digest(files[name])}\n".encode())
    return found.hexdigest()


def message_id(claim: str, position: Iterable[str] = (), salt: str = "") -> str:
    """The id of what stands at `position` (interchange, group, transaction ordinals) in the claim: 32 hex digits.
    `salt` tells arrivals apart that have the same bytes and are meant as different messages."""
    text = "|".join((claim, *position))
    key = sha256(salt.encode("utf-8", "surrogatepass")).digest() if salt else b""
    return blake2b(text.encode(), digest_size=16, key=key).hexdigest()


def idempotency_key(document_id: str, destination: str, generation: int = 1) -> str:
    """The key under which one document is sent to one destination; a new generation, after a definite refusal and
    a person's release, has a new key. 32 hex digits."""
    text = f"{document_id}|{destination}|{generation}"
    return blake2b(text.encode(), digest_size=16, person=b"hub-effect").hexdigest()
