"""How a journal is named: by a site, and for its engine."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from hub.core.errors import ConfigError


def engine_url(url: str) -> str:
    """`var/hub.db` and `sqlite:///x` become aiosqlite URLs, `postgres://` and `postgresql://` asyncpg ones."""
    for prefix in ("postgresql+asyncpg://", "sqlite+aiosqlite://"):
        if url.startswith(prefix):
            return url
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+asyncpg://" + url.removeprefix(prefix)
    if url.startswith("sqlite://"):
        return "sqlite+aiosqlite://" + url.removeprefix("sqlite://")
    if "://" in url:
        raise ConfigError(
            f"journal: {url.split('://')[0]}:// is not supported", hint="a path, sqlite:// or postgresql://"
        )
    return f"sqlite+aiosqlite:///{url}"


def sqlite_path(url: str) -> Path | None:
    name = sa.make_url(url).database
    return Path(name) if name and name != ":memory:" else None


def show_url(url: str) -> str:
    """The journal as a site's file names it: a path, or a URL without its password."""
    made = sa.make_url(url)
    if made.drivername.startswith("sqlite"):
        return made.database or url
    return made.set(drivername=made.get_backend_name()).render_as_string(hide_password=True)
