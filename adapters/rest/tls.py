"""TLS of a REST endpoint: whom we trust, and our certificate."""

from __future__ import annotations

import ssl
from pathlib import Path

from pydantic import Field, model_validator

from hub.core.errors import ConfigError
from hub.core.plugin import FILE, SECRET, Options


class ClientTlsOptions(Options):
    """Files are relative to the site. The server's certificate and name are always checked."""

    ca: str | None = Field(
        None,
        min_length=1,
        description="File of the authority that signed the server's certificate; else the system's.",
        json_schema_extra=FILE,
    )
    certificate: str | None = Field(
        None, min_length=1, description="File of our client certificate.", json_schema_extra=FILE
    )
    key: str | None = Field(
        None,
        min_length=1,
        description="File of its private key; without it the certificate's file.",
        json_schema_extra=FILE,
    )
    passphrase: str | None = Field(
        None, min_length=1, description="The key's passphrase, by reference: ${NAME}.", json_schema_extra=SECRET
    )

    @model_validator(mode="after")
    def key_of_a_certificate(self) -> ClientTlsOptions:
        if (self.key or self.passphrase) and not self.certificate:
            raise ValueError("`key` and `passphrase` belong to a `certificate`")
        return self


def context_of(options: ClientTlsOptions, site: Path, endpoint: str) -> ssl.SSLContext:
    """Raises ConfigError for a file that isn't there or can't be used."""
    try:
        made = ssl.create_default_context(cafile=str(site / options.ca) if options.ca else None)
        if options.certificate:
            key = str(site / options.key) if options.key else None
            made.load_cert_chain(str(site / options.certificate), key, options.passphrase or "")
    except (OSError, ValueError) as error:
        raise ConfigError(f"endpoint {endpoint}: the files of `tls` can't be used: {error}") from error
    return made
