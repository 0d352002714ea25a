"""The demo's ERP: a real HTTP server that takes some orders, is busy for one, holds one, and refuses one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

Answer = tuple[int, dict[str, Any]]


@dataclass(slots=True)
class Erp:
    """What it is told of order numbers: `busy` maps one to how many times it answers 503; `hold` wants a decision about
    credit the first time; `refuse` is never taken."""

    busy: Mapping[str, int] = field(default_factory=dict)
    hold: frozenset[str] = frozenset()
    refuse: frozenset[str] = frozenset()
    seen: Counter[str] = field(default_factory=Counter)
    taken: dict[str, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def answer(self, number: str, key: str) -> Answer:
        with self._lock:
            self.seen[number] += 1
            times = self.seen[number]
            if times <= self.busy.get(number, 0):
                return 503, {"error": {"code": "BUSY", "message": "month end is running"}}
            if number in self.hold and times == 1:
                return 409, {"error": {"code": "CREDIT_HOLD", "message": "the customer is over the credit limit"}}
            if number in self.refuse:
                return 422, {"error": {"code": "UNKNOWN_ITEM", "message": "the item is not in the catalogue"}}
            self.taken[number] = key
            return 201, {"id": f"SO-{90000 + len(self.taken)}", "number": number}

    def start(self) -> ThreadingHTTPServer:
        """Listens on a free port of the loopback; `shutdown` ends it."""
        erp = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    number = str(json.loads(body)["number"])
                except (ValueError, KeyError, TypeError):
                    self._reply(400, {"error": {"code": "BAD_REQUEST"}})
                    return
                self._reply(*erp.answer(number, self.headers.get("Idempotency-Key", "")))

            def _reply(self, status: int, value: dict[str, Any]) -> None:
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """The demo has a view of its own."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, name="demo-erp", daemon=True).start()
        return server
