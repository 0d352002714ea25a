"""A system behind OAuth 2: one server that gives tokens and takes requests with those that are good."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class TokenServer:
    """`good` are the tokens that are taken; `asked` the forms in which tokens were asked for, with their
    Authorization."""

    lives: Any = 3600
    answer: tuple[int, bytes] | None = None
    good: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)
    given: int = 0
    url: str = ""

    @contextmanager
    def serving(self, tls: ssl.SSLContext | None = None) -> Iterator[TokenServer]:
        state, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                known = self.headers.get("Authorization", "")
                with lock:
                    if self.path == "/token":
                        self.answer(*state.token(body.decode(), known))
                        return
                    if tls is not None:
                        subject = dict(pair[0] for pair in self.connection.getpeercert()["subject"])  # type: ignore[attr-defined]
                        state.peers.append(subject["commonName"])
                    state.requests.append((self.command, self.path, known))
                    good = tls is not None or known.removeprefix("Bearer ") in state.good
                    self.answer(201 if good else 401, b'{"id": 1}')

            do_GET = do_DELETE = do_PUT = do_PATCH = do_POST

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                return

        server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join(10)

    def token(self, form: str, authorization: str) -> tuple[int, bytes]:
        self.asked.append((form, authorization))
        if self.answer is not None:
            return self.answer
        self.given += 1
        value = f"token-{self.given}"
        self.good = {value}
        return 200, json.dumps({"access_token": value, "expires_in": self.lives, "token_type": "Bearer"}).encode()
