"""Health and metrics over HTTP, on the address that `console.listen` in config/hub.yaml names."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from adapters.http.server import ListeningServer, bound
from hub import __version__
from hub.app.running_hub import RunningHub
from hub.core.errors import ConfigError

CONSOLE_CONNECTIONS = 100
"""Connections at once."""

STOP_SECONDS = 1.0


def build(hub: RunningHub) -> FastAPI:
    """The application: /metrics, /health/live (the event loop turns), /health/ready (broker and journal
    work; the state of each source is told, and doesn't count)."""
    app = FastAPI(title="Mediation hub", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "alive", "version": __version__}

    @app.get("/health/ready")
    async def ready(response: Response) -> dict[str, object]:
        state = await hub.readiness()
        response.status_code = 200 if state["ready"] else 503
        return state

    @app.get("/metrics")
    async def metrics() -> Response:
        await hub.measure()
        return Response(generate_latest(hub.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return app


@dataclass(frozen=True, slots=True)
class ConsoleLimits:
    """What the console bears: a few scrapers and probes."""

    connections: int = CONSOLE_CONNECTIONS
    connections_per_address: int = CONSOLE_CONNECTIONS // 2
    head_timeout: str = "10s"


HINTS = {
    errno.EADDRINUSE: (
        "is another hub running? Each process on a host needs a port of its own: name another in config/hub.yaml, or"
        " {host}:0 for a free one"
    ),
    errno.EADDRNOTAVAIL: "this host has no such address: name one of its own in config/hub.yaml, or 127.0.0.1",
    errno.EACCES: "only root may listen on ports below 1024: name another in config/hub.yaml",
}


@asynccontextmanager
async def serving(hub: RunningHub, listen: str) -> AsyncIterator[str]:
    """Serves while the block runs; gives the URL. Raises ConfigError when the address can't be listened on."""
    host, _, port = listen.rpartition(":")
    try:
        listening = bound(host.strip("[]"), int(port))
    except OSError as error:
        text = f"console.listen: {listen} can't be listened on ({error.strerror})"
        hint = HINTS.get(error.errno or 0, "name another address in config/hub.yaml").format(host=host)
        raise ConfigError(text, hint=hint) from error
    server = ListeningServer(build(hub), None, ConsoleLimits(), hub.log, hub.runtime.clock)
    await server.start(listening)
    try:
        yield f"http://{host}:{server.port}"
    finally:
        await server.stop(STOP_SECONDS)
