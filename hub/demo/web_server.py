"""How the demo's ERPs are reached: a small HTTP server on a free port of the loopback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Answer = tuple[int, bytes]
Ask = Callable[[bytes, Mapping[str, str]], Answer]
"""Body and headers of a POST to status and body of its answer. Called from many threads."""


class WebServer:
    """Serves from the moment it is made until `close`."""

    def __init__(self, name: str, content_type: str, ask: Ask) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                status, body = ask(self.rfile.read(int(self.headers.get("Content-Length", 0))), dict(self.headers))
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """The demo has a view of its own."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, name=name, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
