"""Structured logs: JSON lines for programs, short coloured lines on a terminal."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import orjson
import structlog

from hub.core.network.visible import visible, visible_json

LEVELS = ("debug", "info", "warning", "error")


def make_logger(
    level: str = "info", *, json: bool | None = None, stream: TextIO | None = None, everywhere: bool = False
) -> Any:
    """A logger for a stream, without one for stderr. `json` None: JSON unless the stream is a terminal. `everywhere`:
    parts that ask structlog for a logger of their own get one like it."""
    to_stderr = stream is None
    stream = stream or sys.stderr
    as_json = json if json is not None else not stream.isatty()
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=dumps)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    processors = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        *(() if as_json else (with_visible_values,)),
        renderer,
    ]
    wrapper = structlog.make_filtering_bound_logger(logging.getLevelName(level.upper()))
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    if everywhere:

        def factory(*_: Any) -> Any:
            """With the stderr of now: the one of this moment may be a test's, and closed later."""
            return structlog.PrintLogger(sys.stderr if to_stderr else stream)

        structlog.configure(processors=processors, wrapper_class=wrapper, logger_factory=factory)
    return structlog.wrap_logger(structlog.PrintLogger(stream), processors=processors, wrapper_class=wrapper)


def with_visible_values(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What a partner sent neither steers the terminal nor begins a line of the log. A traceback keeps its lines."""
    for name, value in event.items():
        if name == "exception":
            event[name] = visible(str(value), keep="\n\t")
        elif not isinstance(value, int | float | None):
            event[name] = visible(str(value))
    return event


def dumps(value: Any, default: Any = None, **_: Any) -> str:
    return visible_json(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode())
