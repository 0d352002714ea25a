"""Gets what the tests run privately:
`python -m tests.support.provision [rabbitmq] [postgres] [openssh] [redis] [compose] [faketime] [namespaces]`, without
names all but the last two, which the whole fault laboratory needs.

A given URL or a local binary is enough; else, as root on Debian, its package is installed without starting its own
server. Says what it did; exit code 1 when something is missing that it can't get.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.laboratory_tools import faketime
from tests.support.openssh import find_sshd
from tests.support.postgres import find_binaries
from tests.support.rabbitmq import find_server
from tests.support.redis import find_redis
from tests.support.servers import GIVEN

POLICY = Path("/usr/sbin/policy-rc.d")
PACKAGES = {
    "rabbitmq": ["rabbitmq-server"],
    "postgres": ["postgresql"],
    "openssh": ["openssh-server", "openssh-client"],
    "redis": ["redis-server"],
    "compose": ["docker-compose"],
    "faketime": ["faketime"],
    "namespaces": ["iproute2"],
}
ASKED_FOR = ("faketime", "namespaces")
"""What only the whole fault laboratory needs."""

TITLES = {
    "rabbitmq": "RabbitMQ",
    "postgres": "PostgreSQL",
    "openssh": "OpenSSH's server",
    "redis": "Redis",
    "compose": "Docker Compose (to check the compose file)",
    "faketime": "libfaketime (clocks that jump)",
    "namespaces": "iproute2 (hosts that vanish)",
}


def main(names_wanted: list[str]) -> int:
    kinds = names_wanted or [kind for kind in PACKAGES if kind not in ASKED_FOR]
    if unknown := set(kinds) - PACKAGES.keys():
        print(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(PACKAGES)}", file=sys.stderr)
        return 2
    missing = [kind for kind in kinds if not _present(kind)]
    for kind in [kind for kind in kinds if kind not in missing]:
        print(f"{TITLES[kind]}: {_present(kind)}")
    if not missing:
        return 0
    names = " and ".join(TITLES[kind] for kind in missing)
    packages = [package for kind in missing for package in PACKAGES[kind]]
    wanted = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        print(
            f"{names} missing, and there is no apt-get here: install it, or set {_variables(missing)}", file=sys.stderr
        )
        return 1
    if os.geteuid() != 0:
        print(
            f"{names} missing, and only root can install it: `sudo {wanted}`, or set {_variables(missing)}",
            file=sys.stderr,
        )
        return 1
    print(f"{names} missing: {wanted}", flush=True)
    return _install(packages, missing)


def _install(packages: list[str], missing: list[str]) -> int:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _nothing_starts():
        for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
            done = subprocess.run(["apt-get", *command], env=environment, stdin=subprocess.DEVNULL, check=False)
            if done.returncode:
                print(f"apt-get {command[0]} failed: see above, or set {_variables(missing)}", file=sys.stderr)
                return 1
    still = [TITLES[kind] for kind in missing if not _present(kind)]
    if still:
        print(f"installed, but still not found: {', '.join(still)}", file=sys.stderr)
    return 1 if still else 0


def _present(kind: str) -> str:
    """Where it comes from; "" when it doesn't."""
    if kind == "compose":
        return " ".join(find_compose() or ())
    if kind == "faketime":
        return str(faketime() or "")
    if kind == "namespaces":
        return shutil.which("ip") or ""
    if kind == "openssh":
        return str(find_sshd() or "")
    if kind == "redis":
        return str(find_redis() or "")
    variable = GIVEN[kind]
    if os.environ.get(variable):
        return f"given by {variable}"
    found = find_server() if kind == "rabbitmq" else find_binaries()
    return str(found) if found else ""


def _variables(kinds: list[str]) -> str:
    return " and ".join(GIVEN[kind] for kind in kinds if kind in GIVEN) or "nothing: it has no other way"


def find_compose() -> list[str] | None:
    """The command of Docker Compose: the client's plug-in, or the older program."""
    if shutil.which("docker"):
        asked = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


@contextmanager
def _nothing_starts() -> Iterator[None]:
    """Debian asks this script before a package starts its server; ours says no. One that is there already stays."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
