"""A site that sends to a partner through a writer with control numbers, and takes the partner's acknowledgments.

The writer is a real one of a site's own: JSON with the control number in it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from hub.app.logs import make_logger
from hub.app.plugin_discovery import discover
from hub.app.running_hub import RunningHub
from hub.app.site_folder import SiteFolder
from hub.clock.system_clock import SystemClock
from hub.core.agreement import Agreement, ExpectAck
from hub.core.context import Context
from hub.core.errors import DecodeError, MappingError
from hub.core.partners import PartnerDirectory
from hub.core.plugin import Options, ReaderPlugin, WriterPlugin
from hub.core.plugins import Plugins
from hub.core.ports import Body, Reading, WriteContext, Written
from hub.documents import Document, FunctionalAcknowledgment, from_json, to_json
from tests.support.brokers import LIMIT
from tests.support.site import INBOX, SiteOnDisk, order
from tests.support.stories import status_becomes

ROUTES = (
    INBOX
    + """\
  partner:
    file: {folder: var/partner, ignore: ["*.tmp"], settle: 0s, poll: 50ms}
    read: envelopes
routes:
  - id: orders
    when: {document: order, partner: ACME}
    to: [acme-out]
"""
)


class NumberedOptions(Options):
    """What the writer of these tests is told."""

    partner: str = Field(description="Whose control numbers.")
    within: float | None = Field(None, description="Seconds in which an acknowledgment is expected.")
    refuse: str = Field("", description="A document number that the writer refuses.")


class NumberedWriter:
    """Writes what the document is and which number it has."""

    def __init__(self, options: NumberedOptions) -> None:
        self._options = options

    @property
    def sequence(self) -> str:
        return self._options.partner

    def write(self, document: Document, context: WriteContext) -> Written:
        if document.number == self._options.refuse:
            raise MappingError(f"{document.number} has no buyer")
        number = context.control_number
        body = {"number": document.number, "control_number": number, "key": context.key}
        facts = {"set": "850", "group_code": "PO", "control_number": f"{number:09d}"}
        return Written(json.dumps(body).encode(), "application/json", facts, self._options.within)


class NoOptions(Options):
    """Nothing to say."""


class EnvelopeReader:
    """Reads JSON lines `{"envelope": {...}, "document": {...}}` or `{"envelope": {...}, "refuse": "why"}`; the first
    may be `{"interchanges": [[partner, control number, position], ...]}`."""

    def __init__(self) -> None:
        self.duplicates: list[Mapping[str, str]] = []

    def read(self, body: Body, headers: Mapping[str, Any] | None = None) -> Iterator[Reading]:
        duplicates = dict((headers or {}).get("hub-duplicate-interchanges", {}))
        for n, line in enumerate(_lines(body), 1):
            if "interchanges" in line:
                continue
            position = tuple(line.get("position", str(n)).split("."))
            if (text := duplicates.get(position[0])) is not None:
                yield Reading(
                    position, error=DecodeError(f"a duplicate, {text}", code="025"), envelope=line["envelope"]
                )
            elif "refuse" in line:
                yield Reading(position, error=DecodeError(line["refuse"]), envelope=line["envelope"])
            else:
                document = from_json(json.dumps(line["document"]).encode())
                yield Reading(position, document, envelope=line["envelope"])

    def interchanges(self, body: Body) -> Iterator[tuple[str, str, str]]:
        for line in _lines(body):
            yield from ((partner, number, position) for partner, number, position in line.get("interchanges", ()))


def _lines(body: Body) -> list[Any]:
    return [json.loads(line) for line in b"".join(body.chunks()).splitlines()]


def plugins() -> Plugins:
    known = [plugin for kind in discover().by_kind.values() for plugin in kind.values()]
    return Plugins.of(
        [
            *known,
            WriterPlugin(
                name="numbered",
                options=NumberedOptions,
                summary="Writes.",
                example="partner: A",
                build=lambda n, o, c: NumberedWriter(o),
            ),
            ReaderPlugin(name="envelopes", options=NoOptions, summary="Reads.", example="{}", build=_reader),
        ]
    )


def _reader(name: str, options: Any, context: Context) -> EnvelopeReader:
    return EnvelopeReader()


class PartnerSite(SiteOnDisk):
    """ACME gets orders into the folder var/out, and answers into var/partner."""

    agreement = Agreement("ACME", (), expect_ack=ExpectAck(60.0, "acme-desk"))

    def __init__(self, folder: Path, *, amqp: str | None = None, journal: str = "var/hub.db") -> None:
        super().__init__(folder, amqp=amqp, journal=journal)
        (folder / "config/endpoints.yaml").unlink()
        self.writes(within="60.0")
        self.write("routes/acme.yaml", ROUTES)

    def writes(self, **options: str) -> None:
        """What the writer is told."""
        told = "".join(f", {name}: {value}" for name, value in options.items())
        self.write(
            "config/destinations.yaml",
            'acme-out:\n  file: {folder: var/out, name: "{set}_{control_number}.json"}\n'
            f"  write: {{numbered: {{partner: ACME{told}}}}}\n  retry: fast\n",
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[RunningHub]:
        site, known = SiteFolder(self.folder), plugins()
        checked = site.check(known, self.environ)
        assert checked.site is not None, [str(finding) for finding in checked.findings]
        agreed = replace(checked.site, partners=PartnerDirectory([self.agreement]))
        self._lay_journal()
        with (self.folder / "hub.log").open("a", buffering=1) as stream:
            hub = RunningHub(
                site, agreed, known, make_logger("info", json=True, stream=stream), SystemClock(), self.environ
            )
            try:
                await asyncio.wait_for(hub.start(), LIMIT)
                yield hub
            finally:
                await hub.stop(5.0)

    def sent(self) -> dict[str, Any]:
        """What lies in the partner's folder, by file name."""
        return {path.name: json.loads(path.read_bytes()) for path in sorted((self.folder / "var/out").glob("*.json"))}

    def answer(self, name: str, *lines: Any) -> None:
        """Puts a file of the partner's into the hub's way."""
        body = b"\n".join(json.dumps(line).encode() for line in lines)
        self.drop(name, body, "var/partner")


def acknowledgment(number: int | str, status: str = "A", *, partner: str = "ACME", **more: Any) -> Any:
    """A line of the partner's file: a 997 for a group of ours."""
    values = {"number": str(number), "group_code": "PO", "status": status, "included": 1, "received": 1}
    document = FunctionalAcknowledgment.model_validate({**values, "accepted": int(status in "AE"), **more})
    return {"envelope": {"partner": partner, "set": "997"}, "document": json.loads(to_json(document))}


async def send(hub: RunningHub, site: PartnerSite, number: str = "1001") -> None:
    """An order goes to the partner."""
    site.drop(f"{number}.json", order(number))
    await status_becomes(hub, number, "delivered", "acme-out")
