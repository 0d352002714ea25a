"""The envelopes that kombu puts around messages on brokers that have none of their own (Redis, SQS, files), and what
stands there instead.

kombu takes such a message from the broker first and reads its envelope then. An envelope that it can't read would be
lost, and end the source. Here it becomes a message whose body is what stood there.
"""

from __future__ import annotations

import base64
import uuid
from typing import Any

from kombu.transport import virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps, loads


def keep_all(channel: Any) -> None:
    """Makes a channel give every message, whatever its envelope is, with the body as it came. kombu would unpack what a
    sender's header `compression` says: without a bound, and a codec that it doesn't know would end the source."""
    made: Any = getattr(channel, "Message", None)
    if made is None:
        return
    is_virtual, is_redis = isinstance(channel, virtual.Channel), hasattr(channel, "_brpop_read")

    class Kept(made):  # type: ignore[misc]
        def __init__(self, payload: Any, *args: Any, **options: Any) -> None:
            if not is_virtual:
                super().__init__(payload, *args, **options)
                return
            try:
                checked = _checked(payload)
                super().__init__(_with_own_tag(checked) if is_redis else checked, *args, **options)
            except Exception:  # noqa: BLE001  (codecs of kombu raise what they like)
                super().__init__(around(dumps(payload).encode()), *args, **options)

    channel.Message = Kept
    if is_redis:
        _keep_what_is_no_json(channel.client)


def around(raw: bytes) -> dict[str, Any]:
    """An envelope around bytes that came without one."""
    return {
        "body": base64.b64encode(raw).decode(),
        "content-type": "application/octet-stream",
        "content-encoding": "binary",
        "headers": {},
        "properties": {
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
            "delivery_info": {"exchange": "", "routing_key": ""},
        },
    }


def _checked(payload: Any) -> dict[str, Any]:
    """The envelope, without what kombu would unpack. Raises ValueError for one that can't be read."""
    headers = payload.get("headers") if isinstance(payload, dict) else None
    if not isinstance(payload, dict) or not isinstance(payload.get("properties"), dict):
        raise ValueError("no envelope")
    if not isinstance(headers, dict | None) or not isinstance(payload.get("body"), str | bytes | None):
        raise ValueError("an envelope with headers that are no object, or a body that is no text")
    if headers and "compression" in headers:
        return {**payload, "headers": {name: value for name, value in headers.items() if name != "compression"}}
    return payload


def _with_own_tag(payload: dict[str, Any]) -> dict[str, Any]:
    """What the channel knows a message by until it is acknowledged is ours: a sender may use one tag for many."""
    return {**payload, "properties": {**payload["properties"], "delivery_tag": str(uuid.uuid4())}}


def _keep_what_is_no_json(client: Any) -> None:
    """kombu's Redis channel pops an item and parses it in one breath: so it gets nothing that it can't parse."""
    parse_response = client.parse_response

    def parsed(connection: Any, command: Any, **options: Any) -> Any:
        answer = parse_response(connection, command, **options)
        if command != "BRPOP" or not answer:
            return answer
        queue, item = answer
        return queue, item if _is_json(item) else dumps(around(item)).encode()

    client.parse_response = parsed


def _is_json(item: bytes) -> bool:
    try:
        loads(bytes_to_str(item))
    except Exception:  # noqa: BLE001  (decoders of kombu's types raise what they like)
        return False
    return True
