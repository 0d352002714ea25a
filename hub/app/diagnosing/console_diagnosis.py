"""What `hub doctor` is told by the hub that runs: how its sources and endpoints are."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from hub.app.diagnosing.finding import HealthFinding
from hub.configuration.site import Settings
from hub.core.network.network_error import reason_of


def told_by_console(settings: Settings) -> list[HealthFinding]:
    """Asks the console of this site's settings. Blocks."""
    url = f"http://{settings.console_host}:{settings.console_port}/health/ready"
    try:
        try:
            reply = urllib.request.urlopen(url, timeout=3)
        except urllib.error.HTTPError as not_ready:
            reply = not_ready  # it tells of its endpoints all the same
        with reply:
            told = json.load(reply)
    except (OSError, ValueError) as error:
        cause = getattr(error, "reason", error)
        reason = reason_of(cause) if isinstance(cause, OSError) else cause
        return [HealthFinding("endpoints", "warning", f"the console at {url} doesn't tell: {reason}")]
    if str(told.get("broker", "")).startswith("blocked"):
        return [
            HealthFinding("alarm", "error", f"the broker takes no messages: {told['broker']}: give it memory or disk")
        ]
    return [_sources(told), _endpoints(told)]


def _sources(told: dict[str, Any]) -> HealthFinding:
    """Sources that fail and are started again and again."""
    failing = told.get("failing", {})
    if failing:
        return HealthFinding("sources", "error", "; ".join(f"{name} fails: {why}" for name, why in failing.items()))
    return HealthFinding("sources", "ok", f"{len(told.get('sources', {}))}, none fails")


def _endpoints(told: dict[str, Any]) -> HealthFinding:
    """Endpoints that the hub leaves alone now, or to which it does not speak before a person has looked."""
    states = told.get("endpoints", {})
    if stopped := told.get("stopped"):
        text = "; ".join(f"{name}: {why}" for name, why in stopped.items())
        return HealthFinding("endpoints", "error", f"stopped until declared anew: {text}")
    alone = [f"{name} for {one['left']:.0f} more seconds" for name, one in states.items() if one["breaker"] == "open"]
    if alone:
        return HealthFinding("endpoints", "error", f"left alone after failures: {', '.join(alone)}")
    return HealthFinding("endpoints", "ok", f"{len(states)} with limits, none left alone")
