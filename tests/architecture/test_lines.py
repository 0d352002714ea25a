"""Pages have lines of at most 120 characters. `python docs/wrapping.py PAGE` wraps a page, `make docs` the
reference."""

from __future__ import annotations

import runpy

import pytest

from tests.architecture.code import ROOT

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
long_lines = runpy.run_path(str(ROOT / "docs/wrapping.py"))["long_lines"]


def test_a_long_line_is_found_where_it_can_be_wrapped() -> None:
    long = "word " * 30
    kept = [f"| {long}|", f"# {long}", "```", long, "```", "https://example.com/" + "a" * 120]
    found = [f"Some {long}", f"- {long}"]
    assert long_lines("\n".join([*kept, "", *found])) == found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_is_wrapped(page) -> None:  # type: ignore[no-untyped-def]
    assert long_lines(page.read_text(encoding="utf-8")) == []
