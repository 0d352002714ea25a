"""The security header of what we send (OASIS Web Services Security 1.1: UsernameToken, Timestamp)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lxml import etree
from pydantic import Field, field_validator, model_validator

from hub.core.options.duration import Duration, seconds
from hub.core.plugin import SECRET, Options

WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"


class CallSecurityOptions(Options):
    """WS-Security. Each attempt has a nonce and times of its own."""

    user: str | None = Field(None, min_length=1, description="User name of the token.")
    password: str | None = Field(
        None, min_length=1, description="Its password, by reference: ${NAME}.", json_schema_extra=SECRET
    )
    digest: bool = Field(False, description="Whether a digest is sent in place of the password.")
    timestamp: Duration | None = Field(
        None, description="How long the message is good; without it no timestamp is sent."
    )

    @field_validator("password")
    @classmethod
    def no_line_end(cls, value: str | None) -> str | None:
        if value is not None and any(ord(c) < 32 for c in value):
            raise ValueError("the password holds a control character (a line end at the end of the secret?)")
        return value

    @model_validator(mode="after")
    def both(self) -> CallSecurityOptions:
        if (self.user is None) != (self.password is None):
            raise ValueError("a token needs `user` and `password`")
        if self.user is None and self.timestamp is None:
            raise ValueError("security is a token (`user`, `password`), a `timestamp`, or both")
        return self


def secure(envelope: etree._Element, options: CallSecurityOptions, now: datetime) -> None:
    """Adds the header."""
    from zeep.wsse import utils  # zeep takes its time
    from zeep.wsse.username import UsernameToken

    stamp = timestamp(now, seconds(options.timestamp)) if options.timestamp else None
    if options.user is None:
        utils.get_security_header(envelope).append(stamp)  # type: ignore[no-untyped-call]
        return
    token = UsernameToken(  # type: ignore[no-untyped-call]
        options.user,
        options.password,
        use_digest=options.digest,
        created=now.astimezone(UTC),
        zulu_timestamp=True,
        timestamp_token=stamp,
    )
    token.apply(envelope, {})  # type: ignore[no-untyped-call]


def timestamp(now: datetime, lives: float) -> etree._Element:
    stamp = etree.Element(f"{{{WSU}}}Timestamp", nsmap={"wsu": WSU})
    for name, at in (("Created", now), ("Expires", now + timedelta(seconds=lives))):
        text = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        etree.SubElement(stamp, f"{{{WSU}}}{name}").text = text
    return stamp
