"""A log event is one word in snake_case, so that logs can be searched and counted by it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from tests.architecture.code import nodes, trees

LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
LOGS = re.compile(r"(^|\.)_?log$|get_logger\(.*\)$|_sampled$")
EVENT = re.compile(r"[a-z][a-z0-9_]*")


def events(found: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    """Of each call that logs: its line and its event, where that is written out."""
    for node in found:
        match node:
            case ast.Call(func=ast.Attribute(value=log, attr=level), args=[ast.Constant(value=str(event)), *_]):
                if level in LEVELS and LOGS.search(ast.unparse(log)):
                    yield node.lineno, event


def test_a_sentence_is_found() -> None:
    code = (
        "self._log.info('hub_started')\nlog.error('It broke')\nget_logger('x').info('a b')\nfindings.error('no file')\n"
    )
    found = [event for _, event in events(ast.walk(ast.parse(code)))]
    assert sorted(event for event in found if not EVENT.fullmatch(event)) == ["It broke", "a b"]


def test_an_event_is_one_word() -> None:
    found = [(name, *event) for name in trees() for event in events(nodes(name))]
    assert len(found) > 50
    assert [f"{name}:{line}: {event}" for name, line, event in found if not EVENT.fullmatch(event)] == []
