"""Looking into replies of far ends, in worker processes where that may take long."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from hub.core.errors import Withheld
from hub.core.replies.reply_body import ReplyBody, is_cheap, look_into
from hub.core.typed_json import plain_values
from hub.runtime.contained.bench import Bench
from hub.runtime.contained.frame import Garbled, Result, carried_facts
from hub.runtime.contained.pool import WorkerPool
from hub.runtime.contained.worker import WorkerLost, WorkFailed

LONGEST = 64_000
"""Bytes of what stands at one path: no key, condition or field of a document is longer."""

SHARE = 10
"""A look at a reply may take this part of the time that reading an arrival of its size may."""


@dataclass(frozen=True, slots=True)
class LookIntoReply:
    """What stands at some paths of a reply."""

    reply: bytes
    paths: tuple[str, ...]

    def run(self, bench: Bench | None) -> Generator[Result, Any]:
        body = look_into(self.reply, self.paths)
        plain: dict[str, Any] = {}
        nested: dict[str, Any] = {}
        wrong = body.wrong
        for path, value in body.values.items():
            text = json.dumps(value, default=str)
            if len(text) > LONGEST:
                wrong = f"what stands at {path} has {len(text)} bytes; at most {LONGEST} are taken"
            elif isinstance(value, dict | list):
                nested[path] = json.loads(text)
            else:
                plain[path] = value
        yield Result({"kind": body.kind, "plain": plain_values(plain), "nested": nested, "wrong": wrong})


class ContainedLooking:
    """Looks into small replies itself, and has workers look into all others."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool

    async def look(self, owner: str, raw: bytes, paths: Iterable[str]) -> ReplyBody:
        """See `hub.core.replies.reply_body.look_into`; `owner` is the destination or step that asks. Raises
        TransientError when the hub stops."""
        paths = tuple(paths)
        if not paths or is_cheap(raw, paths):
            return look_into(raw, paths)
        tries, cause = self._pool.limits.quarantine_after, ""
        for _ in range(tries):
            try:
                return await self._look_in_worker(owner, LookIntoReply(raw, paths))
            except WorkFailed as error:
                return ReplyBody(wrong=f"{error.error}: {error}")
            except (
                Withheld
            ) as error:  # the far end has answered: its status decides, and nothing is sent again for our trouble
                return ReplyBody(wrong=str(error))
            except WorkerLost as error:
                cause = str(error)
        return ReplyBody(wrong=f"a look at it {cause}, {tries} times (containment in config/hub.yaml sets the bounds)")

    async def _look_in_worker(self, owner: str, work: LookIntoReply) -> ReplyBody:
        size = len(work.reply) // SHARE
        async with aclosing(self._pool.results(owner, None, work, size)) as results:
            async for result in results:
                last = result
        try:
            head = last.head
            values = {**carried_facts(head["plain"]), **dict(head["nested"])}
            return ReplyBody(str(head["kind"]), values, str(head["wrong"]))
        except (KeyError, TypeError, ValueError, Garbled) as error:
            raise WorkerLost(f"broke its worker: {type(error).__name__}: {error}") from None
