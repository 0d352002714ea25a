"""SFTP servers as sources and destinations; paramiko does the protocol, in threads."""

from __future__ import annotations

from adapters.sftp.destination import SftpDestination, SftpDestinationOptions
from adapters.sftp.endpoint import SftpEndpoint, SftpEndpointOptions
from adapters.sftp.source import SftpSource, SftpSourceOptions
from hub.core.context import Context
from hub.core.plugin import DestinationPlugin, EndpointPlugin, SourcePlugin


def build_endpoint(name: str, options: SftpEndpointOptions, context: Context) -> SftpEndpoint:
    return SftpEndpoint(name, options, options.login(context.site), context.log, context.clock)


def build_source(name: str, options: SftpSourceOptions, context: Context) -> SftpSource:
    return SftpSource(name, options, context.endpoint_of(SftpEndpoint, options.endpoint), context)


def build_destination(name: str, options: SftpDestinationOptions, context: Context) -> SftpDestination:
    return SftpDestination(options, context.endpoint_of(SftpEndpoint, options.endpoint), context.log, context.clock)


PLUGINS = (
    EndpointPlugin(
        name="sftp",
        options=SftpEndpointOptions,
        concurrent=lambda options: options.connections,
        summary="A partner's SFTP server, with its pinned host key.",
        example='host: sftp.acme.example\nuser: hub\nkey: "${ACME_KEY_FILE}"\n'
        'host_key: "SHA256:uNiVztksCsDhcc0u9e8BrYPjmYvZPvoFYvJbS0cYxCs"\n',
        build=build_endpoint,
    ),
    SourcePlugin(
        name="sftp",
        options=SftpSourceOptions,
        summary="Takes the files that a partner leaves in a folder of an SFTP server.",
        example='endpoint: acme-sftp\nfolder: /outbound\nmatch: "*.edi"\nsettle: 30s\ndone: /outbound/done\n',
        build=build_source,
        endpoint=("endpoint", "sftp"),
    ),
    DestinationPlugin(
        name="sftp",
        options=SftpDestinationOptions,
        summary="Uploads each document to a folder of an SFTP server, under a temporary name that is then renamed.",
        example='endpoint: acme-sftp\nfolder: /inbound\nname: "{document}_{number}.edi"\n',
        build=build_destination,
        endpoint=("endpoint", "sftp"),
        fact_templates=("name",),
    ),
)
