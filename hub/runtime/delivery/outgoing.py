"""What leaves for a destination, and under which address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import cast

from hub.core.message import Header
from hub.core.ports import Addressing, Outgoing, Receipt, noted_nowhere
from hub.runtime.copy import RouteCopy
from hub.runtime.delivery.outgoing_facts import OutgoingFacts
from hub.runtime.runtime import OpenDestination


def outgoing_of(
    copy: RouteCopy,
    key: str,
    body: bytes,
    content_type: str,
    facts: str | None,
    *,
    fixed_address: str = "",
    mark: str = "",
    note: Callable[[str], Awaitable[None]] = noted_nowhere,
) -> Outgoing:
    """`facts`: those of the bytes, packed."""
    return Outgoing(
        document_id=copy.document_id,
        document=copy.document,
        key=key,
        body=body,
        content_type=content_type,
        attempt=copy.attempt,
        correlation_id=copy.message.correlation_id,
        facts=OutgoingFacts(copy, facts),
        headers={Header.HOPS: copy.hops},
        fixed_address=fixed_address,
        mark=mark,
        note=note,
    )


def fixed_address_of(destination: OpenDestination, outgoing: Outgoing, *, earlier: bool = False) -> str:
    """What the document is called there; empty where the destination has no addresses. See `hub.core.ports.Addressing`.
    Raises RejectedError."""
    if not has_addresses(type(destination.adapter)):
        return ""
    return cast(Addressing, destination.adapter).fix_address(outgoing, earlier=earlier)


@lru_cache
def has_addresses(adapter: type) -> bool:
    return issubclass(adapter, Addressing)


async def send_within_limit(destination: OpenDestination, outgoing: Outgoing, *, taken: bool = False) -> Receipt:
    """`taken`: a turn of its limit was taken for this send."""
    if destination.limit is None:
        return await destination.adapter.send(outgoing)
    async with destination.limit.turn(taken=taken):
        return await destination.adapter.send(outgoing)
