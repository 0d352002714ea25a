"""What a message that left its queue by itself carries: the `x-death` headers, as RabbitMQ writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from hub.core.message import Message

Reason = Literal["expired", "delivery_limit"]


def with_death(message: Message, reason: Reason, queue: str, exchange: str, key: str, now: float) -> Message:
    """A copy whose `x-death` tells this death first. A second death of the same kind in the same queue is counted."""
    headers = dict(message.headers)
    deaths = _deaths(headers)
    same = next((death for death in deaths if death.get("reason") == reason and death.get("queue") == queue), None)
    if same is None:
        time = datetime.fromtimestamp(int(now), UTC)
        latest: dict[str, Any] = {"count": 1, "reason": reason, "queue": queue, "time": time, "exchange": exchange}
        latest["routing-keys"] = [key]
    else:
        count = same.get("count")
        latest = {**same, "count": count + 1 if isinstance(count, int) else 1}
    headers["x-death"] = [latest, *(death for death in deaths if death is not same)]
    headers.setdefault("x-first-death-reason", reason)
    headers.setdefault("x-first-death-queue", queue)
    headers.setdefault("x-first-death-exchange", exchange)
    return replace(message, headers=headers)


def _deaths(headers: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = headers.get("x-death")
    return [death for death in found if isinstance(death, dict)] if isinstance(found, list) else []
