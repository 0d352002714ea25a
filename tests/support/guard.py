"""What ends a server when the process that started it is gone, however that ended."""

from __future__ import annotations

import subprocess


class Guard:
    """A shell that holds the other end of a pipe. A line in it: the server has ended, all is well. Its end: we are
    dead, and the server's process group follows. Start the server with `start_new_session=True`."""

    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", 'read line || kill -KILL "-$0"', str(server.pid)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def release(self) -> None:
        """Once the server has ended."""
        self._shell.communicate(b"\n")
