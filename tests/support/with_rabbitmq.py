"""Runs a command with a RabbitMQ node: `python -m tests.support.with_rabbitmq COMMAND ... '{url}' ...`.

The node is the one that HUB_TEST_AMQP_URL gives, else a private one that ends with the command; `{url}` becomes its
URL.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.rabbitmq import find_server, private_node
from tests.support.servers import GIVEN, MISSING


def main(command: list[str]) -> int:
    given = os.environ.get(GIVEN["rabbitmq"])
    if given:
        return run(command, given)
    server = find_server()
    if server is None:
        print(MISSING["rabbitmq"], file=sys.stderr)
        return 1
    with private_node(server) as node:
        return run(command, node.url)


def run(command: list[str], url: str) -> int:
    return subprocess.run([part.replace("{url}", url) for part in command], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
