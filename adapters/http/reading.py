"""Of a request: the key by which it may be repeated, and the facts it gives."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from hashlib import sha256

from hub.core.network.web import WebRequest
from hub.core.ports import Body

KEY = re.compile(r"[\x21-\x7e]{1,255}")


def idempotency_key(request: WebRequest) -> str | None:
    """Empty: it has none. None: it has one that is no key. The quotes of a structured field are no part of it."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return ""
    key = given[1:-1] if len(given) > 2 and given[0] == given[-1] == '"' else given
    return key if KEY.fullmatch(key) else None


def values_of(request: WebRequest) -> Mapping[str, str]:
    """Everything that can become a fact, by where it stands."""
    return {
        **{f"path.{name.lower()}": value for name, value in request.values.items()},
        **{f"query.{name.lower()}": value for name, value in request.query.items()},
        **{f"header.{name}": value for name, value in request.headers.items()},
    }


async def digest_of(body: Body) -> str:
    """SHA-256, as the claim of the body has it."""

    def work() -> str:
        sha = sha256()
        for piece in body.chunks():
            sha.update(piece)
        return sha.hexdigest()

    return await asyncio.to_thread(work) if body.size > 1 << 18 else work()
