"""Uploading to a real OpenSSH server: whole or not at all, never in place of something else, the same again after a
crash."""

from __future__ import annotations

import asyncio
import hashlib
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.sftp import SftpDestinationOptions
from hub.core.errors import RejectedError, TransientError
from hub.core.ports import Receipt
from hub.journal.journal import Journal
from tests.support.openssh import OpenSsh
from tests.support.proxy import TcpProxy
from tests.support.sftp import Partner, outgoing


@pytest.fixture
def partner(openssh: OpenSsh, tmp_path: Path, journal: Journal) -> Partner:
    (openssh.home / "in").mkdir()
    return Partner(openssh, tmp_path, journal)


def stands(partner: Partner) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (partner.server.home / "in").iterdir()}


async def test_a_document_becomes_a_file_and_nothing_else_stays(partner: Partner) -> None:
    receipt = await partner.destination().send(outgoing(b"ISA*1~", number="104582"))
    assert receipt.text == "uploaded as order_104582.edi"
    assert stands(partner) == {"order_104582.edi": b"ISA*1~"}


async def test_the_same_again_counts_as_delivered(partner: Partner) -> None:
    await partner.destination().send(outgoing(b"same"))
    receipt = await partner.destination().send(outgoing(b"same"))
    assert "stood there already" in receipt.text
    assert stands(partner) == {"order_1.edi": b"same"}


async def test_a_file_with_other_contents_is_never_replaced_unless_told(partner: Partner) -> None:
    await partner.destination().send(outgoing(b"first"))
    with pytest.raises(RejectedError, match="other contents") as refused:
        await partner.destination().send(outgoing(b"other"))
    assert refused.value.code == "exists"
    assert stands(partner) == {"order_1.edi": b"first"}
    await partner.destination(overwrite=True).send(outgoing(b"other"))
    assert stands(partner) == {"order_1.edi": b"other"}


async def test_what_an_attempt_left_half_done_is_begun_anew(partner: Partner) -> None:
    mark = hashlib.sha256(outgoing(b"").key.encode()).hexdigest()[:8]
    (partner.server.home / f"in/.order_1.edi.{mark}.part").write_bytes(b"half of a longer attempt")
    await partner.destination().send(outgoing(b"whole"))
    assert stands(partner) == {"order_1.edi": b"whole"}


async def test_two_documents_of_one_name_are_never_taken_for_each_other(partner: Partner) -> None:
    """Of the same size and at the same time: one stands there, the other is refused, and nobody is told otherwise."""
    for number in range(6):
        bodies = [letter * 300_000 for letter in (b"a", b"b")]
        one = partner.destination()
        sends = [
            one.send(replace(outgoing(body, number=str(number)), key=f"key-{body[:1].decode()}")) for body in bodies
        ]
        results = await asyncio.gather(*sends, return_exceptions=True)
        delivered = [body for body, result in zip(bodies, results, strict=True) if isinstance(result, Receipt)]
        assert delivered == [stands(partner)[f"order_{number}.edi"]], results


async def test_nobody_ever_sees_half_a_file_under_its_name(partner: Partner) -> None:
    body = os.urandom(8_000_000)
    sizes: set[int] = set()
    target = partner.server.home / "in/order_1.edi"
    sending = asyncio.create_task(partner.destination().send(outgoing(body)))
    while not sending.done():
        if target.exists():
            sizes.add(target.stat().st_size)
        await asyncio.sleep(0.001)
    await sending
    sizes.add(target.stat().st_size)
    assert sizes == {len(body)}
    assert target.read_bytes() == body


async def test_a_marker_follows_the_file(partner: Partner) -> None:
    await partner.destination(marker="{stem}.go").send(outgoing(b"x"))
    assert stands(partner) == {"order_1.edi": b"x", "order_1.go": b""}


async def test_another_folder_for_the_temporary_name(partner: Partner) -> None:
    (partner.server.home / "staging").mkdir()
    await partner.destination(temporary="staging/{name}").send(outgoing(b"x"))
    assert stands(partner) == {"order_1.edi": b"x"}
    assert not list((partner.server.home / "staging").iterdir())


