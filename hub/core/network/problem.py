"""What is wrong, as a program can read it: problem details of RFC 9457."""

from __future__ import annotations

import json
from typing import Any

from hub.core.network.web import WebResponse

PROBLEM = "application/problem+json"

TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "Request came too slowly",
    409: "Conflict",
    413: "Body too large",
    415: "Content type not taken",
    422: "Content can't be processed",
    429: "Too many requests",
    431: "Headers too large",
    500: "Failure in the hub",
    503: "Not now",
}


def problem(
    status: int, kind: str = "", detail: str = "", *, retry_after: int | None = None, **more: Any
) -> WebResponse:
    """`kind` (`held`, `unreadable`) becomes its type; without it the status says all. `more` are members of its own."""
    told = {
        "type": f"urn:hub:{kind}" if kind else "about:blank",
        "title": TITLES.get(status, "Failure"),
        "status": status,
        **({"detail": detail[:2000]} if detail else {}),
        **more,
    }
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
    return WebResponse(status, json.dumps(told, default=str).encode(), PROBLEM, headers)
