"""X12 as a command prints it."""

from __future__ import annotations

import sys

from hub.cli.shell.output import out, printable


def write_x12(data: bytes) -> None:
    """Bytes as they are for a program or a file; what a person sees steers no terminal."""
    if out.is_terminal:
        out.print(printable(data.decode("utf-8", "replace").replace("\r\n", "\n")), markup=False)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
