"""The step `split`: several documents of one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from hub.core.context import Context
from hub.core.errors import DecodeError, MappingError
from hub.documents import Document, Order, from_json
from transformers.split import PLUGIN, SplitOptions


def order(*lines: dict[str, Any], **more: Any) -> Order:
    made = from_json(json.dumps({"document": "order@1", "number": "7", "lines": lines, **more}).encode())
    assert isinstance(made, Order)
    return made


def split(whole: Document, text: str = "", **options: Any) -> tuple[Document, ...]:
    step = PLUGIN.build("cut", SplitOptions.model_validate(options), Context("", text=lambda folder, name: text))
    stepped = step.take(whole, {})
    return tuple(part.document for part in stepped.parts) or (stepped.document,)


def names(whole: Document, by: str) -> list[str]:
    step = PLUGIN.build("cut", SplitOptions.model_validate({"by": by}), Context(""))
    return [part.name for part in step.take(whole, {}).parts]


class TestBy:
    def test_lines_that_are_equal_in_the_field_go_together_in_their_order(self) -> None:
        document = order(*({"number": n, "unit": u} for n, u in (("1", "EA"), ("2", "CA"), ("3", "EA"))))
        parts = split(document, by="lines.unit")
        assert [[line.number for line in part.lines] for part in parts] == [["1", "3"], ["2"]]  # type: ignore[attr-defined]
        assert {part.number for part in parts} == {"7"}

    def test_a_part_is_named_by_what_its_lines_have_in_common(self) -> None:
        assert names(order({"unit": "EA"}, {"unit": "CA"}, {}), "lines.unit") == ["EA", "CA", "no-value"]
        assert names(order({"unit": "CA"}, {"unit": "EA"}), "lines.unit") == ["CA", "EA"]
        hostile = names(
            order(*({"unit": unit} for unit in ("a.b", "../x", "", "\n", "x" * 40, "no-value"))), "lines.unit"
        )
        assert len(set(hostile)) == 6
        assert all(name.startswith("x") and name.isalnum() for name in hostile)

    def test_a_line_without_the_field_is_a_part_of_its_own(self) -> None:
        assert len(split(order({"unit": "EA"}, {"number": "2"}), by="lines.unit")) == 2

    def test_what_is_stated_of_the_whole_is_left_out_and_computed(self) -> None:
        lines = ({"unit": "EA", "price": "2", "quantity": "3"}, {"unit": "CA", "price": "1", "quantity": "1"})
        amounts = [{"qualifier": "TT", "value": "7"}, {"qualifier": "1", "value": "5"}]
        parts = split(order(*lines, totals={"amount": "7"}, amounts=amounts), by="lines.unit")
        assert [str(part.total) for part in parts] == ["6", "1"]
        assert [[str(a.value) for a in part.amounts] for part in parts] == [["5"], ["5"]]  # type: ignore[attr-defined]

    @pytest.mark.parametrize("lines", [(), ({"unit": "EA"}, {"unit": "EA"})])
    def test_a_document_of_one_part_goes_on_as_it_is(self, lines: tuple[dict[str, Any], ...]) -> None:
        document = order(*lines, totals={"amount": "7"})
        assert split(document, by="lines.unit") == (document,)

    @pytest.mark.parametrize("by", ["unit", "lines", "lines.colour", "liens.unit"])
    def test_a_field_that_no_line_has_is_refused(self, by: str) -> None:
        with pytest.raises(ValidationError, match="no field of a document's lines"):
            SplitOptions.model_validate({"by": by})


class TestTemplate:
    EACH = (
        '[{% for line in document.lines %}{"number": "{{ document.number }}-{{ loop.index }}"}{{ "," if not loop.last'
        " }}{% endfor %}]"
    )

    def test_a_list_of_documents_becomes_the_parts(self) -> None:
        parts = split(order({}, {}), self.EACH, template="each.json.j2")
        assert [part.number for part in parts] == ["7-1", "7-2"]

    def test_another_kind_may_come_out(self) -> None:
        (part,) = split(order({}), self.EACH, template="each.json.j2", document="invoice@1")
        assert part.kind == "invoice"

    @pytest.mark.parametrize("made", ["[]", "{}", "7", "not JSON", "[" * 100_000])
    def test_nothing_disappears(self, made: str) -> None:
        with pytest.raises(MappingError, match=r"each\.json\.j2"):
            split(order({}), made, template="each.json.j2")

    def test_a_part_that_is_no_document_is_an_error_with_its_field(self) -> None:
        with pytest.raises(DecodeError, match=r"a part of it: .*number"):
            split(order({}), '[{"nmber": "1"}]', template="each.json.j2")

    def test_too_many_are_refused(self) -> None:
        with pytest.raises(MappingError, match="more than 10000"):
            split(order({}), f"[{','.join(['{}'] * 10_001)}]", template="each.json.j2")


@pytest.mark.parametrize(
    "options", [{}, {"by": "lines.unit", "template": "a.json.j2"}, {"by": "lines.unit", "document": "order@1"}]
)
def test_there_is_one_way_to_cut(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"by|belongs"):
        SplitOptions.model_validate(options)
