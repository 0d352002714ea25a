"""A private RabbitMQ node: started in a temporary folder, ended by process id, gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.guard import Guard
from tests.support.ports import free_ports

SERVERS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "/opt/rabbitmq/sbin/rabbitmq-server")
"""Scripts that start a node as whoever calls them. Debian's own one in /usr/sbin switches the user instead."""

START_LIMIT = 60.0


def find_server() -> Path | None:
    """The server script of this machine, None without RabbitMQ."""
    for candidate in SERVERS:
        if Path(candidate).exists():
            return Path(candidate) if shutil.which("epmd") else None
    found = shutil.which("rabbitmq-server")
    return Path(found) if found and not found.startswith("/usr/sbin") and shutil.which("epmd") else None


class RabbitNode:
    """One node, with an Erlang port mapper of its own. `stop` and `kill` keep its data, `close` removes it."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._base = Path(tempfile.mkdtemp(prefix="hub-rabbit-"))
        self.port, distribution, self._mapper_port = free_ports(3)
        self._name = f"hub{self.port}@localhost"
        self._mapper: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._guards: dict[str, Guard] = {}
        self._environment = self._prepare(distribution)

    def with_tls(self, authority: Path, certificate: Path, key: Path) -> int:
        """Before the start: another port, which lets in only who shows a certificate of the authority."""
        (port,) = free_ports(1)
        with (self._base / "rabbitmq.conf").open("a") as file:
            file.write(
                f"listeners.ssl.1 = 127.0.0.1:{port}\nssl_options.cacertfile = {authority}\n"
                f"ssl_options.certfile = {certificate}\nssl_options.keyfile = {key}\n"
                "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n"
            )
        return port

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Returns when it answers AMQP. Raises RuntimeError with the end of its log when it doesn't."""
        if self._mapper is None:
            with (self._base / "log" / "epmd").open("wb") as log:
                self._mapper = subprocess.Popen(
                    ["epmd", "-address", "127.0.0.1", "-port", str(self._mapper_port)],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment, start_new_session=True,
                )  # fmt: skip
            self._guards["mapper"] = Guard(self._mapper)
        with (self._base / "log" / "stdout").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._server)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment, start_new_session=True,
            )  # fmt: skip
        self._guards["node"] = Guard(self._process)
        end = time.monotonic() + START_LIMIT
        while not _answers(self.port):
            if self._process.poll() is not None or time.monotonic() > end:
                log_end = (self._base / "log" / "stdout").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the private RabbitMQ node didn't start:\n{log_end}")
            time.sleep(0.1)

    def stop(self) -> None:
        """As an administrator would: it closes its connections and writes everything down."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` says."""
        script = self._server.with_name("rabbitmqctl")
        command = [str(script), "-n", self._name, "--quiet", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise RuntimeError(f"rabbitmqctl {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def close(self) -> None:
        """Ends everything and removes the data. Twice is harmless."""
        self._end(signal.SIGKILL)
        if self._mapper is not None:
            self._mapper.kill()
            self._mapper.wait()
            self._guards.pop("mapper").release()
            self._mapper = None
        shutil.rmtree(self._base, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        # the script runs the Erlang machine as its child, in a session of their own
        pid_file = self._base / "rabbit.pid"
        if how is signal.SIGTERM and pid_file.exists():
            os.kill(int(pid_file.read_text()), signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                how = signal.SIGKILL
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        self._guards.pop("node").release()

    def _prepare(self, distribution: int) -> dict[str, str]:
        base = self._base
        for folder in ("home", "mnesia", "log"):
            (base / folder).mkdir()
        (base / "enabled_plugins").write_text("[].\n")
        (base / "advanced.config").write_text("[{rabbit, [{dead_letter_worker_publisher_confirm_timeout, 1000}]}].\n")
        (base / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nloopback_users.guest = true\nlog.console ="
            " false\ndisk_free_limit.absolute = 50MB\nmax_message_size = 10000000\n"
        )
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LANG": "C.UTF-8",
            "HOME": str(base / "home"),
            "RABBITMQ_NODENAME": self._name,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(base / "mnesia"),
            "RABBITMQ_LOG_BASE": str(base / "log"),
            "RABBITMQ_LOGS": str(base / "log" / "rabbit.log"),
            "RABBITMQ_PID_FILE": str(base / "rabbit.pid"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(base / "gen"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(base / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(base / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(base / "advanced.config"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }


@contextmanager
def private_node(server: Path) -> Iterator[RabbitNode]:
    """A running node, gone at the end whatever happens."""
    node = RabbitNode(server)
    try:
        node.start()
        yield node
    finally:
        node.close()


def _answers(port: int) -> bool:
    """Whether the port answers AMQP's greeting with a method frame."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(5)
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False
