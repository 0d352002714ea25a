"""Names that the file destination refuses: in the options, or for good when the file system does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.file import FileDestination, FileDestinationOptions
from hub.clock.system_clock import SystemClock
from hub.core.context import Context
from hub.core.errors import RejectedError
from hub.core.ports import Outgoing


@pytest.mark.parametrize("name", ["a/{number}", "/etc/x", "..", "../x", ".hidden", "a\\b", "", "a\nb", "a\x00b"])
def test_a_template_that_is_not_one_visible_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="name must be one visible file name"):
        FileDestinationOptions(folder="out", name=name)


def outgoing(number: str) -> Outgoing:
    return Outgoing("id", "order@1", "key", b"x", "application/json", facts={"number": number})


@pytest.mark.parametrize("overwrite", [False, True])
async def test_a_name_that_no_file_system_takes_is_refused_for_good(tmp_path: Path, overwrite: bool) -> None:
    options = FileDestinationOptions(folder="out", name="{number}-{number}", overwrite=overwrite)
    with pytest.raises(RejectedError) as caught:
        await FileDestination(options, Context(tmp_path, clock=SystemClock())).send(outgoing("9" * 200))
    assert caught.value.code == "bad_name"
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("overwrite", [False, True])
async def test_a_folder_of_that_name_is_a_refusal(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "out/1").mkdir(parents=True)
    options = FileDestinationOptions(folder="out", name="{number}", overwrite=overwrite)
    with pytest.raises(RejectedError):
        await FileDestination(options, Context(tmp_path, clock=SystemClock())).send(outgoing("1"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["1"]


async def test_a_fact_never_makes_a_hidden_file(tmp_path: Path) -> None:
    options = FileDestinationOptions(folder="out", name="{number}")
    destination = FileDestination(options, Context(tmp_path, clock=SystemClock()))
    for number in (".htaccess", "_htaccess", "...", "___"):
        await destination.send(outgoing(number))
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(names) == 4
    assert {"_htaccess", "___"} < set(names)
    assert all(name.startswith("_") for name in names)


async def test_the_default_name_has_the_partner_where_the_document_has_one(tmp_path: Path) -> None:
    destination = FileDestination(FileDestinationOptions(folder="out"), Context(tmp_path, clock=SystemClock()))
    one = Outgoing("id", "order@1", "key", b"x", "application/json", facts={"document": "order", "number": "1"})
    await destination.send(one)
    await destination.send(replace(one, facts={**one.facts, "partner": "ACME"}))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["ACME_order_1.json", "order_1.json"]
    assert destination.fix_address(replace(one, facts={**one.facts, "partner": "ACME"}), earlier=True) == "order_1.json"


async def test_every_attempt_uses_the_name_that_was_stored_before_the_first(tmp_path: Path) -> None:
    destination = FileDestination(
        FileDestinationOptions(folder="out", name="new-{number}"), Context(tmp_path, clock=SystemClock())
    )
    await destination.send(replace(outgoing("1"), fixed_address="old-1"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["old-1"]
