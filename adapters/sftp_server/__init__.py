"""A hosted drop box: the hub as the SFTP server that partners drop into."""

from __future__ import annotations

from adapters.sftp_server.options import MOST_OPEN, WORK, SftpServerSourceOptions
from hub.core.context import Context
from hub.core.plugin import SourcePlugin
from hub.core.ports import Source

__all__ = ["PLUGIN", "SftpServerSourceOptions"]


def build(name: str, options: SftpServerSourceOptions, context: Context) -> Source:
    from adapters.sftp_server.source import SftpServerSource  # asyncssh takes its time

    return SftpServerSource(name, options, context)


def descriptors_of(options: SftpServerSourceOptions) -> int:
    """Connections, those that log in, and the files that accounts may have open."""
    return options.connections + options.logins_at_once + MOST_OPEN * len(options.accounts)


PLUGIN = SourcePlugin(
    name="sftp_server",
    options=SftpServerSourceOptions,
    summary="Is the SFTP server that partners drop their files into; a file is taken the moment it is closed.",
    example=(
        'listen: "127.0.0.1:2222"\naccounts:\n  ACME:\n    keys: [ssh-ed25519'
        " AAAAC3NzaC1lZDI1NTE5AAAAIMmwB00iiG4MODGvLy3b7irP9DV0CnIqJGASFGfpd6hP acme]\n    quota: 500000000\n"
    ),
    build=build,
    descriptors=descriptors_of,
    keeps=lambda options: (options.host_key, f"{options.folder}/{WORK}"),
    senders=lambda options: [account.partner for account in options.accounts.values() if account.partner is not None],
)
