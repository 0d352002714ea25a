"""What the step `enrich` asks, and what it makes of the answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from adapters.enrich.answer_cache import AnswerCache
from adapters.enrich.enrichment import PLUGIN, EnrichFromEndpoint, plainly
from adapters.enrich.options import EnrichOptions
from adapters.enrich.rest_lookup import RestLookup
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.errors import ConfigError, MappingError
from hub.core.message import EMPTY
from hub.core.options.work import IN_PROCESS
from hub.core.ports import Receipt
from hub.core.step import NamedStep, Stepped
from hub.documents import Document, Order, from_json
from hub.mapping.allowance import RenderingAllowance, within
from hub.runtime.steps.walk import MOST_ANSWERED, Walked, walk_on

ITEM = {"endpoint": "erp", "call": "GET /p?c={a}&i={b}", "names": {"a": "partner", "b": "number"}}


class Echo:
    """Answers with what it was asked, or always the same."""

    def __init__(self, reply: bytes = b"") -> None:
        self.reply = reply

    async def ask(self, call: str, facts: Mapping[str, Any], headers: Mapping[str, str] = EMPTY) -> Receipt:
        return Receipt(reply=self.reply or b'{"x": "%s of %s"}' % (facts["b"].encode(), facts["a"].encode()))


def options(**more: Any) -> EnrichOptions:
    return EnrichOptions.model_validate({**ITEM, "set": {"currency": "/x"}, **more})


def enriching(reply: bytes, **more: Any) -> EnrichFromEndpoint:
    wanted = options(**more)
    return EnrichFromEndpoint(
        wanted, RestLookup(Echo(reply), None, wanted, AnswerCache(0, time.monotonic), SystemClock())
    )


async def asked_about(step: EnrichFromEndpoint, document: Document) -> Stepped:
    return step.answered(document, {}, await step.ask(step.questions(document, {})))


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{item}-{partner}", "1/2-A&B"),
        ('/items?where={"sku":"{item}"}', '/items?where={"sku":"1/2"}'),
        ("/{Partner}/{0}/{}/{partner}}", "/{Partner}/{0}/{}/A&B}"),
        ("{{item}}", "{1/2}"),
        ("{test}", "true"),
    ],
)
def test_a_question_is_shown_with_its_facts_whatever_else_stands_in_it(template: str, said: str) -> None:
    assert plainly(template, {"item": "1/2", "partner": "A&B", "test": True}) == said


def test_a_question_of_which_a_fact_has_no_value_is_none() -> None:
    with pytest.raises(MappingError, match="needs the fact 'item', which this document doesn't have"):
        plainly("{item}", {"item": ""})


async def test_questions_that_read_alike_have_answers_of_their_own() -> None:
    lookup = RestLookup(Echo(), None, options(), AnswerCache(60, time.monotonic), SystemClock())
    asked = ({"a": "1", "b": "2&i=3"}, {"a": "1&i=2", "b": "3"})
    shown = [plainly("/p?c={a}&i={b}", one) for one in asked]
    assert shown[0] == shown[1]
    answers = await lookup.find_all(asked) + await lookup.find_all(asked)
    assert [one.values["currency"] for one in answers if one] == ["2&i=3 of 1", "3 of 1&i=2"] * 2
    assert answers[0] is not None
    assert answers[2] is not None
    assert answers[0].at == answers[2].at


@pytest.mark.parametrize(
    ("reply", "price"),
    [
        (b"12345678901234567.89", "12345678901234567.89"),
        (b"1.50", "1.50"),
        (b"1e3", "1000"),
        (b"7", "7"),
        (b'"7.1"', "7.1"),
    ],
)
async def test_a_number_of_the_answer_is_put_in_digit_by_digit(reply: bytes, price: str) -> None:
    order = from_json(b'{"document": "order@1", "number": "1", "lines": [{"quantity": "1", "number": "1"}]}')
    step = enriching(b'{"x": %s}' % reply, each="lines", call="GET /{b}", names={"b": "number"}, set={"price": "/x"})
    made = (await asked_about(step, order)).document
    assert isinstance(made, Order)
    assert str(made.lines[0].price) == price


@pytest.mark.parametrize("reply", [b"1e999", b"1e300000000", b"NaN"])
async def test_a_number_beyond_all_bounds_is_no_answer(reply: bytes) -> None:
    order = from_json(b'{"document": "order@1", "number": "1", "partner": "A"}')
    with pytest.raises(MappingError, match="there is no value for currency to erp GET"):
        await asked_about(enriching(b'{"x": %s}' % reply), order)


def test_a_column_that_the_table_lacks_is_a_mistake_of_the_site() -> None:
    wanted = EnrichOptions.model_validate({"table": "t.csv", "key": "{number}", "set": {"currency": "zz"}})
    context = Context(site=None, text=lambda folder, name: "a,b\n1,USD\n")
    with pytest.raises(ConfigError, match=r"the table t\.csv has no column 'zz'; it has a, b"):
        PLUGIN.build("money", wanted, context)


@pytest.mark.parametrize(
    ("field", "each"), [("lines", None), ("document", None), ("references", None), ("taxes", "lines")]
)
def test_a_list_and_the_kind_of_a_document_are_not_set(field: str, each: str | None) -> None:
    with pytest.raises(ValidationError, match=f"set: '{field}' is a list, or says what the document is"):
        options(set={field: "/x"}, each=each, names={"a": "number", "b": "number"})


@pytest.mark.parametrize(("field", "each"), [("exchange_rate", None), ("totals", None), ("products.VN", "lines")])
def test_a_value_and_a_part_are_set(field: str, each: str | None) -> None:
    assert options(set={field: "/x"}, each=each, names={"a": "number", "b": "number"}).put == {field: "/x"}


async def test_answers_too_large_for_this_process_are_left_to_a_worker() -> None:
    order = from_json(b'{"document": "order@1", "number": "1", "partner": "A"}')
    large = enriching(b'{"x": "%s"}' % (b"y" * (MOST_ANSWERED + 1)))
    steps, allowance = [NamedStep("large", large)], RenderingAllowance(IN_PROCESS)
    with within(allowance), pytest.raises(MappingError, match="too large for this process"):
        await walk_on(steps, [Walked(order)], lambda document: {})
    assert allowance.spent
    (walked,) = await walk_on(steps, [Walked(order)], lambda document: {})
    assert walked.goes_on


async def test_questions_and_answers_of_one_document_are_bounded() -> None:
    lines = [{"quantity": "1", "number": "x" * 90_000}] * 50
    order = from_json(orjson.dumps({"document": "order@1", "number": "1", "lines": lines}))
    many = enriching(b'{"x": "1"}', each="lines", call="GET /{b}", names={"b": "number"}, set={"price": "/x"})
    (walked,) = await walk_on([NamedStep("many", many)], [Walked(order)], lambda document: {})
    assert "its questions have 4500050 characters together; at most 4000000 are asked" in str(walked.error)
    few = from_json(
        orjson.dumps({"document": "order@1", "number": "1", "lines": [{"quantity": "1", "number": "x"}] * 50})
    )
    big = enriching(
        b'{"x": "%s"}' % (b"y" * 500_000), each="lines", call="GET /{b}", names={"b": "number"}, set={"unit": "/x"}
    )
    (walked,) = await walk_on([NamedStep("big", big)], [Walked(few)], lambda document: {})
    assert "the answers have 25000550 bytes together; at most 16000000 go into one document" in str(walked.error)
