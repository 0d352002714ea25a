"""What a far end answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One HTTP response. `headers` have lower-case names. `cut`: the body was larger than the endpoint takes, and is
    only its beginning."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False
