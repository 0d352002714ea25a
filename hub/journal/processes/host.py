"""Which processes of a shared journal are on this machine, and which of those are gone."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def this_host() -> str:
    """A name for the set of processes whose ids mean something here: host name, boot and process namespace. Two
    machines of one name, and two containers on one machine, have different ones."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
        namespace = str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    except OSError:
        return f"{socket.gethostname()}/unknown"
    return f"{socket.gethostname()}/{boot}/{namespace}"


def gone(host: str, pid: int) -> bool:
    """Whether a process is known to have ended: it was on this machine and is no more, or only its parent has not
    noticed yet. Of others only the heartbeat tells."""
    if host != this_host() or host.endswith("/unknown"):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] in (b"Z", b"X")
    except (OSError, IndexError):
        return False
