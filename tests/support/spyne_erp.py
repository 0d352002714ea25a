"""An ERP that speaks SOAP: a real server, by spyne, another library than the hub's. It counts every call."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from urllib.request import urlopen
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from lxml import etree

from tests.support.spyne_imports import replace_moves

replace_moves()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from spyne import Application, Decimal, Fault, ServiceBase, Unicode, const, rpc
    from spyne.protocol.soap import Soap11, Soap12
    from spyne.server.wsgi import WsgiApplication

sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "spyne.util.six"]
# an importer of old times, at which every later import would warn

const.MIN_GC_INTERVAL = float("inf")  # else it collects garbage in the whole process of the tests after each call

SPACE = "urn:example:erp"


@dataclass(frozen=True)
class Call:
    """One call as it arrived."""

    number: str
    amount: Any
    key: str
    headers: dict[str, str]
    envelope: bytes
    url: str = ""


@dataclass
class SpyneErp:
    """`calls` holds everything that was asked; `script` answers, or raises a Fault."""

    version: str = "1.1"
    script: Callable[[Call], str] = lambda call: f"E-{call.number}"
    calls: list[Call] = field(default_factory=list)
    url: str = ""

    def application(self) -> Any:
        erp = self

        class Orders(ServiceBase):  # type: ignore[misc]
            @rpc(Unicode, Decimal, _returns=Unicode, _out_variable_name="order_id")  # type: ignore[untyped-decorator]
            def create_order(ctx: Any, number: str, amount: Any) -> str:
                environ = ctx.transport.req_env
                headers = {
                    name: str(value) for name, value in environ.items() if name.startswith(("HTTP_", "CONTENT_T"))
                }
                key = headers.get("HTTP_IDEMPOTENCY_KEY", "")
                url = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
                call = Call(number, amount, key, headers, etree.tostring(ctx.in_document), url)
                erp.calls.append(call)
                return erp.script(call)

        protocol = Soap11 if self.version == "1.1" else Soap12
        return WsgiApplication(
            Application([Orders], SPACE, in_protocol=protocol(validator="lxml"), out_protocol=protocol())
        )

    def contract(self, folder: Path) -> Path:
        """The server's own WSDL, put where a site keeps it."""
        path = folder / "routes/schemas/erp.wsdl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with urlopen(self.url + "/?wsdl", timeout=10) as reply:
            path.write_bytes(reply.read())
        return path

    @contextmanager
    def serving(self) -> Iterator[SpyneErp]:
        class Quiet(WSGIRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                return

        class Server(ThreadingMixIn, WSGIServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                return

        logging.getLogger("spyne").setLevel(logging.CRITICAL)
        server = make_server("127.0.0.1", 0, self.application(), server_class=Server, handler_class=Quiet)
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join(10)


__all__ = ["Call", "Fault", "SpyneErp"]
