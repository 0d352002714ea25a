"""A file that can't be a journal ends the start with a sentence; the hub waits only for what may pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.clock.system_clock import SystemClock
from hub.core.errors import ConfigError
from hub.journal.database.journal_file import refuse_unusable
from hub.journal.journal import Journal


async def test_what_is_no_database_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    path.write_text("this is a note, and no database")
    with pytest.raises(ConfigError, match=r"hub.db is no SQLite database \(journal: names another file\?"):
        await Journal(str(path), tmp_path / "claims", SystemClock()).open()
    assert path.read_text() == "this is a note, and no database"
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError, match=r"hub.db is a folder"):
        await Journal(str(path), tmp_path / "claims", SystemClock()).open()


def test_a_new_an_empty_and_a_journal_of_ours_are_not(tmp_path: Path) -> None:
    refuse_unusable(tmp_path / "new.db")
    (tmp_path / "empty.db").touch()
    refuse_unusable(tmp_path / "empty.db")


async def test_the_journal_of_another_user_names_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operating system lets root open every file: it is told to say what it says to others."""
    path = tmp_path / "hub.db"
    path.write_bytes(b"SQLite format 3\0")
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(ConfigError, match=r"hub.db belongs to \w+, and this user may not read and write it"):
        refuse_unusable(path)
