"""The program `hub`: puts the faces together. The only module above them."""

from hub.cli.program import build
from hub.console.server import serving


def main() -> None:
    """Runs the command line; the HTTP face is handed to it, because no face imports another."""
    build(serving)()
