"""What an endpoint can bear: the options; `hub.runtime.delivery.limit` keeps to them."""

from __future__ import annotations

from pydantic import Field

from hub.core.options.duration import Duration
from hub.core.plugin import Options


class LimitOptions(Options):
    """What the far end can bear: counted in each process of the hub on its own. With two processes it gets twice as
    much."""

    per_second: int | None = Field(None, ge=1, description="Requests that begin within a second, at most.")
    concurrent: int | None = Field(None, ge=1, description="Requests under way at once, at most.")
    break_after: int | None = Field(
        None, ge=1, description="Failures in a row after which the endpoint is left alone; refusals are no failures."
    )
    break_for: Duration = Field("1m", description="How long it is left alone; then one request tries again.")
