"""Which queues a message goes to: the four kinds of exchange, in memory and pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from hub.core.topology import Binding, Exchange

REMEMBERED_KEYS = 4096
"""Routing keys whose answer is remembered; the oldest is forgotten first."""


def topic_matches(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """AMQP's topic rule: `*` is exactly one word, `#` any number of them."""
    reached = {0}
    for part in pattern:
        if part == "#":
            reached = set(range(min(reached), len(words) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(words) and part in ("*", words[at])}
        if not reached:
            return False
    return len(words) in reached


class ExchangeRouting:
    """The exchanges and bindings of a broker. Immutable: a change is a new one."""

    def __init__(self, exchanges: Mapping[str, Exchange], bindings: Sequence[Binding]) -> None:
        self.exchanges = exchanges
        self._bindings: dict[str, list[Binding]] = {}
        for binding in bindings:
            self._bindings.setdefault(binding.exchange, []).append(binding)
        self._answers: OrderedDict[tuple[str, str], tuple[str, ...]] = OrderedDict()

    def queues(self, exchange: str, key: str, headers: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of the queues that receive it, each once. The exchange exists; it is not the default one."""
        if self.exchanges[exchange].type == "headers":
            return self._distinct(b for b in self._bindings.get(exchange, ()) if _headers_match(b, headers))
        answer = self._answers.get((exchange, key))
        if answer is None:
            answer = self._answer(exchange, key)
            self._answers[exchange, key] = answer
            if len(self._answers) > REMEMBERED_KEYS:
                self._answers.popitem(last=False)
        return answer

    def _answer(self, exchange: str, key: str) -> tuple[str, ...]:
        bindings = self._bindings.get(exchange, ())
        kind = self.exchanges[exchange].type
        if kind == "fanout":
            return self._distinct(bindings)
        if kind == "direct":
            return self._distinct(b for b in bindings if b.key == key)
        words = key.split(".") if key else []
        return self._distinct(b for b in bindings if topic_matches(b.key.split(".") if b.key else [], words))

    @staticmethod
    def _distinct(bindings: Any) -> tuple[str, ...]:
        return tuple(dict.fromkeys(binding.queue for binding in bindings))


def _headers_match(binding: Binding, headers: Mapping[str, Any]) -> bool:
    missing = object()
    wanted = [(name, value) for name, value in binding.headers if name != "x-match"]
    same = (headers.get(name, missing) == value for name, value in wanted)
    return any(same) if ("x-match", "any") in binding.headers else all(same)
