"""A site on disk: reads its files for the checker, and its templates and schemas for the transformers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hub.configuration.check import HUB, check_site, wanted
from hub.configuration.checks.checked_use import texts
from hub.configuration.site import Checked, Settings, Site
from hub.core.errors import ConfigError, FilePlace
from hub.core.identity import site_version
from hub.core.plugin import AdapterPlugin, TransformerPlugin
from hub.core.plugins import Plugins

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
            for path in self._list_folder(folder):
                name = path.relative_to(self.path).as_posix()
                if path.match("*.y*ml") and path.is_file():
                    found[name] = self._read(path, name) if wanted(name) else b""
        return found

    def _list_folder(self, folder: str) -> list[Path]:
        """What stands in a folder; nothing where it is not there. Raises ConfigError for one that can't be listed: as
        an empty one it would take away all that stands in it."""
        path = self.path / folder
        try:
            return sorted(path.iterdir())
        except FileNotFoundError:
            if path.is_symlink():
                raise ConfigError("is a link that leads nowhere", FilePlace(folder)) from None
            return []
        except OSError as error:
            raise ConfigError(f"the folder can't be read: {error.strerror}", FilePlace(folder)) from error

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
                raise ConfigError("the file is larger than 16 MB", FilePlace(name))
            return path.read_bytes()
        except OSError as error:
            raise ConfigError(f"can't be read: {error.strerror}", FilePlace(name)) from error

    def check(self, plugins: Plugins, environ: Mapping[str, str] | None = None) -> Checked:
        """Reads and checks the whole site, with the templates, schemas and tables that it names. The site's version is
        a digest of all files that were read, as they stand there: not of the values of environment variables, and not
        of keys, certificates and secrets in files, of which the path alone counts."""
        known, files, read = os.environ if environ is None else environ, self.files(), set[tuple[str, str]]()

        def text(folder: str, name: str) -> str:
            read.add((folder, name))
            return self.text(folder, name)

        checked = check_site(files, plugins, known, self.exists, folder=self.path, text=text)
        if checked.site is None:
            return checked
        mine = {name: body for name, body in files.items() if wanted(name)}
        version = site_version(mine | self._named_files(checked.site, read))
        return replace(checked, site=replace(checked.site, version=version))

    def _named_files(self, site: Site, read: Iterable[tuple[str, str]]) -> dict[str, bytes]:
        """The files that were read for readers, writers, steps and plug-ins that inspect theirs, and those beside them
        that they name. Not a file that a source reads anew while it runs: the public keys of those who send."""
        folders: dict[str, set[str]] = {}
        for folder, name in read:
            folders.setdefault(folder, set()).add(name)
        for use in site.uses():
            inspects = isinstance(use.plugin, AdapterPlugin) and use.plugin.inspect is not None
            for field, folder in (
                use.plugin.files.items() if inspects or isinstance(use.plugin, TransformerPlugin) else ()
            ):
                folders.setdefault(folder, set()).update(name for name in texts(use.value(field)) if name)
        return {
            f"{folder}/{name}" if folder else name: body
            for folder, names in folders.items()
            for name, body in self._with_imports(folder, names).items()
        }

    def exists(self, name: str) -> bool:
        """Whether a file of the site is there; what leads out of the site is not."""
        path = (self.path / name).resolve()
        return path.is_relative_to(self.path.resolve()) and path.is_file()

    def text(self, folder: str, name: str) -> str:
        """A template or schema of the site. Raises ConfigError when it is not there, leads out of the site or is no
        text."""
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
        """A digest of a file of the site, and of those beside it that it names (what a WSDL imports); of one that isn't
        there too."""
        return site_version(self._with_imports(folder, (name,)))

    def _with_imports(self, folder: str, names: Iterable[str]) -> dict[str, bytes]:
        """Files of a folder of the site, and those beside them that they name. One that isn't there is empty."""
        found: dict[str, bytes] = {}
        waiting = list(names)
        beside = {path.name: path for path in (self.path / folder).glob("*") if path.is_file()}
        for name in waiting:
            beside.pop(name, None)
        while waiting:
            name = waiting.pop()
            path = self.path / folder / name
            found[name] = path.read_bytes() if path.is_file() else b""
            named = [other for other in beside if other.encode() in found[name]]
            waiting += named
            for other in named:
                del beside[other]
        return found

    def resolve(self, name: str) -> Path:
        """A path of the configuration: relative ones stand in the site."""
        return self.path / name
