"""What a wheel must hold beside Python: declarations, templates and markers."""

from __future__ import annotations

from pathlib import Path

import pytest
from setuptools import Distribution
from setuptools.config.pyprojecttoml import apply_configuration

ROOT = Path(__file__).parents[2]
COMPILED = (".py", ".pyc")


def test_a_wheel_ships_every_file_of_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    files = (path for package in ("hub", "adapters", "transformers") for path in Path(package).rglob("*"))
    wanted = {str(path) for path in files if path.is_file() and path.suffix not in COMPILED}
    assert {"hub/cli/new/templates/README.md.j2", "transformers/x12/codes.yaml"} <= wanted
    assert sorted(wanted - _shipped()) == []


def _shipped() -> set[str]:
    wheel = Distribution({"include_package_data": False})
    apply_configuration(wheel, "pyproject.toml")
    build = wheel.get_command_obj("build_py")
    build.ensure_finalized()
    return {f"{folder}/{name}" for _, folder, _, names in build.data_files for name in names}
