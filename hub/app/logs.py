"""Structured logs: JSON lines for programs, short coloured lines on a terminal."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import orjson
import structlog

LEVELS = ("debug", "info", "warning", "error")


def make_logger(level: str = "info", *, json: bool | None = None, file: Path | None = None) -> Any:
    """A logger for stderr, or for a file. `json` None: JSON unless stderr is a terminal."""
    stream = file.open("a") if file is not None else sys.stderr
    as_json = json if json is not None else not stream.isatty()
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=dumps)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    return structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
    )


def dumps(value: Any, default: Any = None, **_: Any) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
