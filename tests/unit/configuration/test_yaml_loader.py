"""Strict YAML 1.2 with positions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.configuration.files.yaml_file import YamlFile
from hub.configuration.files.yaml_loader import load
from hub.core.errors import ConfigError, FilePlace


def parsed(text: str | bytes, environ: Mapping[str, str] | None = None) -> YamlFile:
    return load("a.yaml", text.encode() if isinstance(text, str) else text, environ or {})


def data(text: str) -> Any:
    file = parsed(text)
    assert file.errors == ()
    return file.data


@pytest.mark.parametrize(
    "text",
    [
        "on",
        "off",
        "yes",
        "no",
        "y",
        "12:30",
        "010",
        "007",
        "004010",
        "2026-01-31",
        "1_000",
        ".inf",
        ".nan",
        "=",
        "<<",
        "1.2.3",
        "0b1",
        "tRUE",
    ],
)
def test_what_is_no_value_of_the_core_schema_stays_text(text: str) -> None:
    assert data(f"a: {text}") == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("+7", 7),
        ("0x10", 16),
        ("0o17", 15),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
    ],
)
def test_values_of_the_core_schema(text: str, value: Any) -> None:
    found = data(f"a: {text}")["a"]
    assert (found, type(found)) == (value, type(value))


def test_quoted_scalars_are_text() -> None:
    assert data('a: "1"\nb: \'true\'\nc: "null"') == {"a": "1", "b": "true", "c": "null"}


def test_keys_are_always_text() -> None:
    assert data("404: x\ntrue: y\n010: z") == {"404": "x", "true": "y", "010": "z"}


def test_a_byte_order_mark_and_an_empty_file_are_fine() -> None:
    assert parsed(b"\xef\xbb\xbfa: 1").data == {"a": 1}
    assert data("") is None
    assert data("# only a comment\n") is None


def test_every_value_and_key_has_a_place() -> None:
    file = parsed("a:\n  - x\n  - {b: 1, c: two}\n")
    assert file.place(("a", 1, "c")) == FilePlace("a.yaml", 3, 15)
    assert file.key_place(("a", 1, "c")) == FilePlace("a.yaml", 3, 12)
    assert file.place(("a", 1, "zzz")) == FilePlace("a.yaml", 3, 5)
    assert file.place() == FilePlace("a.yaml", 1, 1)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: 1\n---\nb: 2", "2:1", "a second document"),
        ("a: !python/object:os.system x", "1:4", "tag"),
        ("a: !!int '1'", "1:4", "tag"),
        ("!!str a: b", "1:1", "tag"),
        ("a:\n\t- b", "2:1", "tab"),
        ("a: [1, 2", "2:1", "not YAML"),
        ("a: b\n c: d", "2:3", "not YAML"),
        ("a: @x", "1:4", "not YAML"),
        ("a: *nowhere", "1:4", "&nowhere"),
        ("a: &x [*x]", "1:8", "&x"),
        ("{[a]: b}", "1:2", "a key"),
        ("? {a: b}\n: c", "1:3", "a key"),
        ("a: " + "[" * 100, "1:43", "deeper"),
        ("a: " + "{b: " * 100, "1:160", "deeper"),
        ("%YAML 2.0\n---\na: 1", "1:1", "not YAML"),
        ('a: "\x01"', "1:1", "control"),
    ],
)
def test_what_makes_a_file_unreadable_has_a_place(text: str, place: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"a.yaml:{place}: error: ")


def test_bytes_that_are_not_utf_8_have_a_place() -> None:
    with pytest.raises(ConfigError, match=r"^a.yaml:2:4: error: the file is not UTF-8 here"):
        parsed("ä: 1\nb: ".encode() + b"\xff")


def test_a_duplicate_key_names_both_lines_and_the_rest_is_still_read() -> None:
    file = parsed("a: 1\nb: {c: 1, c: 2}\na: 3\n")
    assert [str(error) for error in file.errors] == [
        "a.yaml:2:11: error: the key 'c' stands twice, first in line 2",
        "a.yaml:3:1: error: the key 'a' stands twice, first in line 1",
    ]


def test_anchors_work_and_bombs_do_not() -> None:
    assert data("a: &x [1, 2]\nb: *x") == {"a": [1, 2], "b": [1, 2]}
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(ConfigError, match="aliases counted"):
        parsed("\n".join(lines))


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(ConfigError, match="bytes"):
        parsed(b"#" * (17 << 20))


def test_environment_variables() -> None:
    environ = {"HOST": "db", "EMPTY": "", "N": "7"}
    file = parsed(
        'a: "http://${HOST}/x"\nb: ${N}\nc: $${HOST}\nd: ${GONE:-fallback}\ne: ${EMPTY:-x}\nf: ${EMPTY}', environ
    )
    assert file.errors == ()
    assert file.data == {"a": "http://db/x", "b": "7", "c": "${HOST}", "d": "fallback", "e": "x", "f": ""}
    assert file.root.entries["a"].raw == "http://${HOST}/x"


def test_a_missing_variable_is_named() -> None:
    (error,) = parsed("a: 1\nb: ${ERP_TOKN}", {"ERP_TOKEN": "hush"}).errors
    assert str(error) == "a.yaml:2:4: error: the environment variable ERP_TOKN is not set (did you mean ERP_TOKEN?)"


@pytest.mark.parametrize("text", ["a: ${", "a: ${}", "a: ${1X}", 'a: "x${ Y }"'])
def test_half_a_reference_is_an_error(text: str) -> None:
    (error,) = parsed(text).errors
    assert error.hint == "write `$${` for a literal `${`"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_file_or_a_config_error(content: bytes) -> None:
    try:
        parsed(content)
    except ConfigError as error:
        assert error.place is not None  # noqa: PT017


@given(st.text("ab:- \n\t[]{}&*!|>'\"%@`#,?${}01", max_size=60))
def test_any_text_is_a_file_or_a_config_error(text: str) -> None:
    try:
        parsed(text)
    except ConfigError as error:
        assert error.place is not None  # noqa: PT017
