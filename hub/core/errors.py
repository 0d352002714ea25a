"""Everything that can go wrong, as one tree.

::

    HubError
      ConfigError                    a file of the site is wrong: file, line, column, hint
      MessageError                   permanent: this message can't proceed, dead letter now
        DecodeError                  bytes that are not what they claim to be: segment, element, offset
        MappingError                 a document that can't become what a destination needs
        ConditionError               a guard that failed while evaluating
        ClaimMissing                 a kept body that is gone
        Poison                       what ends the process that works on it
      EndpointError                  the far end, or the way to it
        TransientError               may work later: kind is unreachable, timeout, busy or failed
          Withheld                   not let through by our own side: no attempt was made
        RejectedError                a definite no: permanent, or a hold where `replies` says so
        Unconfirmed                  the far end may have it: never sent again blindly, held for a person
        Unroutable                   a mandatory message that reached no queue
      JournalUnavailable             the database is away: stop taking, ack nothing, go on when it is back

Transformers raise MessageError; an adapter translates its library's errors once, at its edge, to EndpointError.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from hub.core.replies.reply import Reply

TransientKind = Literal["unreachable", "timeout", "busy", "failed"]
LONGEST_TEXT = 1500
"""Characters of what an error says of foreign bytes."""

TRANSIENT_KINDS: tuple[TransientKind, ...] = ("unreachable", "timeout", "busy", "failed")


class HubError(Exception):
    """The root of all errors that the hub raises on purpose."""


@dataclass(frozen=True, slots=True)
class FilePlace:
    """Where in a file of the site: a path relative to the site, a line and a column, both counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class ConfigError(HubError):
    """A file of the site that can't be used as it is. `str()` is `file:line:column: error: text (hint)`."""

    def __init__(self, text: str, place: FilePlace | None = None, hint: str | None = None) -> None:
        self.text = text
        self.place = place
        self.hint = hint
        where = f"{place}: " if place else ""
        super().__init__(f"{where}error: {text}" + (f" ({hint})" if hint else ""))


def plain(error: HubError) -> str:
    """What an error says, for a sentence that says already that it is one."""
    if not isinstance(error, ConfigError):
        return str(error)
    where = f"{error.place}: " if error.place else ""
    return f"{where}{error.text}" + (f" ({error.hint})" if error.hint else "")


class MessageError(HubError):
    """This message can never proceed as it is: it goes to the dead letters now, never to a retry."""

    @property
    def code(self) -> str:
        """A short, stable name for filters and metrics."""
        return type(self).__name__


class DecodeError(MessageError):
    """Bytes that can't be read. Says where: a segment or JSON path, an element, a byte offset (from 0). `findings`
    lists all faults, if the reader knows more than the first one (X12: `transformers.x12.finding.SegmentFinding`).
    """

    def __init__(
        self,
        text: str,
        *,
        segment: str | None = None,
        element: str | None = None,
        offset: int | None = None,
        code: str | None = None,
        findings: tuple[Any, ...] = (),
    ) -> None:
        text = shortened(text)
        self.text = text
        self.findings = findings
        self.segment = segment
        self.element = element
        self.offset = offset
        self.x12_code = code
        where = ", ".join(
            part
            for part in (
                f"at {segment}" if segment else "",
                f"element {element}" if element else "",
                f"byte {offset}" if offset is not None else "",
            )
            if part
        )
        super().__init__(f"{text} ({where})" if where else text)


def shortened(text: str) -> str:
    """A text of readable length: what a stranger has sent may stand in it, and be as long as the body."""
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[: LONGEST_TEXT * 2 // 3]} ... {text[-LONGEST_TEXT // 3 :]}"


class MappingError(MessageError):
    """A document that can't be turned into what the destination needs; names the field."""


class ClaimMissing(MessageError):
    """A body that the journal says it keeps is neither in the database nor in the claim store."""


class Poison(MessageError):
    """Processes, or workers, were lost over it again and again: nobody works on it any more."""

    @property
    def code(self) -> str:
        return "poison"


class ConditionError(MessageError):
    """A guard that failed while it was evaluated; never taken for `false`."""


class EndpointError(HubError):
    """The far end of a source or destination, or the way to it. `reply`: what the far end replied, where it did."""

    reply: Reply | None = None


class TransientError(EndpointError):
    """May work later. `kind` chooses the retry class's answer; `retry_after` (seconds) is what the far end asked
    for."""

    def __init__(self, text: str, kind: TransientKind = "failed", retry_after: float | None = None) -> None:
        self.text = text
        self.kind: TransientKind = kind
        self.retry_after = retry_after
        super().__init__(text)


class Withheld(TransientError):
    """Our own side did not let the request through, because its endpoint is left alone for now: no attempt was made.
    `endpoint` is its name; after `retry_after` seconds one request tries again. `watched`: the runtime sees when that
    is, and wakes who waits."""

    def __init__(self, text: str, endpoint: str, retry_after: float, *, watched: bool = False) -> None:
        self.endpoint = endpoint
        self.watched = watched
        super().__init__(text, "busy", retry_after)


class RejectedError(EndpointError):
    """A definite refusal. With `hold`, the name of a hold in config/policies.yaml, it is a business outcome."""

    def __init__(self, text: str, status: int | None = None, code: str = "rejected", hold: str | None = None) -> None:
        self.text = text
        self.status = status
        self.code = code
        self.hold = hold
        super().__init__(text)


class Unconfirmed(EndpointError):
    """The far end may have taken the document, and nobody but a person can find out: it is never sent again blindly. It
    becomes the hold `unconfirmed`."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text)


UNCONFIRMED = "unconfirmed"
"""The hold for what may have been delivered."""


class JournalUnavailable(HubError):
    """The journal database can't be reached or refuses to commit: nothing may be acknowledged until it is back."""


class Unroutable(EndpointError):
    """A mandatory message that reached no queue: the exchange has no binding for its key, or the queue is missing."""

    def __init__(self, exchange: str, key: str, text: str = "NO_ROUTE") -> None:
        self.exchange = exchange
        self.key = key
        super().__init__(f"nothing is bound to exchange {exchange or '(default)'!r} for key {key!r}: {text}")
