"""The program `hub`: puts the faces together. The only module above them."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from hub.cli.program import build

if TYPE_CHECKING:
    from hub.app.running_hub import RunningHub


def main() -> None:
    """Runs the command line; the HTTP face is handed to it, because no face imports another."""
    build(serving)()


def serving(hub: RunningHub, listen: str) -> AbstractAsyncContextManager[str]:
    """The HTTP face, loaded when a hub really runs: commands that only look begin faster without it."""
    from hub.console.server import serving as serve

    return serve(hub, listen)
