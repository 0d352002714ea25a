"""What a partner sent neither steers a terminal nor writes a line of ours."""

from __future__ import annotations

import io
import json

import pytest

from hub.app.logs import make_logger
from hub.cli.shell.output import one_line, printable
from hub.core.network.visible import visible, visible_json

HOSTILE = "a\x1b[2J\x00\r\nb\x7f\x85\x9b31m\u2028c\u2029\u202ed\u2066\u200b\ufeff\U000e0001é€"
STEERS = {
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f\ufeff",
}


@pytest.mark.parametrize("character", sorted(STEERS))
def test_each_control_character_becomes_its_code(character: str) -> None:
    shown = visible(f"1{character}2")
    assert shown.isprintable()
    assert shown.startswith("1\\")
    assert json.loads(visible_json(json.dumps(f"1{character}2", ensure_ascii=False))) == f"1{character}2"
    assert not STEERS & set(visible_json(json.dumps(f"1{character}2", ensure_ascii=False)))


def test_a_value_is_one_line_and_a_text_keeps_its_lines() -> None:
    assert visible("plain é €") == "plain é €"
    assert one_line("a\n2026-01-01 delivered\t") == "a\\n2026-01-01 delivered\\t"
    assert printable("a\n\x9bb") == "a\n\\x9bb"
    assert (
        visible(HOSTILE)
        == "a\\x1b[2J\\x00\\r\\nb\\x7f\\x85\\x9b31m\\u2028c\\u2029\\u202ed\\u2066\\u200b\\ufeff\\U000e0001é€"
    )


@pytest.mark.parametrize("as_json", [True, False])
def test_a_log_line_is_one_line_whatever_stands_in_it(as_json: bool) -> None:
    stream = io.StringIO()
    log = make_logger("info", json=as_json, stream=stream)
    log.warning("call_refused", why=HOSTILE, nested={"peer": HOSTILE}, count=3)
    written = stream.getvalue()
    assert written.count("\n") == 1
    assert not STEERS & set(written.rstrip("\n"))
    assert not as_json or json.loads(written)["why"] == HOSTILE
