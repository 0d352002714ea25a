"""Files on an S3-shaped store: a server of moto's on the loopback, spoken to by s3fs."""

from __future__ import annotations

import asyncio
import os
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import structlog
from moto.server import ThreadedMotoServer
from pydantic import ValidationError

from adapters.file import (
    FileDestinationOptions,
    FileSourceOptions,
    FileStore,
    StoreDestination,
    StoreEndpointOptions,
    StoreSource,
)
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.errors import RejectedError, TransientError
from hub.core.ports import Arrival, Outgoing, Receipt, Taken
from tests.support.brokers import eventually
from tests.support.running_source import running_source

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    urllib.request.urlopen(f"http://{host}:{port}/moto-api/reset", data=b"").close()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str) -> Any:
    client = boto3.resource(
        "s3", endpoint_url=s3, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1"
    )
    made = client.Bucket("acme")
    made.create()
    return made


@pytest.fixture
def store(s3: str, bucket: Any) -> FileStore:
    options = {"url": "s3://acme/edi/", "options": {"key": "k", "secret": "s", "endpoint_url": s3}}
    return FileStore("acme-s3", StoreEndpointOptions.model_validate(options))


def keys(bucket: Any) -> dict[str, bytes]:
    return {each.key: each.get()["Body"].read() for each in bucket.objects.all()}


def names(bucket: Any) -> set[str]:
    return {each.key for each in bucket.objects.all()}


class Takes:
    """An intake that remembers."""

    def __init__(self) -> None:
        self.taken: dict[str, bytes] = {}
        self.calls = 0
        self.settled: list[str] = []

    async def __call__(self, arrival: Arrival) -> Taken:
        self.calls += 1
        body = b"".join(arrival.body.chunks())
        self.taken[arrival.name] = body

        async def settle() -> None:
            self.settled.append(arrival.name)

        return Taken(0, 1, "no", settled=settle) if body == b"bad" else Taken(1, settled=settle)


@asynccontextmanager
async def polling(store: FileStore, site: Path, take: Any, **options: Any) -> AsyncIterator[None]:
    wanted = {"store": "acme-s3", "folder": "out", "settle": "0s", "poll": "50ms", **options}
    context = Context(site, log=structlog.get_logger(), spool=site / "spool", clock=SystemClock())
    source = StoreSource("inbox", FileSourceOptions.model_validate(wanted), store, context)
    async with running_source(source, take):
        yield


def outgoing(body: bytes, number: str = "1") -> Outgoing:
    return Outgoing("id", "order@1", "key", body, "application/json", facts={"number": number, "document": "order"})


def destination(store: FileStore, **options: Any) -> StoreDestination:
    wanted = {"store": "acme-s3", "folder": "in", **options}
    return StoreDestination(FileDestinationOptions.model_validate(wanted), store)


async def test_what_the_name_says_is_a_fact(store: FileStore, bucket: Any, tmp_path: Path) -> None:
    found: dict[str, Any] = {}

    async def take(arrival: Arrival) -> Taken:
        found[arrival.name] = dict(arrival.facts)
        return Taken(1)

    async def two() -> bool:
        return len(found) == 2

    bucket.put_object(Key="edi/out/orders_west_1.csv", Body=b"1")
    bucket.put_object(Key="edi/out/big.csv", Body=os.urandom(1_000_000))
    async with polling(store, tmp_path, take, name="orders_{region}_*.csv"):
        await eventually(two)
    assert found == {"orders_west_1.csv": {"region": "west"}, "big.csv": {}}


async def test_files_are_taken_and_put_away(store: FileStore, bucket: Any, tmp_path: Path) -> None:
    big = os.urandom(3_000_000)
    for name, body in (("a.edi", b"good"), ("b.edi", b"bad"), ("big.edi", big), ("c.txt", b"x"), ("d.edi.tmp", b"x")):
        bucket.put_object(Key=f"edi/out/{name}", Body=body)
    bucket.put_object(Key="edi/out/deeper/e.edi", Body=b"not in the folder itself")
    take = Takes()
    gone = {"edi/out/done/a.edi", "edi/out/failed/b.edi", "edi/out/done/big.edi"}
    left = {"edi/out/c.txt", "edi/out/d.edi.tmp", "edi/out/deeper/e.edi"}
    async with polling(store, tmp_path, take, match="*.edi"):

        async def put_away() -> bool:
            return names(bucket) == gone | left

        async def settled() -> bool:
            return sorted(take.settled) == ["a.edi", "b.edi", "big.edi"]

        await eventually(put_away)
        await eventually(settled)
    assert take.taken == {"a.edi": b"good", "b.edi": b"bad", "big.edi": big}
    assert not list((tmp_path / "spool/store-inbox").iterdir())


