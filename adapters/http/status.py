"""What has become of a request, told to who has sent it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from adapters.http.answering import UNTOLD
from hub.core.network.problem import problem
from hub.core.network.web import WebResponse
from hub.core.outcome import DocumentState, Outcomes

ID = re.compile(r"[0-9a-f]{32}")


async def status_answer(outcomes: Outcomes, source: str, id: str, partner: str) -> WebResponse:
    """404 for what isn't there, and for what another has sent. A partner is not told what our systems are called, and
    what they say. Raises JournalUnavailable."""
    found = await outcomes.standing(source, id, partner) if ID.fullmatch(id) else ()
    if not found:
        return problem(404)
    told = {"id": id, "documents": [document(one, bool(partner)) for one in found]}
    return WebResponse(200, json.dumps(told).encode(), headers={"Cache-Control": "no-store"})


def document(state: DocumentState, partners: bool) -> dict[str, Any]:
    told = asdict(state)
    ours = told.pop("ours")
    if partners:
        told["destinations"] = [{"state": one.state} for one in state.destinations]
        told["cause"] = UNTOLD if ours else state.cause
    told["received_at"] = datetime.fromtimestamp(state.received_at, UTC).isoformat(timespec="milliseconds")
    return {name: value for name, value in told.items() if value not in (None, "")}
