"""The log that plug-ins write to."""

from __future__ import annotations

from typing import Any, Protocol


class Log(Protocol):
    """An event in snake_case, and what is known of it: `log.warning("not_taken", source=name, error=str(error))`."""

    def info(self, event: str, **values: Any) -> Any: ...

    def warning(self, event: str, **values: Any) -> Any: ...

    def error(self, event: str, **values: Any) -> Any: ...

    def exception(self, event: str, **values: Any) -> Any: ...
