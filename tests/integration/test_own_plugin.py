"""A plug-in of one's own: scaffolded, built, installed beside the hub, tested by its own test, used by name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.program import build
from tests.support.site import HubProcess, SiteOnDisk, order

pytestmark = pytest.mark.xdist_group("own-plugin")  # what is installed once serves all
ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/guides/own-plugin.md"
NAMES = {"source": "acme_spool", "destination": "acme_spool", "reader": "acme_lines", "writer": "acme_lines"}
COMMANDS = {"source": "adapter", "destination": "adapter", "reader": "transformer", "writer": "transformer"}

DESTINATIONS = "out: {acme_spool: {folder: var/out}, write: acme_lines}\n"
ROUTES = """\
format: 1
owner: order-desk
sources:
  spool: {acme_spool: {folder: var/spool}, read: {json: order@1}}
  lines: {file: {folder: var/drop, ignore: ["*.tmp"], settle: 0s, poll: 50ms}, read: {acme_lines: {partner: ACME}}}
routes:
  - {id: orders, when: {document: order, partner: ACME}, to: [out]}
"""


@dataclass(frozen=True)
class Installation:
    """Distributions, and the folder in which they are installed."""

    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """An environment in which the hub has them beside its own."""
        return {**os.environ, "PYTHONPATH": f"{self.folder / 'lib'}{os.pathsep}{ROOT}"}

    def install(self, *names: str) -> None:
        flags = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
        command = [sys.executable, "-m", "pip", "install", *flags, "--target", str(self.folder / "lib")]
        self.run(*command, *(str(self.folder / name) for name in names))

    def run(self, *command: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, env=self.environ, cwd=cwd or self.folder
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One of each kind, as `hub new` writes it."""
    made = Installation(tmp_path_factory.mktemp("own"))
    program = build(lambda hub, listen: None)  # type: ignore[arg-type, return-value]
    for kind, name in NAMES.items():
        arguments = ["new", COMMANDS[kind], name, "--kind", kind, "--folder", str(made.folder / kind)]
        result = CliRunner().invoke(program, arguments)
        assert result.exit_code == 0, result.output
    made.install(*NAMES)
    return made


@pytest.fixture
def site(tmp_path: Path) -> SiteOnDisk:
    """A site that uses all four by name."""
    made = SiteOnDisk(tmp_path)
    for name in ("config/endpoints.yaml", "config/policies.yaml"):
        (tmp_path / name).unlink()
    made.write("config/destinations.yaml", DESTINATIONS)
    made.write("routes/acme.yaml", ROUTES)
    return made


@pytest.fixture
def hub(site: SiteOnDisk, installed: Installation) -> Iterator[HubProcess]:
    process = HubProcess(site, environ=installed.environ | {"HUB_AMQP_URL": "", "HUB_JOURNAL": "var/hub.db"})
    yield process
    process.kill()


@pytest.fixture(scope="session")
def tested(installed: Installation) -> str:
    """What pytest says of the tests of all four, in one run: most of a run is its start."""
    return installed.run(sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *NAMES)


@pytest.mark.parametrize("kind", NAMES)
def test_its_own_test_holds(tested: str, kind: str) -> None:
    assert 2 <= len(re.findall(rf"/test_hub_{kind}_\w+\.py::\S+ PASSED", tested)) <= 4, tested


def test_a_type_checker_has_nothing_to_say(installed: Installation, tmp_path: Path) -> None:
    modules = [str(module) for kind in NAMES for module in (installed.folder / kind).glob("hub_*.py")]
    assert len(modules) == len(NAMES)
    flags = ["--strict", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(tmp_path)]
    flags += ["--follow-imports", "silent", "--namespace-packages", "--explicit-package-bases"]
    installed.run(sys.executable, "-m", "mypy", *flags, *modules, cwd=ROOT)


def test_a_hub_uses_them_by_name(hub: HubProcess, site: SiteOnDisk, installed: Installation) -> None:
    site.environ.update(PYTHONPATH=installed.environ["PYTHONPATH"])
    checked = site.shell("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    hub.start()
    hub.wait_ready()
    line = {"number": "1", "quantity": "5", "products": {"VN": "NAIL-40"}}
    site.drop("1.json", order("104583", lines=[line]), "var/spool")
    site.drop("1.txt", b"104582;HAMMER-16;12\n")
    out, wanted = site.folder / "var/out", {b"104582;HAMMER-16;12\n", b"104583;NAIL-40;5\n"}
    deadline = time.monotonic() + 60
    while {path.read_bytes() for path in out.glob("[!.]*")} != wanted:
        assert time.monotonic() < deadline, hub.log.read_text()
        time.sleep(0.05)
    assert list((site.folder / "var/spool").iterdir()) == []
    assert hub.stop() == 0


def test_what_is_not_installed_is_refused_by_name(site: SiteOnDisk) -> None:
    told = site.shell("check")
    assert told.returncode == 1
    for text in ("there is no writer plug-in 'acme_lines'", "acme_spool", "there is no reader plug-in 'acme_lines'"):
        assert text in told.stdout
    assert "installed: " in told.stdout


def test_the_plugin_of_the_guide_works(tmp_path: Path) -> None:
    own = Installation(tmp_path)
    blocks = dict(re.findall(r"```(?:python|toml|yaml)\n# (\S+)\n(.*?)```", GUIDE.read_text(), re.DOTALL))
    code = [line for line in blocks["hub_one_line.py"].splitlines() if line.strip() and "import" not in line]
    assert len(code) <= 10
    (tmp_path / "guide").mkdir()
    for name in ("hub_one_line.py", "pyproject.toml"):
        (tmp_path / "guide" / name).write_text(blocks[name])
    own.install("guide")
    site = SiteOnDisk(tmp_path / "site")
    site.write("config/destinations.yaml", blocks["config/destinations.yaml"])
    site.write("routes/acme.yaml", (site.folder / "routes/acme.yaml").read_text().replace("to: [erp]", "to: [desk]"))
    site.environ.update(own.environ)
    site.environ.update(HUB_AMQP_URL="", HUB_JOURNAL="var/hub.db")
    checked = site.shell("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    program = (
        "from pathlib import Path\n"
        "from hub.app.plugin_contract import installed, made, refuses, writes\n"
        "from hub.documents import Order\n"
        "plugin = installed('writer', 'one_line')\n"
        "refuses(plugin, {'separator': ''})\n"
        "order = Order.model_validate({'number': '1', 'partner': 'ACME', 'lines': []})\n"
        "print(writes(made(plugin, Path()), order).decode())\n"
    )
    assert own.run(sys.executable, "-c", program) == "order;ACME;1\n"
