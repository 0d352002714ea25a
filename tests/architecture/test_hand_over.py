"""A copy is delivered in one way: nothing below the worker and the intake knows which of the two has it delivered."""

from __future__ import annotations

from tests.architecture.floors import imports

CALLERS = ("hub.runtime.delivery.hand_over", "hub.runtime.delivery.worker", "hub.runtime.intake")
BELOW = ("attempt", "delivery", "limit", "outcome", "outgoing", "preparation", "rendering", "sending", "settling")


def test_nothing_below_knows_who_called() -> None:
    files = {f"hub/runtime/delivery/{name}.py" for name in BELOW}
    found = [each for each in imports() if each.file in files]
    assert {each.file for each in found} == files
    assert [str(each) for each in found if each.module.startswith(CALLERS)] == []
