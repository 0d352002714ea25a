"""Names made of facts: what is safe stays as it is, and no two documents ever have one name."""

from __future__ import annotations

import re
import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import MappingError
from hub.core.options.naming import LONGEST, render
from hub.documents.naming import file_name, header_of, name_of

TEXTS = st.text(alphabet="AB_1-.~ /é", min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("template", "facts", "name"),
    [
        ("{document}_{number}.json", {"document": "order", "number": "PO_4711"}, "order_PO_4711.json"),
        ("{document}_{number}.json", {"document": "ship_notice", "number": "1_2"}, "ship_notice_1_2.json"),
        ("{partner}", {"partner": "ACME.EU"}, "ACME.EU"),
        ("{partner}.{document}", {"partner": "ACME.EU", "document": "order"}, "ACME.EU.order"),
        ("{set}_{number}.edi", {"set": "850", "number": "A@b+c=d-1"}, "850_A@b+c=d-1.edi"),
        ("{number}", {"number": "9" * LONGEST}, "9" * LONGEST),
        ("{test}", {"test": True}, "true"),
        ("fixed.json", {}, "fixed.json"),
    ],
)
def test_what_is_safe_keeps_its_name(template: str, facts: dict[str, object], name: str) -> None:
    assert name_of(facts, template) == name


def test_the_default_name_holds_the_partner_where_there_is_one() -> None:
    facts = {"document": "ship_notice", "number": "SN_1"}
    assert file_name(facts, None) == "ship_notice_SN_1.json"
    assert file_name({**facts, "partner": "ACME_EU"}, None) == "ACME_EU_ship_notice_SN_1.json"
    assert file_name({"partner": "order", "document": "order", "number": "1"}, None) != file_name(
        {"document": "order", "number": "order_1"}, None
    )
    with pytest.raises(MappingError, match="number"):
        file_name({"document": "order", "partner": "ACME"}, None)


def test_what_is_changed_or_cut_has_a_digest() -> None:
    numbers = ["PO_4711", "PO 4711", "PO/4711", "PO\\4711", "PO*4711", "PO#4711", ".", "..", "_", "__", "\ud800", "é"]
    numbers += ["9" * 200, "9" * 201, "9" * 202]
    names = {render("{number}", {"number": number}) for number in numbers}
    assert len(names) == len(numbers)
    assert all(re.fullmatch(r"[A-Za-z0-9._~@+=-]{1,200}", name) and not name.startswith(".") for name in names)


@pytest.mark.parametrize("template", ["{a}_{b}", "{a}{b}", "{a}.{b}.json", "x~{a}~{b}", "{a}", "{document}_{a}"])
def test_the_names_of_a_small_world_are_all_different(template: str) -> None:
    texts = [
        "A",
        "B",
        "A_B",
        "_",
        "1",
        "A_",
        "_A",
        "A.B",
        "A B",
        "A/B",
        "A~B",
        "order",
        "order_change",
        "change_1",
        ".",
    ]
    made: dict[str, dict[str, str]] = {}
    for a, b, document in product(texts, texts, ("order", "order_change")):
        facts = {
            name: value for name, value in (("a", a), ("b", b), ("document", document)) if f"{{{name}}}" in template
        }
        assert made.setdefault(name_of(facts, template), facts) == facts


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_two_documents_never_have_one_name(a: str, b: str, c: str, d: str) -> None:
    names = [name_of({"a": x, "b": y}, "{a}_{b}.json") for x, y in ((a, b), (c, d))]
    assert (names[0] == names[1]) == ((a, b) == (c, d))


def test_a_header_of_a_message_holds_the_fact_as_it_is() -> None:
    assert header_of("no {number}", {"number": "PO 4711/é"}) == "no PO 4711/é"
    assert header_of("{number}", {"number": "a\nb"}) != header_of("{number}", {"number": "a_b"})


def test_reading_a_name_back_costs_little() -> None:
    template = "_".join(f"{{a{n}}}" for n in range(5))
    facts = {f"a{n}": "_" * LONGEST for n in range(5)}
    begun = time.process_time()
    name_of(facts, template)
    assert time.process_time() - begun < 2.0
