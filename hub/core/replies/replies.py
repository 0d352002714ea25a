"""What a far end's reply means: delivered, try again, hold, or a refusal. Pure; `now` is handed in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from hub.core.errors import RejectedError, TransientError, TransientKind
from hub.core.message import empty
from hub.core.ports import Receipt
from hub.core.replies.reply import Reply
from hub.core.replies.reply_body import ReplyBody, look_into

STATUS_PATTERN = re.compile(r"[1-5]xx")
BUSY = (423, 429, 503)
TIMEOUT = (408, 504)
SHOWN = 300

OURS = ("Client", "Sender", "VersionMismatch", "MustUnderstand", "DataEncodingUnknown")
"""Codes of faults for which the same message again would be wrong again (SOAP 1.1 4.4.1, SOAP 1.2 5.4.6)."""


@dataclass(frozen=True, slots=True)
class ReplyRule:
    """One entry of a destination's `replies`. It applies when all it states is so: `status` (numbers or "4xx"; empty:
    any), `body` (path to expected value: see `hub.core.replies.reply_body`), `headers` (name to expected value, names
    in any case), `fault` (a code of a SOAP fault, without its prefix). Exactly one of `hold`, `delivered`, `retry`,
    `refuse` says what the reply means."""

    status: tuple[int | str, ...] = ()
    body: Mapping[str, Any] = field(default_factory=empty)
    headers: Mapping[str, str] = field(default_factory=empty)
    hold: str | None = None
    delivered: bool = False
    retry: TransientKind | None = None
    refuse: str | None = None
    fault: str | None = None

    def applies(
        self, status: int, headers: Mapping[str, str], body: ReplyBody, fault: tuple[str, ...] | None = None
    ) -> bool:
        """`headers` have lower-case names. `fault`: the codes of a SOAP fault, None: it is none."""
        if self.fault is not None and self.fault not in (fault or ()):
            return False
        if self.status and not any(_status_is(status, wanted) for wanted in self.status):
            return False
        if any(headers.get(name.lower()) != value for name, value in self.headers.items()):
            return False
        return all(body.is_at(path, value) for path, value in self.body.items())


def paths_of(rules: Iterable[ReplyRule]) -> tuple[str, ...]:
    """Where the rules look into a body."""
    return tuple(dict.fromkeys(path for rule in rules for path in rule.body))


def classify(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    rules: Iterable[ReplyRule] = (),
    now: datetime | None = None,
    fault: tuple[str, ...] | None = None,
    said: str | None = None,
    content: ReplyBody | None = None,
    cut: bool = False,
) -> Receipt:
    """The receipt of a reply that means delivered. The first rule that applies decides, then the defaults: 2xx
    delivered; 408, 504 timeout; 423, 429, 503 busy; other 5xx failed; anything else a refusal. A SOAP fault, whose
    codes are `fault`, is a refusal where it says that the message is wrong, else `failed`, whatever its status. `said`
    is shown in place of the body. `content` is what stands at `paths_of(rules)`; without it the body is looked into
    here, which may take long for a large one. What nobody can look into holds nothing: no rule with a `body` applies to
    it, and the receipt or the error says so.

    `cut`: the body is only the beginning of what the far end replied.

    Raises TransientError or RejectedError, which have the reply, and nothing else, whatever the body holds. `now` turns
    a Retry-After date into seconds; without it only seconds count.
    """
    names = {name.lower(): value for name, value in headers.items()}
    rules = tuple(rules)
    content = look_into(body, paths_of(rules)) if content is None else content
    rule = next((rule for rule in rules if rule.applies(status, names, content, fault)), None)
    text = _show(status, body if said is None else said.encode("utf-8", "replace"))
    unclear = f"; the reply could not be looked into: {content.wrong}" if content.wrong else ""
    text += unclear
    after = retry_after(names.get("retry-after"), now)
    if (rule is None and 200 <= status < 300 and fault is None) or (rule is not None and rule.delivered):
        told = f"delivered ({status}){unclear}{', the reply is cut' if cut else ''}"
        return Receipt(told, status, body, names.get("content-type"), headers=names, cut=cut)
    if rule is not None:
        error = _by_rule(rule, status, text, after)
    elif fault is not None:
        error = _by_fault(fault, status, text, after)
    else:
        error = _by_default(status, text, after)
    error.reply = Reply(status, names, body, cut)
    raise error


def _by_rule(rule: ReplyRule, status: int, text: str, after: float | None) -> TransientError | RejectedError:
    if rule.hold:
        return RejectedError(text, status, rule.hold, hold=rule.hold)
    if rule.retry:
        return TransientError(text, rule.retry, after)
    return RejectedError(text, status, rule.refuse or str(status))


def _by_fault(fault: tuple[str, ...], status: int, text: str, after: float | None) -> TransientError | RejectedError:
    if any(code in OURS for code in fault):
        return RejectedError(text, status, fault[-1])
    return TransientError(text, "failed", after)


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


def _status_is(status: int, wanted: int | str) -> bool:
    return status == wanted if isinstance(wanted, int) else str(status // 100) == wanted[0]


def _show(status: int, body: bytes) -> str:
    text = " ".join(body[: SHOWN * 4].decode("utf-8", "replace").split())
    text = "".join(character if character.isprintable() else "?" for character in text)
    cut = text[:SHOWN] + ("..." if len(text) > SHOWN else "")
    return f"HTTP {status}: {cut}" if cut else f"HTTP {status}"
