"""aiohttp against httpx, side by side: what one request costs a client that keeps its connections alive.

A uvicorn process answers `{"id": 1}` with 201 to a JSON order of 1 KB; the clients take turns, several rounds, and the
median round counts. `python -m benchmarks.http_clients`; httpx is not a dependency of the hub: `pip install httpx`
first.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import httpx
import uvicorn

REQUESTS = 1500
ROUNDS = 5
BODY = json.dumps(
    {"number": "104582", "partner": "ACME", "lines": [{"sku": f"SKU-{n:05}", "qty": n} for n in range(30)]}
)
HEADERS = {"Content-Type": "application/json", "Idempotency-Key": "7f3a"}

Post = Callable[[], Awaitable[None]]


async def answer(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"9")]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"id": 1}'})


def serve(listener: socket.socket) -> None:
    config = uvicorn.Config(answer, log_level="error", access_log=False, lifespan="off")
    asyncio.run(uvicorn.Server(config).serve([listener]))


async def measured(post: Post, concurrent: int) -> float:
    """Requests a second."""
    left = iter(range(REQUESTS))

    async def work() -> None:
        for _ in left:
            await post()

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(concurrent)))
    return REQUESTS / (time.perf_counter() - started)


async def compared(url: str, concurrent: int) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {"aiohttp": [], "httpx": []}
    limits = httpx.Limits(max_connections=concurrent, max_keepalive_connections=concurrent)
    connector = aiohttp.TCPConnector(limit=concurrent)
    body = BODY.encode()
    async with (
        aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session,
        httpx.AsyncClient(limits=limits, trust_env=False) as client,
    ):

        async def by_aiohttp() -> None:
            async with session.post(url, data=body, headers=HEADERS, allow_redirects=False) as reply:
                assert reply.status == 201
                assert await reply.read() == b'{"id": 1}'

        async def by_httpx() -> None:
            reply = await client.post(url, content=body, headers=HEADERS)
            assert reply.status_code == 201
            assert reply.content == b'{"id": 1}'

        for number in range(ROUNDS + 1):  # the first round warms both up
            for name, post in (("aiohttp", by_aiohttp), ("httpx", by_httpx)):
                rate = await measured(post, concurrent)
                if number:
                    rates[name].append(rate)
    return rates


def main() -> None:
    with socket.socket(
        socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    ) as listener:  # so named, asyncio sets no delay
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        server = multiprocessing.get_context("fork").Process(target=serve, args=(listener,), daemon=True)
        server.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/orders"
        try:
            for concurrent in (1, 20):
                rates = asyncio.run(compared(url, concurrent))
                ratios = [a / b for a, b in zip(rates["aiohttp"], rates["httpx"], strict=True)]
                medians = {name: statistics.median(found) for name, found in rates.items()}
                shown = ", ".join(f"{name} {rate:,.0f}/s" for name, rate in medians.items())
                spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
                print(f"{concurrent:>2} at once: {shown}; ratio {statistics.median(ratios):.2f} ({spread})")
        finally:
            server.terminate()
            server.join(10)


if __name__ == "__main__":
    main()
