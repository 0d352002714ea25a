"""The compose file is one that Docker Compose takes. No engine runs in the tests: containers are not started."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.provision import find_compose

ROOT = Path(__file__).parents[2]
FILE = "docker-compose.rabbit.yml"


def config(**environ: str) -> subprocess.CompletedProcess[str]:
    compose = find_compose()
    if compose is None:
        reason = "Docker Compose isn't installed here: run `python -m tests.support.provision compose`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    kept = {name: value for name, value in os.environ.items() if name not in ("RABBITMQ_PASSWORD", "POSTGRES_PASSWORD")}
    return subprocess.run(
        [*compose, "-f", FILE, "config"], cwd=ROOT, capture_output=True, text=True, check=False, env={**kept, **environ}
    )


def test_compose_takes_the_file() -> None:
    done = config(RABBITMQ_PASSWORD="a", POSTGRES_PASSWORD="b")
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert set(services) == {"rabbitmq", "postgres", "hub"}
    published = [str(port) for service in services.values() for port in service.get("ports", [])]
    assert published
    assert all("127.0.0.1" in port for port in published)


def test_there_is_no_default_password() -> None:
    done = config(POSTGRES_PASSWORD="b")
    assert done.returncode != 0
    assert "RABBITMQ_PASSWORD" in done.stderr


def test_the_image_runs_as_somebody_without_rights() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER hub" in lines
    assert lines.index("USER hub") < next(n for n, line in enumerate(lines) if line.startswith("ENTRYPOINT"))
