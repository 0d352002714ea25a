"""The checks that a plug-in's own test calls: each has a plug-in that keeps the promise, and one that breaks it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters.file.address import FileAddress
from hub.app.plugin_contract import (
    addresses,
    bears_garbage,
    fails,
    installed,
    made,
    outgoing,
    reads_lazily,
    refuses,
    sends,
    source_waits_for_take,
    writes,
)
from hub.core.errors import DecodeError, HubError, RejectedError
from hub.core.outgoing_address import OutgoingAddress
from hub.core.plugin import PluginKind
from hub.core.ports import Arrival, Body, BytesBody, Outgoing, Reading, Receipt, Take, WriteContext, Written
from hub.documents import Order

SAMPLE = b'{"document": "order@1", "number": "1", "partner": "ACME"}\n'


@pytest.mark.parametrize(("kind", "name"), [("reader", "ndjson"), ("destination", "file"), ("source", "schedule")])
def test_ours_are_declared_as_the_contract_asks(kind: PluginKind, name: str) -> None:
    installed(kind, name)


def test_what_is_not_installed_says_what_to_do() -> None:
    with pytest.raises(AssertionError, match=r"finds no reader 'ndjsn'.*pip install -e \."):
        installed("reader", "ndjsn")


def test_options_that_are_taken_are_no_refusal() -> None:
    with pytest.raises(AssertionError, match="takes the options"):
        refuses(installed("destination", "file"), {"folder": "var/out"})


def test_our_reader_bears_garbage_and_reads_lazily(tmp_path: Path) -> None:
    reader = made(installed("reader", "ndjson"), tmp_path, {"document": "order@1"})
    bears_garbage(reader, SAMPLE)
    reads_lazily(reader, SAMPLE)


def test_our_destination_sends_and_its_failures_are_of_the_two(tmp_path: Path) -> None:
    plugin = installed("destination", "file")
    options = {"folder": "var/out", "name": "{number}.json"}
    assert addresses(made(plugin, tmp_path, options), outgoing())["target"] == "var/out/1.json"
    assert len(sends(made(plugin, tmp_path, options), outgoing(), outgoing())) == 2
    with pytest.raises(AssertionError, match="it was sent"):
        fails(made(plugin, tmp_path, options), outgoing())
    assert isinstance(fails(made(plugin, tmp_path, options), outgoing(b"other")), RejectedError)


class Origin:
    """A source with one thing at its origin; what it does with it is the test's."""

    def __init__(self, run: Callable[[Origin, Take], Any]) -> None:
        self.left = 1
        self._run = run

    async def run(self, take: Take) -> None:
        await self._run(self, take)


async def patient(origin: Origin, take: Take) -> None:
    while True:
        if origin.left:
            try:
                await take(Arrival("mine", BytesBody(SAMPLE)))
                origin.left = 0
            except HubError:
                pass
        await asyncio.sleep(0.01)


async def early(origin: Origin, take: Take) -> None:
    origin.left = 0
    await take(Arrival("mine", BytesBody(SAMPLE)))


async def easily_ended(origin: Origin, take: Take) -> None:
    await take(Arrival("mine", BytesBody(SAMPLE)))


async def ever_new(origin: Origin, take: Take) -> None:
    for salt in ("1", "2"):
        try:
            await take(Arrival("mine", BytesBody(SAMPLE), salt=salt))
            origin.left = 0
        except HubError:
            pass
    await asyncio.Event().wait()


def test_a_source_that_keeps_its_contract() -> None:
    origin = Origin(patient)
    assert source_waits_for_take(origin, lambda: origin.left).source == "mine"


@pytest.mark.parametrize(
    ("run", "told"), [(early, "acknowledged before"), (easily_ended, "ended by itself"), (ever_new, "another salt")]
)
def test_a_source_that_breaks_it(run: Callable[[Origin, Take], Any], told: str) -> None:
    origin = Origin(run)
    with pytest.raises(AssertionError, match=told):
        source_waits_for_take(origin, lambda: origin.left)


class Careless:
    """Breaks every promise of a destination, a reader and a writer."""

    def __init__(self) -> None:
        self._count = 0

    def address(self, outgoing: Outgoing) -> OutgoingAddress:
        self._count += 1
        return FileAddress(folder="out", name=f"{outgoing.key}-{self._count}")

    async def send(self, outgoing: Outgoing) -> Receipt:
        raise KeyError("oh")

    async def close(self) -> None:
        return None

    def read(self, body: Body, headers: Mapping[str, Any] | None = None) -> Iterator[Reading]:
        yield Reading((b"".join(body.chunks()).decode(),), error=DecodeError("no"))

    def write(self, document: Any, context: WriteContext) -> Written:
        self._count += 1
        return Written(b"%d" % self._count)


def test_each_broken_promise_is_told() -> None:
    order = Order.model_validate({"number": "1", "partner": "ACME", "lines": []})
    with pytest.raises(AssertionError, match="TransientError or RejectedError, not KeyError"):
        fails(Careless(), outgoing())
    with pytest.raises(AssertionError, match="two different addresses"):
        addresses(Careless(), outgoing())
    with pytest.raises(AssertionError, match="DecodeError alone, not UnicodeDecodeError"):
        bears_garbage(Careless(), SAMPLE)
    with pytest.raises(AssertionError, match="reads the body whole"):
        reads_lazily(Careless(), SAMPLE)
    with pytest.raises(AssertionError, match="two different texts"):
        writes(Careless(), order)
