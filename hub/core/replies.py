"""What a far end's reply means: delivered, try again, hold, or a refusal. Pure; `now` is handed in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from hub.core.errors import RejectedError, TransientError, TransientKind
from hub.core.message import empty
from hub.core.ports import Receipt

STATUS_PATTERN = re.compile(r"[1-5]xx")
BUSY = (423, 429, 503)
TIMEOUT = (408, 504)
MAX_JSON = 1 << 20
SHOWN = 300
NOTHING = object()


@dataclass(frozen=True, slots=True)
class ReplyRule:
    """One entry of a destination's `replies`. It applies when all it states is so: `status` (numbers or "4xx"; empty:
    any), `body` (JSON pointer to expected value), `headers` (name to expected value, names in any case). Exactly one of
    `hold`, `delivered`, `retry`, `refuse` says what the reply means."""

    status: tuple[int | str, ...] = ()
    body: Mapping[str, Any] = field(default_factory=empty)
    headers: Mapping[str, str] = field(default_factory=empty)
    hold: str | None = None
    delivered: bool = False
    retry: TransientKind | None = None
    refuse: str | None = None

    def applies(self, status: int, headers: Mapping[str, str], body: Any) -> bool:
        """`body` is the parsed JSON, or NOTHING; `headers` have lower-case names."""
        if self.status and not any(_status_is(status, wanted) for wanted in self.status):
            return False
        if any(headers.get(name.lower()) != value for name, value in self.headers.items()):
            return False
        return all(_equal(at_pointer(body, pointer), value) for pointer, value in self.body.items())


def classify(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    rules: Iterable[ReplyRule] = (),
    now: datetime | None = None,
) -> Receipt:
    """The receipt of a reply that means delivered. The first rule that applies decides, then the defaults: 2xx delivered;
    408, 504 timeout; 423, 429, 503 busy; other 5xx failed; anything else a refusal.

    Raises TransientError or RejectedError, and nothing else, whatever the body holds. `now` turns a Retry-After date into
    seconds; without it only seconds count.
    """
    names = {name.lower(): value for name, value in headers.items()}
    rules = tuple(rules)
    parsed = _parsed(body) if any(rule.body for rule in rules) else NOTHING
    rule = next((rule for rule in rules if rule.applies(status, names, parsed)), None)
    text = _shown(status, body)
    after = retry_after(names.get("retry-after"), now)
    if rule is not None and not rule.delivered:
        raise _by_rule(rule, status, text, after)
    if rule is not None or 200 <= status < 300:
        return Receipt(f"delivered ({status})", status, body)
    raise _by_default(status, text, after)


def _by_rule(rule: ReplyRule, status: int, text: str, after: float | None) -> TransientError | RejectedError:
    if rule.hold:
        return RejectedError(text, status, rule.hold, hold=rule.hold)
    if rule.retry:
        return TransientError(text, rule.retry, after)
    return RejectedError(text, status, rule.refuse or str(status))


def _by_default(status: int, text: str, after: float | None) -> TransientError | RejectedError:
    if status in TIMEOUT:
        return TransientError(text, "timeout", after)
    if status in BUSY:
        return TransientError(text, "busy", after)
    if 500 <= status < 600:
        return TransientError(text, "failed", after)
    return RejectedError(text, status, str(status))


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds of a Retry-After header (RFC 9110 10.2.3: seconds or an HTTP date); None for what is neither."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:12])
    if now is None:
        return None
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())


def at_pointer(value: Any, pointer: str) -> Any:
    """What stands at a JSON pointer (RFC 6901), or NOTHING."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(key, NOTHING)
        elif isinstance(value, list) and key.isascii() and key.isdigit() and len(key) < 10:
            value = value[int(key)] if int(key) < len(value) else NOTHING
        else:
            return NOTHING
    return value


def _equal(found: Any, wanted: Any) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    return bool(found == wanted)


def _status_is(status: int, wanted: int | str) -> bool:
    return status == wanted if isinstance(wanted, int) else str(status // 100) == wanted[0]


def _parsed(body: bytes) -> Any:
    if len(body) > MAX_JSON:
        return NOTHING
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return NOTHING


def _shown(status: int, body: bytes) -> str:
    text = " ".join(body[: SHOWN * 4].decode("utf-8", "replace").split())
    text = "".join(character if character.isprintable() else "?" for character in text)
    cut = text[:SHOWN] + ("..." if len(text) > SHOWN else "")
    return f"HTTP {status}: {cut}" if cut else f"HTTP {status}"
