"""X12 that comes packed: answered, traced and recognised as X12 that comes plain."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from tests.golden.x12_files import FIXTURES
from tests.support.brokers import eventually
from tests.support.site import SiteOnDisk
from tests.support.stories import dead_letters, status_becomes

SMALL = (FIXTURES / "850-small.edi").read_bytes()
ACME = """\
partner: ACME
ids: [{qualifier: "01", id: "043645501"}]
we: {qualifier: "01", id: "068717859"}
x12: {receive: ["850", "997"], acknowledge: {with: "997"}, duplicates: {days: 30}}
"""
ROUTES = """\
format: 1
owner: order-desk
sources:
  edi:
    file: {folder: var/edi, settle: 0s, poll: 50ms}
    unpack: auto
    read: x12
routes:
  - id: orders
    when: {document: order, partner: ACME}
    to: [erp]
"""


def in_gzip(*bodies: bytes) -> bytes:
    return gzip.compress(b"".join(bodies))


def in_zip(*bodies: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for number, body in enumerate(bodies, 1):
            packed.writestr(f"{number}.edi", body)
    return made.getvalue()


def in_mime(*bodies: bytes) -> bytes:
    message = EmailMessage()
    message["Message-ID"] = "<1@acme.example>"
    for number, body in enumerate(bodies, 1):
        message.add_attachment(body, "application", "edi-x12", filename=f"{number}.edi")
    return bytes(message)


def again(body: bytes, number: str, control: str = "000000007") -> bytes:
    return body.replace(b"*104582*", f"*{number}*".encode()).replace(b"000000007", control.encode())


@pytest.fixture
def site(site: SiteOnDisk) -> SiteOnDisk:
    site.write("config/partners/acme.yaml", ACME)
    destinations = (site.folder / "config/destinations.yaml").read_text()
    acme_out = 'acme-out:\n  file: {folder: var/out, name: "{set}_{control_number}.edi"}\n  write: {x12: ACME}\n'
    site.write("config/destinations.yaml", destinations + acme_out)
    site.write("routes/acme.yaml", ROUTES)
    return site


async def answers(site: SiteOnDisk, count: int) -> list[str]:
    """The TA1 and AK lines of what went out to the partner."""
    folder = site.folder / "var/out"

    async def there() -> bool:
        return len(list(folder.glob("*.edi"))) >= count

    await eventually(there)
    lines = [line for path in sorted(folder.glob("*.edi")) for line in path.read_text().split("~")]
    return [line.strip() for line in lines if line.strip().startswith(("TA1", "AK5"))]


@pytest.mark.parametrize("site", ["embedded"], indirect=True)
@pytest.mark.parametrize("packed", [in_gzip, in_zip, in_mime])
async def test_it_is_answered_and_traced(site: SiteOnDisk, packed: Callable[..., bytes]) -> None:
    async with site.running() as hub:
        site.drop("a.bin", packed(SMALL), "var/edi")
        told = await status_becomes(hub, "104582", "delivered")
        assert await answers(site, 1) == ["AK5*A"]
    assert told.position == "1.1.1.1"
    traced = await asyncio.to_thread(site.cli, "trace", "104582", "--lineage", "--json")
    (message,) = [one for one in json.loads(traced.stdout)["messages"] if one["document"] == "order@1"]
    (number,) = [one for one in message["lineage"] if one["field"] == "number"]
    assert (number["where"], number["text"]) == ("BEG03", "104582")
    assert [answer["set"] for answer in message["answers"]] == ["997"]


@pytest.mark.parametrize("site", ["embedded"], indirect=True)
async def test_a_number_that_comes_again_is_a_duplicate_whatever_it_is_packed_in(site: SiteOnDisk) -> None:
    async with site.running() as hub:
        site.drop("a.edi", SMALL, "var/edi")
        await answers(site, 1)
        site.drop("b.gz", in_gzip(again(SMALL, "104583")), "var/edi")
        assert [line for line in await answers(site, 2) if line.startswith("TA1")] == [
            "TA1*000000007*260302*0815*R*025"
        ]
        (dead,) = await dead_letters(hub, 1, kind="source")
        assert "the interchange control number was taken on " in dead.cause
        assert dead.position == "1.1"
    listed = await asyncio.to_thread(site.cli, "dead", "list")
    assert "b.gz, entry 1, interchange 1, segment ISA" in " ".join(listed.stdout.split())


@pytest.mark.parametrize("site", ["embedded"], indirect=True)
async def test_a_number_that_two_entries_have_is_taken_once(site: SiteOnDisk) -> None:
    async with site.running() as hub:
        entries = (SMALL, again(SMALL, "2"), again(SMALL, "3", "000000008"))
        site.drop("a.zip", in_zip(*entries), "var/edi")
        for number in ("104582", "3"):
            await status_becomes(hub, number, "delivered")
        (dead,) = await dead_letters(hub, 1, kind="source")
        assert "the interchange control number was in 1.edi before" in dead.cause
        assert dead.position == "2.1"
        site.drop("b.edi", again(SMALL, "4", "000000008"), "var/edi")
        await dead_letters(hub, 2, kind="source")
