"""What `enrich` asks an endpoint, and what it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import orjson

from adapters.enrich.answer_cache import AnswerCache
from adapters.enrich.options import EnrichOptions
from hub.core.clock import Clock
from hub.core.context import Look
from hub.core.errors import MappingError, RejectedError
from hub.core.options.naming import names_in
from hub.core.ports import Asking, Receipt
from hub.core.replies.reply_body import NOTHING, look_here
from hub.core.step import Answer, Question
from hub.core.turns import Turns

AT_ONCE = 100
"""Questions of one document that are asked at the same time."""

MOST = 16_000_000
"""Bytes of all answers for one document."""


class RestLookup:
    """What an endpoint answers. Questions wait for their turn within its limit, and are asked once for what is asked at
    once."""

    def __init__(
        self,
        endpoint: Asking,
        limit: Turns | None,
        options: EnrichOptions,
        cache: AnswerCache[Answer],
        clock: Clock,
        look: Look = look_here,
        name: str = "enrich",
    ) -> None:
        self._endpoint, self._limit, self._options, self._cache, self._clock = endpoint, limit, options, cache, clock
        self._look, self._name = look, name

    async def find_all(self, questions: Sequence[Question]) -> list[Answer]:
        """In their order. Raises TransientError, RejectedError and MappingError."""
        found: list[Answer] = []
        for start in range(0, len(questions), AT_ONCE):
            answers = await asyncio.gather(*(self.find(question) for question in questions[start : start + AT_ONCE]))
            now = self._clock()
            found += [replace(answer, age=now - answer.at) for answer in answers]
            size = sum(answer.size for answer in found)
            if size > MOST:
                raise MappingError(f"the answers have {size} bytes together; at most {MOST} go into one document")
        return found

    async def find(self, question: Question) -> Answer:
        values, began = tuple(question.get(name, "") for name in names_in(self._options.call or "")), self._clock()
        answer = await self._cache.get(values, lambda: self._ask(question))
        return replace(answer, cached=answer.at < began)

    async def _ask(self, question: Question) -> Answer:
        try:
            receipt = await self._send_question(question)
        except RejectedError as error:
            if error.status in (404, 410):
                return Answer({}, self._clock(), known=False)
            raise
        body = await self._look(self._name, receipt.reply, tuple(self._options.put.values()))
        if body.wrong:
            raise RejectedError(f"the answer could not be looked into: {body.wrong}", receipt.status, "unclear")
        values = {field: body.at(place) for field, place in self._options.put.items()}
        known = {f: v for f, v in values.items() if v is not NOTHING and v is not None}
        return Answer(known, self._clock(), len(orjson.dumps(known, default=str)))

    async def _send_question(self, question: Question) -> Receipt:
        call = self._options.call or ""
        if self._limit is None:
            return await self._endpoint.ask(call, question)
        async with self._limit.turn():
            return await self._endpoint.ask(call, question)
