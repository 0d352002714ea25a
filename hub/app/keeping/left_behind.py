"""What the embedded hub has left in var/ when a site grows: messages and a history that the new broker and journal
don't know."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from hub.app.site_folder import SiteFolder
from hub.configuration.site import Settings
from hub.core.errors import ConfigError
from hub.journal.database.transfer import COPIED_FROM, COPIED_TO

BROKER_FILE = "var/broker.db"
JOURNAL_FILE = "var/hub.db"


def refuse_left(folder: SiteFolder, settings: Settings) -> None:
    """Raises ConfigError where a start would leave messages or a history behind."""
    if queues := messages_left(folder, settings):
        total = sum(queues.values())
        told = ", ".join(f"{name} {count}" for name, count in list(queues.items())[:5])
        more = f" and {len(queues) - 5} more queues" if len(queues) > 5 else ""
        raise ConfigError(
            f"{BROKER_FILE} still holds {total} messages of the embedded broker ({told}{more}), and the hub is to run"
            " on RabbitMQ",
            hint="`hub broker move` publishes them there",
        )
    if count := history_left(folder, settings):
        raise ConfigError(
            f"{JOURNAL_FILE} holds the history of {count} messages, which the journal of config/hub.yaml doesn't know",
            hint=f"`hub journal copy` takes it along; to begin without it, move {JOURNAL_FILE} away",
        )


def messages_left(folder: SiteFolder, settings: Settings) -> dict[str, int]:
    """Queues of the embedded broker's file that hold messages, when another broker is in use."""
    path = folder.resolve(BROKER_FILE)
    if settings.broker == "embedded" or not path.is_file():
        return {}
    return {queue: count for queue, count in file_depths(path).items() if count}


def file_depths(path: Path) -> dict[str, int]:
    """How many messages each queue of an embedded broker's file holds. Raises ConfigError when it can't be read."""
    counts = "SELECT name, (SELECT COUNT(*) FROM message WHERE message.queue = queue.name) FROM queue ORDER BY name"
    return dict(_query(path, counts))


def history_left(folder: SiteFolder, settings: Settings) -> int:
    """How many messages the journal of the embedded hub knows, when another journal is in use and it was not copied."""
    path = folder.resolve(JOURNAL_FILE)
    if "://" not in settings.journal or settings.journal.startswith("sqlite") or not path.is_file():
        return 0
    known = {row[0] for row in _query(path, "SELECT name FROM sqlite_master WHERE type='table'")}
    if not {"message", "memory"} <= known:
        return 0
    copied = f"SELECT 1 FROM memory WHERE owner='{COPIED_FROM}' AND name='{COPIED_TO}'"
    if _query(path, copied):
        return 0
    return int(_query(path, "SELECT COUNT(*) FROM message")[0][0])


def _query(path: Path, question: str) -> list[Any]:
    """Raises ConfigError when the file can't be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return database.execute(question).fetchall()
    except sqlite3.Error as error:
        raise ConfigError(f"{path} can't be read: {error}", hint="move it away if nothing in it is needed") from error
