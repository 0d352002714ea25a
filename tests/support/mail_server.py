"""A mail server for tests: a real one, by aiosmtpd, in a thread of its own. It keeps what it takes."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


@dataclass
class MailServer:
    """`taken` holds every mail; `answer` decides about recipients (None: taken), `after` about mails."""

    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    answer: Callable[[str], str | None] = lambda address: None
    after: Callable[[], str] = lambda: "250 OK"
    port: int = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        refused = self.answer(address)
        if refused is not None:
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        said = self.after()
        if said.startswith("250"):
            message = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.taken.append(message)
            self.recipients.append(list(envelope.rcpt_tos))
        return said

    def let_in(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        pair = (data.login.decode(), data.password.decode())
        self.logins.append(pair)
        return AuthResult(success=pair == ("hub", "s3cr3t-of-the-hub"), handled=False)

    @contextmanager
    def serving(self, tls: ssl.SSLContext | None = None, *, auth: bool = False) -> Iterator[MailServer]:
        options: dict[str, Any] = {"authenticator": self.let_in, "auth_required": True} if auth else {}
        controller = Controller(
            self, hostname="127.0.0.1", port=self.port, tls_context=tls, require_starttls=tls is not None, **options
        )
        controller.start()
        assert controller.server is not None
        self.port = controller.server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            controller.stop()
