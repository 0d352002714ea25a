"""A reader, a step and a writer that do to their process what the body, or the number of the document, says."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from hub.core.plugin import LINEAR, DestinationPlugin, Options, ReaderPlugin, StepPlugin, WriterPlugin
from hub.core.ports import Body, Outgoing, Reading, Receipt, WriteContext, Written
from hub.core.step import Stepped
from hub.documents import Document, Order

ORDER = {"partner": "ACME", "lines": ({"number": "1", "quantity": "2", "unit": "EA"},)}


class HostileOptions(Options):
    """What the site says."""

    partner: str = Field("ACME", description="Whose orders they are.")
    bounded: bool = Field(False, description="Whether the plug-in says that its work is small.")


def obey(words: str) -> None:
    """Does what the words say; nothing for any others."""
    for word in words.split():
        if word == "spin":
            while True:
                pass
        elif word == "allocate":
            bytearray(1 << 40)
        elif word == "grow":
            kept = []
            while True:
                kept.append(bytearray(1 << 24))
        elif word == "exit":
            os._exit(3)
        elif word == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif word == "crash":
            ctypes.string_at(0)
        elif word == "sleep":
            time.sleep(3600)
        elif word == "leave":
            raise SystemExit(7)


class HostileReader:
    """Each line is an order; what its words say is done before."""

    def __init__(self, partner: str) -> None:
        self._partner = partner

    def read(self, body: Body, headers: Mapping[str, Any] | None = None) -> Iterator[Reading]:
        for number, line in enumerate(b"".join(body.chunks()).decode().splitlines(), 1):
            obey(line)
            named = {**ORDER, "partner": self._partner, "number": line.split()[-1]}
            yield Reading((str(number),), Order.model_validate(named))


class HostileStep:
    def take(self, document: Document, facts: Mapping[str, Any]) -> Stepped:
        obey(document.number.replace("-", " "))
        return Stepped(document)


class HostileWriter:
    def write(self, document: Document, context: WriteContext) -> Written:
        obey(document.number.replace("-", " "))
        return Written(document.number.encode(), "text/plain")


def bounded(options: HostileOptions) -> int:
    return LINEAR if options.bounded else 0


PLUGINS = (
    ReaderPlugin(
        name="hostile",
        options=HostileOptions,
        summary="Does what the body says.",
        example="{}",
        build=lambda name, options, context: HostileReader(options.partner),
        bounded=bounded,
    ),
    StepPlugin(
        name="hostile",
        options=HostileOptions,
        summary="Does what the number says.",
        example="{}",
        build=lambda name, options, context: HostileStep(),
        bounded=bounded,
    ),
    WriterPlugin(
        name="hostile",
        options=HostileOptions,
        summary="Does what the number says.",
        example="{}",
        build=lambda name, options, context: HostileWriter(),
        bounded=bounded,
    ),
)


class HostileDestination:
    """Ends the process for a document with such a number; others it writes into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, outgoing: Outgoing) -> Receipt:
        number = str(outgoing.facts["number"])
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "begun").open("a") as begun:
            begun.write(f"{number}\n")
        await asyncio.sleep(0.3)  # so that its neighbors are in work too
        obey(number.replace("-", " "))
        with (self._folder / "sent").open("a") as sent:
            sent.write(f"{number}\n")
        return Receipt()

    async def close(self) -> None:
        return None


class FolderOptions(Options):
    """Where it writes."""

    folder: str = Field(description="A folder of the site.")


DESTINATION = DestinationPlugin(
    name="hostile",
    options=FolderOptions,
    summary="Ends its process for some documents.",
    example="folder: var/hostile\n",
    build=lambda name, options, context: HostileDestination(context.site / options.folder),
)
PLUGINS = (*PLUGINS, DESTINATION)


def install(folder: Path) -> dict[str, str]:
    """The hostile plug-ins, as a distribution that is installed beside the hub; the environment that has it."""
    metadata = folder / "hostile-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: hostile\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[hub.plugins]\nhostile = tests.support.hostile_plugin\n")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{Path(__file__).parents[2]}"}
