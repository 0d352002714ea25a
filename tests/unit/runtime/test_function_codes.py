"""The codes by which answers are compared are those that the declared sets are written with."""

from __future__ import annotations

from hub.runtime.function_codes import FUNCTION_CODES
from transformers.x12.catalogue import known_sets, set_declaration


def test_every_declared_set_is_written_in_a_group_of_its_code() -> None:
    groups = {name: set_declaration(name, "005010").group for name in known_sets()}
    assert groups == dict(FUNCTION_CODES)
