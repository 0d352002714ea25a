"""What a running hub does on command: reload, publish, replay, discard, release, reject, confirm, dissolve."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub.core.errors import HubError
from hub.core.identity import digest, message_id
from hub.core.message import Message
from hub.journal.deliveries.dead_filter import DeadFilter
from hub.runtime.recovery.command_desk import Act

if TYPE_CHECKING:
    from hub.app.running_hub import RunningHub


class Acts:
    """Each act takes the command's arguments and the name of who gave it, and returns its result."""

    def __init__(self, hub: RunningHub) -> None:
        self._hub = hub

    def table(self) -> Mapping[str, Act]:
        return {
            "reload": self.reload,
            "publish": self.publish,
            "dead.replay": self.replay,
            "dead.discard": self.discard,
            "hold.release": self.release,
            "hold.reject": self.reject,
            "hold.confirm": self.confirm,
            "batch.dissolve": self.dissolve,
            "broker.rebuild": self.rebuild,
        }

    async def reload(self, arguments: dict[str, Any], who: str) -> dict[str, Any]:
        try:
            return await self._hub.reload()
        except HubError as error:
            raise HubError(f"{error}\nnothing was reloaded") from error

    async def rebuild(self, arguments: dict[str, Any], who: str) -> dict[str, Any]:
        return await self._hub.rebuilding.rebuild()

    async def publish(self, arguments: dict[str, Any], who: str) -> dict[str, Any]:
        """Publishes a file's bytes; the message id is derived from them."""
        body = base64.b64decode(arguments["body"])
        id = message_id(digest(body))
        message = Message(id, body, arguments.get("content_type", "application/json"))
        await self._hub.broker.publish(arguments["exchange"], arguments["key"], message)
        return {"message_id": id, "exchange": arguments["exchange"], "key": arguments["key"], "bytes": len(body)}

    async def replay(self, arguments: dict[str, Any], who: str) -> dict[str, Any]:
        return await self._hub.replay.replay(
            dead_filter(arguments), who, bool(arguments.get("render")), arguments.get("to")
        )

    async def discard(self, arguments: dict[str, Any], who: str) -> dict[str, Any]:
        return await self._hub.replay.discard(dead_filter(arguments), who, str(arguments.get("reason", "")))

    async def release(self, arguments: dict[str, Any], who: str) -> dict[str, Any]:
        return await self._hub.replay.release(list(arguments["ids"]), who, str(arguments.get("reason", "")))

    async def reject(self, arguments: dict[str, Any], who: str) -> dict[str, Any]:
        return await self._hub.replay.reject(list(arguments["ids"]), who, str(arguments.get("reason", "")))

    async def confirm(self, arguments: dict[str, Any], who: str) -> dict[str, Any]:
        return await self._hub.replay.confirm(list(arguments["ids"]), who, str(arguments.get("reason", "")))

    async def dissolve(self, arguments: dict[str, Any], who: str) -> dict[str, Any]:
        return await self._hub.replay.dissolve(list(arguments["ids"]), who, str(arguments.get("reason", "")))


def dead_filter(arguments: dict[str, Any]) -> DeadFilter:
    """The filter that a command carries. Raises HubError for one that can't be understood."""
    known = {k: v for k, v in arguments.items() if k in DeadFilter.__dataclass_fields__ and k != "status"}
    try:
        return DeadFilter(**{**known, "ids": tuple(known.get("ids", ()))})
    except TypeError as error:
        raise HubError(f"the filter can't be understood: {error}") from error
