"""A system that can be asked for lists: a real HTTP server that notes every question and answers by script."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Question:
    """A request as it arrived. `raw` is path and query as they were sent, `query` what the server reads out of them."""

    raw: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """A body that isn't bytes is sent as JSON."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Lists:
    """`asked` holds every question, in order; `script` answers."""

    def __init__(self, script: Callable[[Question], Reply]) -> None:
        self.script = script
        self.asked: list[Question] = []
        self.url = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Lists]:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._answer)
        runner = web.AppRunner(app, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        try:
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        question = Question(request.raw_path, dict(request.query), dict(request.headers))
        self.asked.append(question)
        reply = self.script(question)
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        headers = {"Content-Type": "application/json", **reply.headers}
        return web.Response(status=reply.status, body=body, headers=headers)
