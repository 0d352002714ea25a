"""Notices by mail, to a real server."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.mail import MailDestinationOptions, MailEndpointOptions, build_destination, build_endpoint
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.errors import RejectedError, TransientError
from hub.core.ports import Outgoing, Receipt
from tests.support.certificates import Authority
from tests.support.mail_server import MailServer
from tests.support.ports import free_ports

SECRET = "s3cr3t-of-the-hub"
TEXT = "text/plain; charset=utf-8"


@pytest.fixture
def server() -> Iterator[MailServer]:
    (port,) = free_ports(1)
    with MailServer(port=port).serving() as running:
        yield running


async def send(
    port: int,
    body: bytes = b"Hello",
    content_type: str = TEXT,
    facts: dict[str, Any] | None = None,
    endpoint: dict[str, Any] | None = None,
    site: Path = Path(),
    **options: Any,
) -> Receipt:
    reach = {"host": "127.0.0.1", "port": port, "tls": "never", "timeout": "2s", **(endpoint or {})}
    made = build_endpoint("mail", MailEndpointOptions.model_validate(reach), Context(site=site, clock=SystemClock()))
    wanted = {"endpoint": "mail", "from": "hub@ours.example", "to": ("desk@ours.example",), "subject": "Order {number}"}
    context = Context(endpoint=lambda name: made, site=site, clock=SystemClock())
    destination = build_destination("d", MailDestinationOptions.model_validate({**wanted, **options}), context)
    known = {"number": "104582", "document": "order", **(facts or {})}
    return await destination.send(Outgoing("id", "order@1", "key-1", body, content_type, facts=known))


async def test_a_text_becomes_the_mail(server: MailServer) -> None:
    receipt = await send(server.port, "Grüße".encode())
    (mail,) = server.taken
    assert receipt.text == "sent to desk@ours.example"
    assert (mail["From"], mail["Subject"], mail["Message-ID"]) == (
        "hub@ours.example",
        "Order 104582",
        "<key-1@ours.example>",
    )
    assert mail.get_content().strip() == "Grüße"


async def test_a_mail_that_is_sent_again_has_the_same_bytes_whatever_the_options_say_now(server: MailServer) -> None:
    """Its envelope is made and stored before the first attempt."""
    made = build_endpoint(
        "mail",
        MailEndpointOptions.model_validate({"host": "127.0.0.1", "port": server.port, "tls": "never"}),
        Context(Path(), clock=SystemClock()),
    )
    options = {
        "endpoint": "mail",
        "from": "hub@ours.example",
        "to": ("desk@ours.example",),
        "subject": "Order {number}",
    }
    edited = {
        **options,
        "from": "new@ours.example",
        "to": ("x@ours.example",),
        "subject": "New",
        "text": "New",
        "name": "n",
    }
    first, later = (
        build_destination(
            "d",
            MailDestinationOptions.model_validate(each),
            Context(Path(), endpoint=lambda name: made, clock=SystemClock()),
        )
        for each in (options, edited)
    )
    outgoing = Outgoing("id", "order@1", "key-1", b"{}", "application/json", facts={"number": "1", "document": "order"})
    addressed = replace(outgoing, fixed_address=first.fix_address(outgoing))
    await first.send(addressed)
    await asyncio.sleep(1.0)  # a date tells seconds
    await later.send(addressed)
    sent, again = (mail.as_bytes() for mail in server.taken)
    assert sent == again
    assert server.recipients == [["desk@ours.example"]] * 2


async def test_a_mail_goes_to_as_many_as_the_options_allow(server: MailServer) -> None:
    desks = tuple(f"somebody.with.a.name.{number}@department.ours.example" for number in range(50))
    await send(server.port, to=desks)
    (mail,) = server.taken
    assert server.recipients == [list(desks)]
    assert tuple(address.addr_spec for address in mail["To"].addresses) == desks


async def test_anything_else_is_attached(server: MailServer) -> None:
    await send(server.port, b'{"a": 1}', "application/json", text="See order {number}.")
    (mail,) = server.taken
    (attached,) = mail.iter_attachments()
    assert mail.get_body().get_content().strip() == "See order 104582."  # type: ignore[union-attr]
    assert (attached.get_filename(), attached.get_content_type()) == ("order_104582.json", "application/json")
    assert attached.get_content() == b'{"a": 1}'


@pytest.mark.parametrize(
    "number",
    [
        "1\r\nBcc: evil@example.com",
        "1\nSubject: x",
        "1\x00",
        "1\u2028Bcc: x",
        "é" * 999,
        "=?utf-8?q?1=0D=0ABcc:_evil=0D=0A=0D=0Aevil?=",
    ],
)
async def test_a_fact_never_becomes_a_header(server: MailServer, number: str) -> None:
    await send(server.port, facts={"number": number})
    (mail,) = server.taken
    assert "Bcc" not in mail
    assert mail["Subject"].startswith("Order ")
    assert len(mail.get_all("Subject")) == 1
    assert mail.get_content().strip() == "Hello"
    assert server.recipients == [["desk@ours.example"]]


@pytest.mark.parametrize(
    "buyer",
    [
        "a@evil.example",
        "a@ours.example, b@evil.example",
        "a@ours.example\r\nBcc: b@evil.example",
        "<a@ours.example>",
        "=?utf-8?q?b=40evil.example=2Ca?=@ours.example",
        "x",
    ],
)
async def test_a_fact_never_becomes_a_stranger(server: MailServer, buyer: str) -> None:
    with pytest.raises(RejectedError, match="no address"):
        await send(server.port, facts={"buyer": buyer}, to=("{buyer}",), domains=("ours.example",))
    assert not server.taken


async def test_a_fact_may_be_an_address_of_an_allowed_domain(server: MailServer) -> None:
    await send(server.port, facts={"buyer": "jane@Ours.example"}, to=("{buyer}",), domains=("ours.example",))
    assert server.recipients == [["jane@Ours.example"]]


@pytest.mark.parametrize(
    ("said", "error", "kind"),
    [
        ("451 try later", TransientError, "busy"),
        ("452 full", TransientError, "busy"),
        ("554 no", RejectedError, "554"),
    ],
)
async def test_what_the_server_says_of_a_mail(server: MailServer, said: str, error: type[Exception], kind: str) -> None:
    server.after = lambda: said
    with pytest.raises(error) as caught:
        await send(server.port)
    assert (getattr(caught.value, "kind", None) or getattr(caught.value, "code", None)) == kind


async def test_no_recipient_is_taken(server: MailServer) -> None:
    server.answer = lambda address: "550 nobody of that name"
    with pytest.raises(RejectedError, match="nobody of that name") as refused:
        await send(server.port)
    assert refused.value.reply is not None
    assert (refused.value.reply.status, b"nobody" in refused.value.reply.body) == (550, True)
    server.answer = lambda address: "450 later"
    with pytest.raises(TransientError):
        await send(server.port)


async def test_a_recipient_that_is_refused_is_named(server: MailServer) -> None:
    server.answer = lambda address: "550 no" if address.startswith("b@") else None
    receipt = await send(server.port, to=("a@ours.example", "b@ours.example"))
    assert receipt.text == "sent to a@ours.example, b@ours.example, not to b@ours.example"
    assert server.recipients == [["a@ours.example"]]


async def test_nobody_there_and_nothing_said() -> None:
    (port,) = free_ports(1)
    with pytest.raises(TransientError) as caught:
        await send(port)
    assert caught.value.kind == "unreachable"
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TransientError) as caught:
        await send(silent.getsockname()[1], endpoint={"timeout": "300ms"})
    assert caught.value.kind == "timeout"


async def test_over_tls_with_a_login(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.server()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    (port,) = free_ports(1)
    login = {"tls": "starttls", "user": "hub", "password": SECRET, "ca": authority.file.name}
    with MailServer(port=port).serving(tls, auth=True) as server:
        await send(port, endpoint=login, site=tmp_path)
        assert len(server.taken) == 1
        with pytest.raises(TransientError, match="not let in") as refused:
            await send(port, endpoint={**login, "password": "another-password"}, site=tmp_path)
        assert "another-password" not in str(refused.value)
        with pytest.raises(TransientError, match="CERTIFICATE_VERIFY_FAILED"):
            await send(port, endpoint={"tls": "starttls"}, site=tmp_path)


async def test_tls_is_never_given_up(server: MailServer) -> None:
    with pytest.raises(TransientError, match="STARTTLS"):
        await send(server.port, endpoint={"tls": "starttls"})
    assert not server.taken


@pytest.mark.parametrize(
    "wrong",
    [
        {"user": "hub"},
        {"user": "hub", "password": "x", "host": "mail.example", "tls": "never"},
        {"ca": "x.pem", "tls": "never"},
    ],
)
def test_endpoints_that_are_not_safe_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        MailEndpointOptions.model_validate({"host": "127.0.0.1", **wrong})


@pytest.mark.parametrize(
    "wrong", [{"to": ("{buyer}",)}, {"to": ("x",)}, {"to": ()}, {"from": "a b@c"}, {"subject": "a\nb"}, {"subject": ""}]
)
def test_notices_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    right = {"endpoint": "mail", "from": "a@b.example", "to": ("c@d.example",), "subject": "s"}
    MailDestinationOptions.model_validate(right)
    with pytest.raises(ValidationError):
        MailDestinationOptions.model_validate({**right, **wrong})


async def test_waiting_for_a_turn_is_not_a_failure_of_the_server(server: MailServer) -> None:
    """With one connection the last of five waits longer than `whole_timeout`, while each mail is taken well within
    it."""

    def slow() -> str:
        time.sleep(0.3)
        return "250 OK"

    server.after = slow
    reach = {"host": "127.0.0.1", "port": server.port, "tls": "never", "whole_timeout": "1s", "connections": 1}
    made = build_endpoint("mail", MailEndpointOptions.model_validate(reach), Context(site=Path(), clock=SystemClock()))
    options = {
        "endpoint": "mail",
        "from": "hub@ours.example",
        "to": ("desk@ours.example",),
        "subject": "Order {number}",
    }
    destination = build_destination(
        "d",
        MailDestinationOptions.model_validate(options),
        Context(endpoint=lambda name: made, site=Path(), clock=SystemClock()),
    )
    outgoing = Outgoing("id", "order@1", "key-1", b"Hello", TEXT, facts={"number": "1", "document": "order"})
    await asyncio.gather(*(destination.send(outgoing) for _ in range(5)))
    assert len(server.taken) == 5
    await made.close()


async def test_a_silent_server_leaves_the_threads_of_others_alone() -> None:
    """Mails that a silent server holds up take none of the threads that files and claims are written by."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        reach = {"host": "127.0.0.1", "port": silent.getsockname()[1], "tls": "never", "timeout": "2s"}
        made = build_endpoint(
            "mail",
            MailEndpointOptions.model_validate({**reach, "connections": 32}),
            Context(site=Path(), clock=SystemClock()),
        )
        options = {"endpoint": "mail", "from": "a@ours.example", "to": ("desk@ours.example",), "subject": "Order"}
        destination = build_destination(
            "d",
            MailDestinationOptions.model_validate(options),
            Context(endpoint=lambda name: made, site=Path(), clock=SystemClock()),
        )
        outgoing = Outgoing("id", "order@1", "key-1", b"Hello", TEXT, facts={"document": "order"})
        sends = [asyncio.create_task(destination.send(outgoing)) for _ in range(32)]
        async with asyncio.timeout(1.5):
            assert await asyncio.to_thread(lambda: "free") == "free"
        assert not any(send.done() for send in sends)
        for send in sends:
            send.cancel()
        await asyncio.wait(sends)
        await made.close()
