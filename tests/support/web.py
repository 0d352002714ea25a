"""A site that is posted to, and who posts to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import structlog

from adapters.http.endpoint import HttpEndpoint
from adapters.http.endpoint_options import HttpEndpointOptions
from adapters.http.source import HttpSource
from adapters.http.source_options import HttpSourceOptions
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.ports import Arrival, Taken
from hub.journal.journal import Journal
from hub.journal.repetitions import JournalRepetitions
from hub.runtime.intake.awaited_outcomes import JournalOutcomes
from tests.support.ports import free_ports
from tests.support.site import SiteOnDisk

ACME_KEY, BOLT_KEY = "acme-key-0123456789", "bolt-key-0123456789"
AUTH = '{api_key: {ACME: "${ACME_KEY}", BOLT: "${BOLT_KEY}"}}'
DESTINATIONS = """\
erp:
  rest: {endpoint: erp, call: POST /orders}
  retry: fast
  answer: true
  replies:
    - {status: 409, body: {/error/code: CREDIT_HOLD}, hold: credit_hold}
"""


class WebSite:
    """Makes a site one that is posted to: partner BOLT beside ACME, both with keys, a source at /orders/{region}."""

    def __init__(self, site: SiteOnDisk) -> None:
        self.site = site
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        site.environ |= {"ACME_KEY": ACME_KEY, "BOLT_KEY": BOLT_KEY}
        site.write("config/partners/bolt.yaml", 'partner: BOLT\nids: [{qualifier: "01", id: "068717859"}]\n')
        site.write("config/facts.yaml", 'region: {from: arrival.region, type: text, default: ""}\n')
        site.write("config/destinations.yaml", DESTINATIONS)
        self.listen()
        self.source()

    def listen(self, options: str = "") -> None:
        path = self.site.folder / "config/endpoints.yaml"
        erp = next(line for line in path.read_text().splitlines() if line.startswith("erp:"))
        more = f", {options}" if options else ""
        self.site.write("config/endpoints.yaml", f'{erp}\nweb: {{http: {{listen: "127.0.0.1:{self.port}"{more}}}}}\n')

    def source(self, options: str = "", *, auth: str = AUTH, read: str = "{json: order@1}", more: str = "") -> None:
        """Writes the one routes file; `more` are further sources."""
        beside = f", {options}" if options else ""
        self.site.write(
            "routes/acme.yaml",
            "format: 1\nowner: order-desk\nsources:\n  posted:\n    http: {endpoint: web, path: '/orders/{region}', "
            f"facts: {{region: path.region}}, auth: {auth}{beside}}}\n    read: {read}\n{more}"
            "routes:\n  - id: orders\n    when: {document: order, partner: [ACME, BOLT]}\n    to: [erp]\n",
        )

    async def post(self, body: bytes, key: str | None = ACME_KEY, path: str = "/orders/north", **headers: str) -> Reply:
        """JSON, unless the headers say otherwise; underscores in their names become hyphens."""
        named = {"Content-Type": "application/json", **({"X-Api-Key": key} if key is not None else {})}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with (
            aiohttp.ClientSession() as client,
            client.post(self.url + path, data=BytesIO(body), headers=named) as reply,
        ):
            return Reply(reply.status, dict(reply.headers), await reply.read())

    async def get(self, path: str, key: str | None = ACME_KEY) -> Reply:
        headers = {"X-Api-Key": key} if key is not None else {}
        async with aiohttp.ClientSession() as client, client.get(self.url + path, headers=headers) as reply:
            return Reply(reply.status, dict(reply.headers), await reply.read())


class Reply:
    """A whole answer."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        return f"{self.status} {self.headers} {self.body!r}"

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Takes:
    """An intake that remembers; `error` is raised instead, while there is one."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.bodies: list[bytes] = []
        self.error: Exception | None = None

    async def __call__(self, arrival: Arrival) -> Taken:
        if self.error is not None:
            raise self.error
        self.arrivals.append(arrival)
        self.bodies.append(b"".join(arrival.body.chunks()))
        return Taken(1)


def context_of(folder: Path, journal: Journal, endpoint: HttpEndpoint | None = None) -> Context:
    return Context(
        folder,
        endpoint=lambda name: endpoint,
        log=structlog.get_logger(),
        spool=folder / "spool",
        repetitions=lambda name: JournalRepetitions(journal, name),
        outcomes=JournalOutcomes(journal, lambda: ("erp",)),
        clock=SystemClock(),
    )


@asynccontextmanager
async def listening_endpoint(folder: Path, journal: Journal, **options: Any) -> AsyncIterator[HttpEndpoint]:
    """A listener on a free port."""
    made = HttpEndpointOptions.model_validate({"listen": "127.0.0.1:0", **options}, strict=False)
    endpoint = HttpEndpoint("web", made, context_of(folder, journal))
    try:
        yield endpoint
    finally:
        await endpoint.close()


@asynccontextmanager
async def running(source: Any, take: Any, endpoint: HttpEndpoint, path: str) -> AsyncIterator[str]:
    """The source, mounted; gives the URL of its path."""
    task = asyncio.create_task(source.run(take))
    try:
        async with aiohttp.ClientSession() as client, asyncio.timeout(20):
            while True:
                assert not task.done(), task.exception()
                try:
                    async with client.get(endpoint.url(path), ssl=False) as reply:
                        if reply.status != 404:
                            break
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.01)
        yield endpoint.url(path)
    finally:
        task.cancel()
        await asyncio.wait({task})


@asynccontextmanager
async def http_source(
    folder: Path, journal: Journal, take: Any, source: dict[str, Any], name: str = "posted", **endpoint: Any
) -> AsyncIterator[str]:
    """A source on a listener of its own; gives the URL that it is posted to."""
    async with listening_endpoint(folder, journal, **endpoint) as listener:
        options = HttpSourceOptions.model_validate_json(json.dumps({"endpoint": "web", "path": "/in", **source}))
        made = HttpSource(name, options, listener, context_of(folder, journal, listener))
        async with running(made, take, listener, options.path) as url:
            yield url
