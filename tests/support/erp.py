"""An ERP for tests: a real HTTP server that counts every request and answers by script. It never dedupes."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    """One request as it arrived. `times`: how often its key has been seen, this one included."""

    at: float
    path: str
    key: str
    number: str
    body: bytes
    headers: dict[str, str]
    times: int
    method: str = "POST"


@dataclass(frozen=True)
class Answer:
    """What to do with a request: a reply, or a misdeed."""

    status: int = 201
    body: bytes = b'{"id": 1}'
    headers: dict[str, str] = field(default_factory=dict)
    hang: float = 0.0
    raw: bytes | None = None
    """Sent as it is instead of a reply; then the socket is closed."""


Script = Callable[[Request], Answer]


class Erp:
    """`requests` holds everything that was asked, in order; `script` decides about each."""

    def __init__(self, script: Script = lambda request: Answer()) -> None:
        self.script = script
        self.requests: list[Request] = []
        self._times: dict[str, int] = {}
        self._lock = threading.Lock()
        self.url = ""

    def numbers(self) -> list[str]:
        return [request.number for request in self.requests]

    def of(self, number: str) -> list[Request]:
        return [request for request in self.requests if request.number == number]

    def note(self, path: str, headers: dict[str, str], body: bytes, method: str = "POST") -> Request:
        try:
            found = json.loads(body)
            number = str(found.get("number", "")) if isinstance(found, dict) else ""
        except ValueError:
            number = ""
        key = headers.get("Idempotency-Key", "")
        with self._lock:
            self._times[key] = self._times.get(key, 0) + 1
            request = Request(time.time(), path, key, number, body, headers, self._times[key], method)
            self.requests.append(request)
        return request

    @contextmanager
    def serving(self) -> Iterator[Erp]:
        erp = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = erp.script(erp.note(self.path, dict(self.headers.items()), body, self.command))
                if answer.hang:
                    stopped.wait(answer.hang)
                if answer.raw is not None:
                    self.wfile.write(answer.raw)
                    self.wfile.flush()
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_PUT = do_POST

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    return  # the client went away: what crash tests make it do

            def log_message(self, format: str, *args: Any) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                return

        stopped = threading.Event()
        server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            stopped.set()
            server.shutdown()
            server.server_close()
            thread.join(10)
