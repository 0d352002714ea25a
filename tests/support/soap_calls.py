"""A SOAP source on a listener of its own, and who calls it: zeep, and bytes of one's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import zeep
from lxml import etree

from adapters.soap.serving.names import NAMESPACES, Version
from adapters.soap.serving.options import SoapSourceOptions
from adapters.soap.serving.source import SoapSource
from hub.journal.journal import Journal
from tests.support.soap_orders import ORDERS, write_contract
from tests.support.web import context_of, listening_endpoint, running

ACCEPTED = {"operations": ["CreateOrder"], "reply": "accepted", "acceptance": "accepted.xml"}

LINES = [{"sku": "A-1", "quantity": 2}]


@asynccontextmanager
async def serving(
    folder: Path, journal: Journal, take: Any, security: Any = "none", name: str = "called", **options: Any
) -> AsyncIterator[str]:
    """Gives the URL of the source."""
    write_contract(folder)
    told = {
        "endpoint": "web",
        "path": "/soap/orders",
        "wsdl": "orders.wsdl",
        "security": security,
        **(options or ACCEPTED),
    }
    async with listening_endpoint(folder, journal, largest="20MB") as listener:
        made = SoapSourceOptions.model_validate_json(json.dumps(told))
        context = replace(
            context_of(folder, journal, listener), text=lambda where, name: (folder / where / name).read_text()
        )
        source = SoapSource(name, made, listener, context)
        async with running(source, take, listener, "/soap/orders?wsdl"):
            yield listener.url("/soap/orders")


async def called(work: Callable[[], Any]) -> Any:
    """zeep blocks."""
    return await asyncio.to_thread(work)


def client(url: str, port: str = "Port11", wsse: Any = None) -> Any:
    made = zeep.Client(f"{url}?wsdl", wsse=wsse, port_name=port)
    return made.service


def envelope(payload: str, version: Version = "1.1", header: str = "") -> bytes:
    namespace = NAMESPACES[version]
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return f'<s:Envelope xmlns:s="{namespace}">{head}<s:Body>{payload}</s:Body></s:Envelope>'.encode()


ORDER = (
    f'<CreateOrder xmlns="{ORDERS}"><number>1</number><line><sku xmlns="urn:example:types">A</sku>'
    '<quantity xmlns="urn:example:types">1</quantity></line></CreateOrder>'
)


async def post(
    url: str, body: bytes, content_type: str = "text/xml; charset=utf-8", **headers: str
) -> tuple[int, bytes]:
    named = {"Content-Type": content_type, **headers}
    async with aiohttp.ClientSession() as session, session.post(url, data=BytesIO(body), headers=named) as reply:
        return reply.status, await reply.read()


def fault_of(body: bytes) -> tuple[str, str]:
    """Code and text."""
    root = etree.fromstring(body)
    code = root.findtext(".//faultcode") or root.findtext(f".//{{{NAMESPACES['1.2']}}}Value")
    text = root.findtext(".//faultstring") or root.findtext(f".//{{{NAMESPACES['1.2']}}}Text")
    return code or "", text or ""
