"""How a document was addressed, as the far end has seen it: the fields of the adapter's address that it can know."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kombu
from lxml import etree

from tests.support.erp import Erp
from tests.support.mail_server import MailServer
from tests.support.spyne_erp import SpyneErp

SECRET = "s3cr3t-of-the-hub"
CLIENTS = ("host", "accept", "accept-encoding", "user-agent", "content-length")
"""Headers that every client of HTTP sends."""

Seen = dict[str, Any]


def seen_by_rest(erp: Erp) -> list[Seen]:
    return [
        {
            "method": one.method,
            **http(erp.url, one.path, one.headers),
            "target": f"{one.method} {erp.url}{open_part(one.path)}",
        }
        for one in erp.requests
    ]


def seen_by_soap(erp: SpyneErp) -> list[Seen]:
    found = []
    for one in erp.calls:
        names = {name.removeprefix("HTTP_").replace("_", "-").title(): text for name, text in one.headers.items()}
        names["SOAPAction"] = names.pop("Soapaction")
        names["X-Correlation-ID"] = names.pop("X-Correlation-Id")
        operation = etree.QName(etree.fromstring(one.envelope)[-1][0]).localname
        made = http(erp.url, one.url, names)
        found.append({**made, "operation": operation, "target": f"{operation} {made['url']}"})
    return found


def http(base: str, path: str, headers: Mapping[str, str]) -> Seen:
    ours = {name: text for name, text in headers.items() if name.lower() not in CLIENTS}
    secret = [name for name, text in ours.items() if SECRET in text]
    secret += [pair.partition("=")[0] for pair in path.partition("?")[2].split("&") if SECRET in pair]
    return {
        "url": base + open_part(path),
        "headers": {name: text for name, text in ours.items() if name not in secret},
        "credentials": tuple(secret),
    }


def open_part(path: str) -> str:
    """A path with its query, without what is secret in it."""
    place, _, query = path.partition("?")
    left = "&".join(pair for pair in query.split("&") if SECRET not in pair)
    return f"{place}?{left}" if left else place


def seen_in(folder: Path) -> list[Seen]:
    """Of a folder that the options call by its own name."""
    names = sorted(path.name for path in folder.iterdir())
    return [{"name": name, "folder": folder.name, "path": f"{folder.name}/{name}"} for name in names]


def seen_by_consumer(deliveries: list[Any]) -> list[Seen]:
    return [
        {
            "exchange": one.origin.exchange,
            "key": one.origin.key,
            "target": f"peer:{one.origin.exchange} {one.origin.key}",
            "message_id": one.message.id,
            **{name: getattr(one.message, name) for name in ("correlation_id", "type", "content_type", "reply_to")},
            **amqp(one.message.headers),
            "properties": dict(one.message.properties),
        }
        for one in deliveries
    ]


def amqp(headers: Mapping[str, Any]) -> Seen:
    secret = tuple(name for name, value in headers.items() if value == SECRET)
    return {"headers": {name: value for name, value in headers.items() if name not in secret}, "credentials": secret}


def seen_by_mail(server: MailServer) -> list[Seen]:
    return [
        {
            "sender": str(mail["From"]),
            "to": tuple(recipients),
            "target": ", ".join(recipients),
            "subject": str(mail["Subject"]),
            "text": next(part.get_content() for part in mail.walk() if part.get_content_type() == "text/plain").strip(),
            "name": next(mail.iter_attachments()).get_filename(),
            "date": str(mail["Date"]),
            "message_id": str(mail["Message-ID"]),
        }
        for mail, recipients in zip(server.taken, server.recipients, strict=True)
    ]


def seen_by_kombu(transport: Mapping[str, Any], queue: str) -> list[Seen]:
    with kombu.Connection("filesystem://", transport_options=dict(transport)) as connection:
        waiting = connection.SimpleQueue(queue)
        found = []
        while waiting.qsize():
            one = waiting.get_nowait()
            one.ack()
            known = {name: one.properties[name] for name in ("message_id", "correlation_id", "type")}
            found.append(
                {
                    "queue": queue,
                    "target": f"peer:{queue}",
                    "content_type": one.content_type,
                    **known,
                    **amqp(one.headers),
                }
            )
        waiting.close()
    return found
