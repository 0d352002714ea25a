"""A site on disk: reads its files for the checker, and its templates and schemas for the transformers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.configuration.check import HUB, check_site, wanted
from hub.configuration.site import Checked, Settings
from hub.core.errors import ConfigError, Place
from hub.core.identity import digest
from hub.core.plugin import Plugins

LARGEST_FILE = 16 << 20


@dataclass(frozen=True, slots=True)
class SiteFolder:
    """The folder that holds config/ and routes/."""

    path: Path

    def files(self) -> dict[str, bytes]:
        """The YAML files of the site, by their path relative to it. Raises ConfigError when there is no site."""
        if not (self.path / "config").is_dir():
            raise ConfigError(
                f"{self.path} is no site: it has no config/ folder", hint="give the site's folder with --site DIR"
            )
        found: dict[str, bytes] = {}
        for folder in ("config", "config/partners", "routes"):
            for path in self._listed(folder):
                name = path.relative_to(self.path).as_posix()
                if path.match("*.y*ml") and path.is_file():
                    found[name] = self._read(path, name) if wanted(name) else b""
        return found

    def _listed(self, folder: str) -> list[Path]:
        """What stands in a folder; nothing where it is not there. Raises ConfigError for one that can't be listed: as an empty one it
        would take away all that stands in it."""
        path = self.path / folder
        try:
            return sorted(path.iterdir())
        except FileNotFoundError:
            if path.is_symlink():
                raise ConfigError("is a link that leads nowhere", Place(folder)) from None
            return []
        except OSError as error:
            raise ConfigError(f"the folder can't be read: {error.strerror}", Place(folder)) from error

    def settings(self, environ: Mapping[str, str]) -> Settings:
        """config/hub.yaml alone: where the journal is must be known whatever else is wrong. Raises ConfigError."""
        name = HUB
        files = {name: self._read(self.path / name, name)} if (self.path / name).is_file() else {}
        if not files and not (self.path / "config").is_dir():
            self.files()
        if not files:
            return Settings()
        checked = check_site(files, Plugins.of(()), environ, self.exists)
        if checked.site is None:
            first, more = checked.errors[0], len(checked.errors) - 1
            raise ConfigError(
                first.text + (f", and {more} more" if more else ""), first.place, first.hint or "see hub check"
            )
        return checked.site.settings

    @staticmethod
    def _read(path: Path, name: str) -> bytes:
        try:
            if path.stat().st_size > LARGEST_FILE:
                raise ConfigError("the file is larger than 16 MB", Place(name))
            return path.read_bytes()
        except OSError as error:
            raise ConfigError(f"can't be read: {error.strerror}", Place(name)) from error

    def check(self, plugins: Plugins, environ: Mapping[str, str] | None = None) -> Checked:
        """Reads and checks the whole site, with the templates, schemas and tables that it names."""
        known = os.environ if environ is None else environ
        return check_site(self.files(), plugins, known, self.exists, folder=self.path, text=self.text)

    def exists(self, name: str) -> bool:
        """Whether a file of the site is there; what leads out of the site is not."""
        path = (self.path / name).resolve()
        return path.is_relative_to(self.path.resolve()) and path.is_file()

    def text(self, folder: str, name: str) -> str:
        """A template or schema of the site. Raises ConfigError when it is not there, leads out of the site or is no text."""
        relative = f"{folder}/{name}" if folder else name
        if not self.exists(relative):
            raise ConfigError(f"there is no file {relative} in the site")
        try:
            return (self.path / relative).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ConfigError(f"{relative} isn't UTF-8: byte {error.start}") from None
        except OSError as error:
            raise ConfigError(f"{relative} can't be read: {error.strerror}") from error

    def version(self, folder: str, name: str) -> str:
        """A digest of a file of the site, and of those beside it that it names (what a WSDL imports); of one that isn't there too."""
        found, waiting = {}, [name]
        beside = {path.name: path for path in sorted((self.path / folder).glob("*")) if path.is_file()}
        while waiting:
            one = waiting.pop()
            path = beside.get(one, self.path / folder / one)
            found[one] = path.read_bytes() if path.is_file() else b""
            waiting += [other for other in beside if other.encode() in found[one] and other not in (*found, *waiting)]
        return digest(b"".join(digest(found[one]).encode() for one in sorted(found)))

    def resolve(self, name: str) -> Path:
        """A path of the configuration: relative ones stand in the site."""
        return self.path / name
