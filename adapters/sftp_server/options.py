"""What a site says of its drop box: the server, and who may drop files."""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from hub.core.options.duration import Duration
from hub.core.options.name_pattern import FactsOfNames
from hub.core.plugin import SECRET, Options

WORK = ".taken"
"""The folder in which files stand that were confirmed to a partner, until the intake has taken them."""

MOST_OPEN = 100
"""Files and listings that all sessions of an account may have open."""

PUBLIC_KEY = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}( .*)?")


def is_sound(key: str) -> bool:
    """Whether the key says what it is: a letter that went astray shows."""
    from cryptography.exceptions import UnsupportedAlgorithm  # takes its time
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    try:
        load_ssh_public_key(key.encode())
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


class AccountOptions(Options):
    """A partner's account."""

    partner: str | None = Field(None, min_length=1, description="The partner; without it the account's own name.")
    keys: tuple[str, ...] = Field((), description="Public keys that let in: `ssh-ed25519 AAAA...`.")
    password: str | None = Field(
        None, min_length=8, description="A password, by reference: ${NAME}. Keys are better.", json_schema_extra=SECRET
    )
    quota: int = Field(1_000_000_000, ge=1, description="Bytes that may stand in the account's folders at once.")
    largest: int = Field(500_000_000, ge=1, description="Bytes that one file may have.")
    per_minute: int = Field(120, ge=1, description="Files that may be dropped within a minute.")
    connections: int = Field(4, ge=1, le=100, description="Connections at once.")

    @field_validator("keys")
    @classmethod
    def public(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for key in value:
            if not PUBLIC_KEY.fullmatch(key) or not is_sound(key):
                raise ValueError(
                    f"{key[:40]!r} is no public key, or a damaged one; write the line of the .pub file: ssh-ed25519"
                    " AAAA..."
                )
        return value

    @model_validator(mode="after")
    def a_way_in(self) -> AccountOptions:
        if not self.keys and self.password is None:
            raise ValueError("the account needs `keys` or a `password`")
        return self


class SftpServerSourceOptions(Options):
    """An SFTP server for partners who have none."""

    listen: str = Field("127.0.0.1:2222", description="host:port. Loopback unless told otherwise.")
    host_key: str = Field(
        "var/sftp_server_key", min_length=1, description="File of the server's private key; made when it isn't there."
    )
    folder: str = Field(
        "var/dropbox", min_length=1, description="Where the accounts' folders stand, relative to the site."
    )
    accounts: dict[str, AccountOptions] = Field(min_length=1, description="Who may drop files, by login name.")
    name: FactsOfNames = None
    ignore: tuple[str, ...] = Field(
        ("*.tmp", "*.part", "*.filepart", ".*"),
        description=(
            "Names that are still being written: such a file is taken when it is renamed, not when it is closed."
        ),
    )
    keep: bool = Field(
        False, description="Keep what was taken in `done/<account>`; else its bytes are in the journal's claims only."
    )
    connections: int = Field(
        100, ge=1, le=10_000, description="Connections at once that are logged in, of all accounts."
    )
    connections_before_login: int = Field(
        10, ge=1, le=1000, description="Connections at once of one address (IPv6: of a /64) whose logins aren't done."
    )
    logins_at_once: int = Field(
        100,
        ge=1,
        le=10_000,
        description=(
            "Connections at once whose logins aren't done, of all addresses. When there are more, the address with the"
            " most of them loses its oldest."
        ),
    )
    login_timeout: Duration = Field("30s", description="How long a login may take.")
    idle: Duration = Field(
        "10m", description="A session that asks for nothing for so long is ended; keepalives are nothing."
    )

    @field_validator("listen")
    @classmethod
    def host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not (port.isascii() and port.isdigit()) or not 0 <= int(port[:6]) <= 65535:
            raise ValueError("should be host:port, as in 127.0.0.1:2222")
        return value

    @field_validator("accounts")
    @classmethod
    def plain_names(cls, value: dict[str, AccountOptions]) -> dict[str, AccountOptions]:
        for name in value:
            if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii() or len(name) > 60:
                raise ValueError(f"{name!r} is no login name: letters, digits, - and _")
        return value
