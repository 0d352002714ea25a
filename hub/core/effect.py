"""The effect of a document at a destination: its statuses, what each means, and what may become of it.

Whoever asks for a group of statuses uses a set of this file, and whoever changes a status names the `Act` that does it.
The journal's guards are made of both, so that no other file names a status in a text of its own.
"""

from __future__ import annotations

from enum import Enum, StrEnum


class EffectStatus(StrEnum):
    """Where a document stands at a destination, with a sentence for people (`meaning`)."""

    _value_: str
    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> EffectStatus:
        status = str.__new__(cls, value)
        status._value_ = value
        status.meaning = meaning
        return status

    PREPARED = "prepared", "What is sent is recorded. The first attempt has not ended."
    RETRYING = (
        "retrying",
        "An attempt failed, or the document was not let through. It is sent again without a person's help.",
    )
    RELEASED = "released", "A person released it from a hold, or took its batch apart. It is on its way again."
    REPLAYING = "replaying", "A person replayed its dead letter. It is on its way again."
    BATCHED = "batched", "It waits for a batch, or is in a batch that has not left."
    DELIVERED = "delivered", "The far end has it."
    FILTERED = "filtered", "A step of the destination ended it. The site wants nothing sent."
    HELD = "held", "It waits for a person to release or reject it."
    DEAD = "dead", "No attempt follows. Its dead letter waits for a person."
    REJECTED = "rejected", "A person rejected its hold. It is never sent."
    DISCARDED = "discarded", "A person discarded it, or its batch. It is never sent."


_S = EffectStatus

OPEN = frozenset((_S.PREPARED, _S.RETRYING))
"""It goes on without a person. The journal has an index of these."""

_SENT_ON = frozenset((_S.RELEASED, _S.REPLAYING))

UNTRIED = _SENT_ON | {_S.PREPARED}
"""No attempt has ended since it began or since a person sent it on."""

UNDER_WAY = UNTRIED | {_S.RETRYING}
"""Its copy ought to be in a queue, in work, or a row that waits."""

SENDABLE = UNDER_WAY | {_S.DEAD}
"""A worker that gets its copy may send it. A dead one is sent when its bytes come in again."""

FINISHED = frozenset(_S) - SENDABLE
"""A worker that gets its copy sends nothing."""

FAILED = frozenset((_S.RETRYING, _S.DEAD))
"""The last attempt has failed. Its successor, a retry or a dead letter, is on its way."""

UNSEEN = FAILED | {_S.DISCARDED}
"""Attempts were made, and none of them was seen to arrive. The far end may have it all the same."""

DONE = frozenset((_S.DELIVERED, _S.FILTERED))
"""It went as the site wants it."""

ENDED = frozenset((_S.DEAD, _S.REJECTED, _S.DISCARDED))
"""It ended without a delivery."""

STOPPED = ENDED | {_S.HELD}
"""Nothing is sent unless a person decides so."""


class Act(Enum):
    """What changes a status: from which statuses (`before`) to which (`after`). In any other status the act leaves the
    row as it is."""

    def __init__(self, meaning: str, before: frozenset[EffectStatus], after: frozenset[EffectStatus]) -> None:
        self.meaning = meaning
        self.before = before
        self.after = after

    ATTEMPT = (
        "An attempt ends, or a dead letter is recorded.",
        SENDABLE | {_S.BATCHED},
        frozenset((_S.DELIVERED, _S.FILTERED, _S.BATCHED, _S.RETRYING, _S.HELD, _S.DEAD)),
    )
    BATCH_LEAVES = (
        "The batch that holds the document is delivered.",
        frozenset((_S.BATCHED,)),
        frozenset((_S.DELIVERED,)),
    )
    BATCH_ENDS = (
        "A person rejects or discards the batch that holds the document.",
        frozenset((_S.BATCHED,)),
        frozenset((_S.REJECTED, _S.DISCARDED)),
    )
    DISSOLVE = (
        "A person takes the batch apart that holds the document.",
        frozenset((_S.BATCHED,)),
        frozenset((_S.RELEASED,)),
    )
    REFUSE = (
        "The partner rejects what was sent.",
        SENDABLE | {_S.BATCHED, _S.DELIVERED},
        frozenset((_S.HELD,)),
    )
    REFUSE_ALL = "The partner rejects every document of a batch.", SENDABLE | {_S.BATCHED}, frozenset((_S.DISCARDED,))
    REPLAY = "A person replays a dead letter.", OPEN | {_S.DEAD}, frozenset((_S.REPLAYING,))
    REDIRECT = (
        "A person replays a dead letter to another destination: what is open at the old one ends.",
        OPEN | {_S.DEAD, _S.REPLAYING},
        frozenset((_S.DISCARDED,)),
    )
    DISCARD = "A person discards a dead letter.", SENDABLE, frozenset((_S.DISCARDED,))
    RELEASE = (
        "A person releases a hold. A delivered document was held because its acknowledgment is overdue.",
        SENDABLE | {_S.HELD, _S.DELIVERED},
        frozenset((_S.RELEASED,)),
    )
    REJECT = "A person rejects a hold.", SENDABLE | {_S.HELD, _S.BATCHED}, frozenset((_S.REJECTED,))
    CONFIRM = (
        "A person records a document as delivered that may have been.",
        SENDABLE | {_S.HELD, _S.DELIVERED},
        frozenset((_S.DELIVERED,)),
    )
