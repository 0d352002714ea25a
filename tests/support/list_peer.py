"""A far end that is asked for its list, behind a proxy."""

from __future__ import annotations

from hub.core.ports import Source
from tests.support.lists import Lists, Question, Reply
from tests.support.proxy import TcpProxy
from tests.support.source_peer import BODY, Seat
from tests.support.source_peers import Behind

TIMES = 3
"""Questions behind an item, after which a whole round has been without it."""


class ListPeer(Behind):
    """Its list grows by what is offered; who asks behind an item has taken it."""

    body = BODY.strip()
    name = "1"

    def __init__(self, seat: Seat, proxy: TcpProxy, lists: Lists) -> None:
        super().__init__(seat, proxy)
        self._items: list[bytes] = []
        self._lists = lists
        lists.script = self._answer
        self._endpoint = self.endpoint("rest", {"base": f"http://127.0.0.1:{proxy.port}", "timeout": "2s"})

    def source(self) -> Source:
        options = {
            "endpoint": "peer",
            "call": "GET /orders?since={cursor}",
            "every": "50ms",
            "items": "/orders",
            "id": "/number",
            "cursor": {"reply": "/until", "start": "0"},
        }
        return self.built("rest", options, self._endpoint)

    async def offer(self) -> None:
        self._items.append(self.body)

    async def acknowledged(self) -> bool:
        behind = [question for question in self._lists.asked if question.query["since"] == str(len(self._items))]
        return len(behind) >= TIMES

    def _answer(self, question: Question) -> Reply:
        items = b",".join(self._items[int(question.query["since"]) :])
        return Reply(b'{"orders": [%s], "until": %d}' % (items, len(self._items)))
