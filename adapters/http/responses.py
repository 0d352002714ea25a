"""Answers as they go out."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from hub.core.clock import Clock
from hub.core.network.web import WebResponse

DRAINED, DRAIN_SECONDS = 8 << 20, 2.0
"""How much of a body that nobody wants is let in, so that the client reads the answer before the connection ends."""


def answer(response: WebResponse) -> Response:
    headers = {**plain_headers(response), "X-Content-Type-Options": "nosniff"}
    return Response(response.body, response.status, headers)


def refusal(request: Request, response: WebResponse, clock: Clock) -> Response:
    """An answer to a request whose body was not read to its end; the connection ends with it, where there is a body."""
    if "transfer-encoding" not in request.headers and request.headers.get("content-length", "0") == "0":
        return answer(response)
    headers = {**plain_headers(response), "X-Content-Type-Options": "nosniff", "Connection": "close"}
    return LastAnswer(response, headers, clock)


def plain_headers(response: WebResponse) -> dict[str, str]:
    """Without what would break a line: an answer of the far end never writes headers of ours."""
    named = {"Content-Type": response.content_type} if response.content_type else {}
    return {
        name: "".join(c for c in value if c.isprintable() and c.isascii())
        for name, value in {**named, **response.headers}.items()
    }


class LastAnswer(Response):
    """Whole at the client before what it still sends is left unread."""

    def __init__(self, response: WebResponse, headers: dict[str, str], clock: Clock) -> None:
        super().__init__(response.body, response.status, headers)
        self._clock = clock

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        await drain(receive, self._clock)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def drain(receive: Any, clock: Clock) -> None:
    taken = 0
    try:
        async with clock.timeout(DRAIN_SECONDS):
            while taken < DRAINED:
                message = await receive()
                taken += len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
