"""The mail that a destination makes of a document. Pure. A fact becomes a part of the subject, of the text or of an
address within the allowed domains; never a header of its own, never a further recipient."""

from __future__ import annotations

import re
from email.errors import MessageError as MailError

from pydantic import Field, field_validator, model_validator

from adapters.mail.address import MailAddress
from adapters.mail.envelope import MailEnvelope
from adapters.mail.finished import Attachment, Mail, harmless, split_type
from hub.core.errors import MappingError, RejectedError
from hub.core.options.naming import PLACE, names_in
from hub.core.plugin import Options
from hub.core.ports import Outgoing
from hub.documents.naming import name_of

ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
"""One address, without a name and without comments."""

LONGEST_SUBJECT = 200


class MailDestinationOptions(Options):
    """A notice for each document. What `write` makes is the text (`*.txt.j2`), or an attachment where it is none."""

    endpoint: str = Field(description="The name of a `mail` endpoint.")
    sender: str = Field(alias="from", description="Our address.")
    to: tuple[str, ...] = Field(min_length=1, max_length=50, description="Addresses; `{fact}` is substituted.")
    domains: tuple[str, ...] = Field(
        (), description="Where mail may go; needed as soon as an address in `to` is made of facts."
    )
    subject: str = Field(description="`Order {number} is on hold`; `{fact}` is substituted.")
    text: str | None = Field(
        None,
        description=(
            "What stands above the attachment; `{fact}` is substituted. With it what `write` makes is attached."
        ),
    )
    name: str = Field("{document}_{number}.json", description="The attachment's name; `{fact}` is substituted.")

    @field_validator("sender")
    @classmethod
    def one_address(cls, value: str) -> str:
        if not ADDRESS.fullmatch(value):
            raise ValueError(f"{value!r} is no address; write name@domain")
        return value

    @field_validator("subject")
    @classmethod
    def one_line(cls, value: str) -> str:
        if not value.strip() or not value.isprintable():
            raise ValueError("subject must be one line")
        return value

    @model_validator(mode="after")
    def addresses(self) -> MailDestinationOptions:
        for address in self.to:
            if names_in(address):
                if not self.domains:
                    raise ValueError(f"{address} is made of facts: say in `domains` where mail may go")
            elif not ADDRESS.fullmatch(address):
                raise ValueError(f"{address!r} is no address; write name@domain")
        return self


def envelope_of(options: MailDestinationOptions, outgoing: Outgoing) -> MailEnvelope:
    """What the facts make of the options. Raises RejectedError where they make nothing."""
    try:
        subject = harmless(substituted(options.subject, outgoing))[:LONGEST_SUBJECT].strip()
        to = tuple(recipient(template, options, outgoing) for template in options.to)
        text, name = None, ""
        if options.text is not None or split_type(outgoing.content_type)[0] != "text":
            text = substituted(options.text, outgoing) if options.text else subject
            name = harmless(name_of(outgoing.facts, options.name))
        return MailEnvelope(sender=options.sender, to=to, subject=subject, text=text, name=name)
    except (MappingError, ValueError, LookupError) as error:
        raise RejectedError(f"no mail can be made of it: {error}", code="no_mail") from error


def notice(address: MailAddress, outgoing: Outgoing) -> Mail:
    """The mail for a document: the same at every attempt. Raises RejectedError where none can be made of it."""
    try:
        text, subtype, attachment = content(address, outgoing)
    except ValueError as error:
        raise RejectedError(f"no mail can be made of it: {error}", code="no_mail") from error
    return Mail(
        address.sender,
        address.to,
        (
            ("Subject", address.subject),
            ("Message-ID", address.message_id),
            ("Date", address.date),
            ("Auto-Submitted", "auto-generated"),  # RFC 3834: nobody's absence note answers
        ),
        text,
        subtype,
        attachment,
        seed=outgoing.key,
    )


def finished(mail: Mail) -> bytes:
    """Raises RejectedError for a mail that would say something else than what was set."""
    try:
        return mail.finished()
    except (MailError, ValueError, LookupError) as error:
        raise RejectedError(f"no mail can be made of it: {error}", code="no_mail") from error


def content(address: MailAddress, outgoing: Outgoing) -> tuple[str, str, Attachment | None]:
    """The text, its subtype, and what is attached."""
    if address.text is None:
        return outgoing.body.decode("utf-8"), split_type(outgoing.content_type)[1], None
    return address.text, "plain", Attachment(outgoing.body, address.name, outgoing.content_type)


def recipient(template: str, options: MailDestinationOptions, outgoing: Outgoing) -> str:
    if not names_in(template):
        return template
    found = substituted(template, outgoing)
    allowed = {domain.lower() for domain in options.domains}
    if not ADDRESS.fullmatch(found) or "=?" in found or found.rpartition("@")[2].lower() not in allowed:
        raise ValueError(f"{found[:100]!r} is no address in {', '.join(options.domains)}")
    return found


def substituted(template: str, outgoing: Outgoing) -> str:
    """Raises MappingError for a fact that has no value here."""

    def value(match: re.Match[str]) -> str:
        found = outgoing.facts.get(match.group(1))
        if found is None or found == "":
            raise MappingError(f"{template!r} needs the fact {match.group(1)!r}, which this document doesn't have")
        return str(found)[:LONGEST_SUBJECT]

    return PLACE.sub(value, template)
