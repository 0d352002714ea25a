"""Health and metrics over HTTP, on the address that `console.listen` in config/hub.yaml names."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import uvicorn
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from hub import __version__
from hub.app.running_hub import RunningHub
from hub.core.errors import ConfigError


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


class QuietServer(uvicorn.Server):
    """A server that leaves the signals to the hub. `begun` is set once it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    @property
    def port(self) -> int | None:
        """The port that is listened on: with port 0, the one that the system gave."""
        for server in self.servers:
            for listening in server.sockets:
                return int(listening.getsockname()[1])
        return None


@asynccontextmanager
async def serving(hub: RunningHub, listen: str) -> AsyncIterator[str]:
    """Serves while the block runs; gives the URL. Raises ConfigError when the address can't be listened on."""
    host, _, port = listen.rpartition(":")
    config = uvicorn.Config(
        build(hub), host=host.strip("[]"), port=int(port), log_config=None, access_log=False, lifespan="off"
    )
    server = QuietServer(config)
    task = asyncio.create_task(run(server), name="console")
    begun = asyncio.create_task(server.begun.wait())
    await asyncio.wait({task, begun}, return_when=asyncio.FIRST_COMPLETED)
    if not server.started:
        begun.cancel()
        raise ConfigError(f"console.listen: {listen} can't be listened on: is another hub running?")
    try:
        yield f"http://{host}:{server.port}"
    finally:
        server.should_exit = True
        await asyncio.wait({task}, timeout=3.0)


async def run(server: uvicorn.Server) -> None:
    with suppress(SystemExit):
        await server.serve()