@pytest.mark.parametrize("number", ["../../../etc/passwd", "/abs", ".hidden", "a\nb", "x" * 500, "..", "a\\b", "ü"])
async def test_a_fact_never_becomes_a_path(partner: Partner, number: str) -> None:
    with suppress(RejectedError):
        await partner.destination(name="{number}").send(outgoing(b"x", number=number))
    found = sorted(path.relative_to(partner.server.home) for path in partner.server.home.rglob("*") if path.is_file())
    assert [path.parent for path in found] in ([], [Path("in")])


async def test_a_fact_that_is_missing_is_a_refusal(partner: Partner) -> None:
    with pytest.raises(RejectedError, match="needs the fact 'number'"):
        await partner.destination().send(outgoing(b"x", number=""))


async def test_a_folder_that_is_not_there(partner: Partner) -> None:
    with pytest.raises(TransientError, match="No such file") as missing:
        await partner.destination(folder="nowhere").send(outgoing(b"x"))
    assert missing.value.kind == "failed"


async def test_a_full_disk_leaves_nothing_under_the_name(tmp_path: Path, openssh: OpenSsh, journal: Journal) -> None:
    """Here the disk ends after 100,000 bytes of a file."""
    full = OpenSsh(openssh._sshd, tmp_path / "full", largest_file=100_000)
    (full.home / "in").mkdir()
    full.start()
    try:
        partner = Partner(full, tmp_path, journal)
        await partner.destination().send(outgoing(b"small"))
        with pytest.raises(TransientError) as refused:
            await partner.destination().send(outgoing(b"x" * 1_000_000, number="2"))
        assert refused.value.kind == "busy"
        assert not (full.home / "in/order_2.edi").exists()
        await partner.endpoint.close()
    finally:
        full.stop()


async def test_a_server_that_only_reads(tmp_path: Path, openssh: OpenSsh, journal: Journal) -> None:
    read_only = OpenSsh(openssh._sshd, tmp_path / "read-only")
    read_only.options = "-R"
    (read_only.home / "in").mkdir()
    read_only.start()
    try:
        partner = Partner(read_only, tmp_path, journal)
        with pytest.raises(TransientError, match="Permission denied") as refused:
            await partner.destination().send(outgoing(b"x"))
        assert refused.value.kind == "failed"
    finally:
        read_only.stop()


async def test_a_line_that_breaks_during_the_upload(tmp_path: Path, openssh: OpenSsh, journal: Journal) -> None:
    (openssh.home / "in").mkdir()
    proxy = TcpProxy("127.0.0.1", openssh.port)
    await proxy.start()
    partner = Partner(openssh, tmp_path, journal, port=proxy.port, timeout="1s")
    body = os.urandom(30_000_000)
    sending = asyncio.create_task(partner.destination().send(outgoing(body)))
    while not list((openssh.home / "in").glob(".order_1.edi*.part")):
        await asyncio.sleep(0.005)
    proxy.cut()
    with pytest.raises(TransientError) as broken:
        await sending
    assert broken.value.kind in ("unreachable", "timeout")
    assert not (openssh.home / "in/order_1.edi").exists()
    await asyncio.sleep(1.1)
    await partner.destination().send(outgoing(body))
    assert stands(partner) == {"order_1.edi": body}
    await partner.endpoint.close()
    await proxy.close()


async def test_a_server_that_stalls_during_the_upload(tmp_path: Path, openssh: OpenSsh, journal: Journal) -> None:
    (openssh.home / "in").mkdir()
    proxy = TcpProxy("127.0.0.1", openssh.port)
    await proxy.start()
    partner = Partner(openssh, tmp_path, journal, port=proxy.port, timeout="500ms")
    await partner.destination().send(outgoing(b"one"))
    proxy.stall()
    with pytest.raises(TransientError) as stalled:
        await partner.destination().send(outgoing(b"x" * 20_000_000, number="2"))
    assert stalled.value.kind == "timeout"
    await partner.endpoint.close()
    await proxy.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "../x"},
        {"name": ".x"},
        {"name": ""},
        {"temporary": "{name}"},
        {"temporary": "fixed"},
        {"marker": "{name}"},
        {"marker": "in/{name}.done"},
    ],
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    right = {"endpoint": "e", "folder": "/in"}
    SftpDestinationOptions.model_validate(right)
    with pytest.raises(ValidationError):
        SftpDestinationOptions.model_validate({**right, **wrong})
