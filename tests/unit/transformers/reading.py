"""Readers built from YAML over files that a test says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from hub.core.context import Context
from hub.core.errors import ConfigError
from hub.core.plugin import Plugin
from hub.core.ports import BytesBody, Reading


def built(plugin: Plugin, options: str, files: Mapping[str, str] | None = None) -> Any:
    """`files` are the site's, by their path."""
    found = files or {}

    def text(folder: str, name: str) -> str:
        if f"{folder}/{name}" not in found:
            raise ConfigError(f"there is no file {folder}/{name} in the site")
        return found[f"{folder}/{name}"]

    checked = plugin.options.model_validate(_frozen(yaml.safe_load(options)))
    return plugin.build("it", checked, Context(site=None, text=text))


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(one) for one in value)
    return {key: _frozen(one) for key, one in value.items()} if isinstance(value, dict) else value


@dataclass(frozen=True)
class Pieces:
    """A body that comes in small pieces, again and again."""

    data: bytes
    piece: int = 7

    @property
    def size(self) -> int:
        return len(self.data)

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        yield from BytesBody(self.data).chunks(self.piece)


@dataclass(frozen=True)
class Repeated:
    """A large body that is never held: a begin, a part many times, an end."""

    begin: bytes
    part: bytes
    times: int
    end: bytes = b""

    @property
    def size(self) -> int:
        return len(self.begin) + len(self.part) * self.times + len(self.end)

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        yield self.begin
        many = max(1, size // len(self.part))
        for start in range(0, self.times, many):
            yield self.part * min(many, self.times - start)
        yield self.end


def said(readings: list[Reading]) -> list[tuple[str, str]]:
    """Position and number, or position and error."""
    return [
        (".".join(one.position), one.document.number if one.document is not None else f"! {one.error}")
        for one in readings
    ]
