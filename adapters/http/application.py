"""What is mounted on a port, as an application: a route each, and their description."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from adapters.http.asked import web_request
from adapters.http.client_address import ClientAddresses
from adapters.http.docs_page import docs_page
from adapters.http.request_body import BodyRefused, LookRefused, body_of
from adapters.http.responses import answer, refusal
from adapters.http.server import LARGEST_HEAD
from hub.core.clock import Clock
from hub.core.errors import ConfigError
from hub.core.log import Log
from hub.core.network.failures import FailedAddresses
from hub.core.network.problem import problem
from hub.core.network.sampling import SampledLog
from hub.core.network.web import Admitted, Mount, WebRequest, WebResponse

LEAVING = 5.0
"""Seconds after its removal in which a path says `come again` instead of `not found`: a reload may bring it back."""

SHUT_OUT = 60
"""Seconds after which an address may try again that gave too many wrong passwords or keys."""

Place = tuple[str, str]
"""A method and a path."""


@dataclass(frozen=True, slots=True)
class BodyBounds:
    """Of a request's body: bytes, seconds, and where a large one waits."""

    largest: int
    body_seconds: float
    spool: Path


class Application:
    """An ASGI application that is built anew whenever something is mounted or removed; requests under way go on."""

    def __init__(
        self,
        name: str,
        bounds: BodyBounds,
        docs: bool,
        log: Log,
        clock: Clock,
        *,
        secure: bool,
        addresses: ClientAddresses,
    ) -> None:
        self._name = name
        self._bounds = bounds
        self._docs = docs
        self._log = log
        self._clock = clock
        self._secure = secure
        self._addresses = addresses
        self._failed = FailedAddresses(clock.monotonic)
        self._sampled = SampledLog(log, clock.monotonic)
        self._mounts: dict[Place, list[Mount]] = {}
        self._left: dict[Place, float] = {}
        self._under_way: Counter[Mount] = Counter()
        self._answered_one = asyncio.Event()
        self._app = self._build()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)

    @property
    def empty(self) -> bool:
        return not self._mounts

    def add(self, mounts: Iterable[Mount]) -> None:
        mounts = tuple(mounts)
        for mount in mounts:
            if any(not (mount.shared and other.shared) for other in self._mounts.get(place_of(mount), ())):
                raise ConfigError(f"endpoint {self._name}: {mount.method} {mount.path} is taken by another source")
        for mount in mounts:
            self._mounts.setdefault(place_of(mount), []).append(mount)
            self._left.pop(place_of(mount), None)
        self._app = self._build()

    def remove(self, mounts: Iterable[Mount]) -> None:
        for mount in mounts:
            place = place_of(mount)
            self._mounts[place] = [other for other in self._mounts.get(place, ()) if other is not mount]
            if not self._mounts[place]:
                del self._mounts[place]
                self._left[place] = self._clock.monotonic() + LEAVING
        self._app = self._build()

    async def finished(self, mounts: Iterable[Mount], timeout: float) -> None:
        """Returns when their requests are answered, or after `timeout` seconds."""
        mounts = tuple(mounts)
        with suppress(TimeoutError):
            async with self._clock.timeout(timeout):
                while any(self._under_way[mount] for mount in mounts):
                    self._answered_one.clear()
                    await self._answered_one.wait()

    def _build(self) -> FastAPI:
        app = FastAPI(
            title=self._name, version="1", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
        )
        app.add_exception_handler(HTTPException, not_routed(self._clock))
        for (method, path), mounts in sorted(self._mounts.items(), key=lambda item: ("{" in item[0][1], item[0])):
            about = next((mount.about for mount in mounts if mount.about is not None), None)
            app.add_api_route(
                path,
                self._endpoint(tuple(mounts)),
                methods=[method],
                response_model=None,
                operation_id=f"{method.lower()}{path}",
                include_in_schema=about is not None,
                openapi_extra=dict(about or {}),
            )
        for (method, path), until in self._left.items():
            app.add_api_route(
                path, gone(until, self._clock), methods=[method], response_model=None, include_in_schema=False
            )
        if self._docs:
            self._describe(app)
        return app

    def _describe(self, app: FastAPI) -> None:
        schemes: dict[str, Any] = {}
        for mounts in self._mounts.values():
            for mount in mounts:
                schemes.update(mount.security)
        told = app.openapi()
        for operations in told.get("paths", {}).values():
            for operation in operations.values():
                operation.get("responses", {}).pop("200", None) if "202" in operation.get("responses", {}) else None
        if schemes:
            told.setdefault("components", {})["securitySchemes"] = schemes

        async def openapi() -> Response:
            return answer(WebResponse(200, json_of(told)))

        async def docs() -> Response:
            return answer(WebResponse(200, docs_page(told), "text/html; charset=utf-8"))

        app.add_api_route("/openapi.json", openapi, include_in_schema=False, response_model=None)
        app.add_api_route("/docs", docs, include_in_schema=False, response_model=None)

    def _endpoint(self, mounts: tuple[Mount, ...]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return await self._answered(request, mounts)
            except Exception:  # noqa: BLE001
                # Whatever broke: the client is told so, and the log why.
                self._log.exception("request_failed", endpoint=self._name, path=request.url.path)
                return refusal(request, problem(500), self._clock)

        return endpoint

    async def _answered(self, request: Request, mounts: tuple[Mount, ...]) -> Response:
        if sum(len(name) + len(value) for name, value in request.headers.raw) > LARGEST_HEAD:
            return refusal(request, problem(431), self._clock)
        asked = web_request(request, self._secure)
        if asked is None:
            return refusal(request, problem(400, detail="the path or the query is not UTF-8"), self._clock)
        address = self._addresses.of(asked.peer, asked.headers)
        if self._failed.shut_out(address):
            self._sampled.warning("address_shut_out", endpoint=self._name, peer=address)
            shut_out = problem(429, detail="too many wrong passwords or keys", retry_after=SHUT_OUT)
            return refusal(request, shut_out, self._clock)
        asked = replace(asked, peer=address or asked.peer)
        return await self._offered(request, asked, address, mounts)

    async def _offered(self, request: Request, asked: WebRequest, address: str, mounts: tuple[Mount, ...]) -> Response:
        """The first mount that takes it answers. `address` is counted when a password or key was wrong for all."""
        best: WebResponse | None = None
        for mount in mounts:
            self._under_way[mount] += 1
            try:
                begun = await mount.begin(asked)
                if isinstance(begun, Admitted):
                    return await self._take_request(request, begun, address)
                if begun.status < 400:
                    return answer(begun)
                best = begun if best is None or begun.status == 404 else best
            finally:
                self._under_way[mount] -= 1
                self._answered_one.set()
        self._count(best, address)
        return refusal(request, best or problem(404), self._clock)

    async def _take_request(self, request: Request, admitted: Admitted, address: str) -> Response:
        bounds = self._bounds
        largest = min(bounds.largest, admitted.largest or bounds.largest)
        try:
            async with body_of(request, largest, bounds.body_seconds, bounds.spool, self._clock, admitted.look) as body:
                made = await admitted.take(body)
                self._count(made, address)
                return answer(made)
        except BodyRefused as refused:
            return refusal(request, problem(refused.status, detail=str(refused)), self._clock)
        except LookRefused as refused:
            self._count(refused.response, address)
            return refusal(request, refused.response, self._clock)

    def _count(self, response: WebResponse | None, address: str) -> None:
        if response is not None and response.wrong_secret:
            self._failed.failed(address)


def place_of(mount: Mount) -> Place:
    return mount.method, mount.path


def not_routed(clock: Clock) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handler(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        allowed = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        made = problem(status)
        return refusal(request, WebResponse(status, made.body, made.content_type, allowed), clock)

    return handler


def gone(until: float, clock: Clock) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        leaving = clock.monotonic() < until
        return refusal(request, problem(503, retry_after=1) if leaving else problem(404), clock)

    return endpoint


def json_of(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, indent=2).encode()
