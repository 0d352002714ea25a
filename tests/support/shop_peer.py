"""A shop that is asked for its orders, in a thread: it lives on while hubs are killed."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.order_peers import OrderPeer
from tests.support.site import order

PAGE = 4
"""Orders of one reply."""


class ShopPeer(OrderPeer):
    """Its orders stand in the order in which they came; who asks behind the last has taken them all."""

    source = (
        "rest: {endpoint: partner, call: 'GET /orders?since={cursor}', every: 50ms, items: /orders, id: /number,"
        " cursor: {reply: /until, start: '0'}}"
    )

    def __init__(self) -> None:
        self._orders: list[bytes] = []
        self._asked = -1
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = peer.answer(int(parse_qs(urlsplit(self.path).query)["since"][0]))
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                return  # whoever asked was killed

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.endpoint = f"partner: {{rest: {{base: 'http://127.0.0.1:{self._server.server_address[1]}'}}}}\n"

    def feed(self, numbers: Iterable[str]) -> None:
        self._orders += [order(number) for number in numbers]

    def empty(self) -> bool:
        return self._asked == len(self._orders)

    def answer(self, since: int) -> bytes:
        self._asked = since
        page = self._orders[since : since + PAGE]
        return b'{"orders": [%s], "until": %d}' % (b",".join(page), since + len(page))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