async def test_a_name_that_was_done_before_keeps_both(store: FileStore, bucket: Any, tmp_path: Path) -> None:
    bucket.put_object(Key="edi/out/done/a.edi", Body=b"earlier")
    bucket.put_object(Key="edi/out/a.edi", Body=b"later")
    async with polling(store, tmp_path, Takes()):

        async def moved() -> bool:
            return "edi/out/a.edi" not in names(bucket)

        await eventually(moved)
    assert sorted(keys(bucket).values()) == [b"earlier", b"later"]


async def test_what_was_not_taken_stays_and_comes_again(store: FileStore, bucket: Any, tmp_path: Path) -> None:
    bucket.put_object(Key="edi/out/a.edi", Body=b"x")
    tries = 0

    async def moody(arrival: Arrival) -> Taken:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise TransientError("away", "unreachable")
        return Taken(1)

    async with polling(store, tmp_path, moody):

        async def done() -> bool:
            return "edi/out/done/a.edi" in names(bucket)

        await eventually(done)
    assert tries == 3


async def test_objects_are_written_whole_and_never_replaced_unless_told(store: FileStore, bucket: Any) -> None:
    await destination(store).send(outgoing(b"one"))
    assert "stood there already" in (await destination(store).send(outgoing(b"one"))).text
    with pytest.raises(RejectedError, match="other contents"):
        await destination(store).send(outgoing(b"two"))
    assert keys(bucket) == {"edi/in/order_1.json": b"one"}
    await destination(store, overwrite=True).send(outgoing(b"two"))
    assert keys(bucket) == {"edi/in/order_1.json": b"two"}


async def test_two_of_one_name_never_replace_each_other_where_files_are_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    renaming = FileStore("share", StoreEndpointOptions.model_construct(url="file://share", options={}))
    for number in range(20):
        bodies = [letter * 200_000 for letter in (b"a", b"b", b"c")]
        sends = [destination(renaming).send(outgoing(body, str(number))) for body in bodies]
        results = await asyncio.gather(*sends, return_exceptions=True)
        delivered = [body for body, result in zip(bodies, results, strict=True) if isinstance(result, Receipt)]
        assert delivered == [(tmp_path / f"share/in/order_{number}.json").read_bytes()], results
    assert not list((tmp_path / "share/in").glob(".*"))


@pytest.mark.parametrize("number", ["../../etc/passwd", "/abs", "..", "a\nb"])
async def test_a_fact_never_becomes_a_path(store: FileStore, bucket: Any, number: str) -> None:
    await destination(store, name="{number}.json").send(outgoing(b"x", number))
    (key,) = keys(bucket)
    assert key.startswith("edi/in/")
    assert key.count("/") == 2


async def test_a_store_that_is_away_or_denies(store: FileStore, tmp_path: Path) -> None:
    options = {"key": "k", "secret": "s", "endpoint_url": "http://127.0.0.1:1"}
    config = {"config_kwargs": {}}
    gone = FileStore(
        "gone", StoreEndpointOptions.model_validate({"url": "s3://acme", "options": {**options, **config}})
    )
    with pytest.raises(TransientError, match="store gone"):
        await destination(gone).send(outgoing(b"x"))
    nowhere = FileStore(
        "nowhere", StoreEndpointOptions.model_validate({"url": "s3://not-there", "options": store.options.options})
    )
    with pytest.raises(TransientError, match="store nowhere"):
        await destination(nowhere).send(outgoing(b"x"))


@pytest.mark.parametrize("url", ["acme", "nothing://x", "file:///etc", "local://x"])
def test_what_is_no_store_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        StoreEndpointOptions(url=url)
