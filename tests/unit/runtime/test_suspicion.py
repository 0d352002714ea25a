"""Copies during which processes have died keep each other company, or none."""

from __future__ import annotations

import asyncio

from hub.runtime.delivery.company import Company


class Guest:
    """Somebody who works in company, or alone, until told to go."""

    def __init__(self, company: Company, *, alone: bool) -> None:
        self.inside = False
        self._go = asyncio.Event()
        self.task = asyncio.create_task(self._work(company, alone))

    async def _work(self, company: Company, alone: bool) -> None:
        async with company.alone() if alone else company.shared():
            self.inside = True
            await self._go.wait()
        self.inside = False

    async def leave(self) -> None:
        self._go.set()
        await self.task


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_that_is_alone_has_nobody_beside_it() -> None:
    company = Company()
    one, other = Guest(company, alone=False), Guest(company, alone=False)
    await turns()
    single = Guest(company, alone=True)
    await turns()
    assert (one.inside, other.inside, single.inside) == (True, True, False)
    await one.leave()
    await turns()
    assert not single.inside
    await other.leave()
    await turns()
    assert single.inside
    later, second = Guest(company, alone=False), Guest(company, alone=True)
    await turns()
    assert not later.inside
    assert not second.inside
    await single.leave()
    await turns()
    assert later.inside != second.inside
    for guest in (later, second):
        await guest.leave()


async def test_who_waits_to_be_alone_comes_before_those_that_share() -> None:
    company = Company()
    slow = Guest(company, alone=False)
    await turns()
    single = Guest(company, alone=True)
    await turns()
    late = Guest(company, alone=False)
    await turns()
    assert not late.inside
    await slow.leave()
    await turns()
    assert single.inside
    assert not late.inside
    await single.leave()
    await turns()
    assert late.inside
    await late.leave()


async def test_who_gives_up_keeps_nobody_out() -> None:
    company = Company()
    slow = Guest(company, alone=False)
    await turns()
    single = Guest(company, alone=True)
    await turns()
    single.task.cancel()
    await turns()
    other = Guest(company, alone=False)
    await turns()
    assert other.inside
    for guest in (slow, other):
        await guest.leave()
