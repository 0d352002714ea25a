"""Everything that a group commit can write or answer, in the order in which it runs."""

from __future__ import annotations

from typing import Any

from hub.journal.batches.batch_acknowledgments import ACKNOWLEDGE
from hub.journal.batches.batch_members import DELIVER, TELL
from hub.journal.commit.bulk import BATCH_MEMBER, CLAIM, DEAD, EVENT, HOLD, KEY, MESSAGE, ONCE, PREPARE, QUEUE, SETTLE
from hub.journal.commit.other_names import OTHER_NAMES
from hub.journal.commit.writer import EntryWriter
from hub.journal.copies.wait import WAIT
from hub.journal.deliveries.effects import GIVE_BACK, STATES
from hub.journal.deliveries.new_copies import NEW_COPIES
from hub.journal.deliveries.once_keys import FINISH, FINISH_ALL, FREE, HOLDERS, OVERTAKE, SETTLE_DEAD
from hub.journal.interchanges.control_numbers import NUMBERS, RECORD_SENT
from hub.journal.interchanges.interchanges_received import EARLIER

ROWS = (CLAIM, MESSAGE, KEY, ONCE, PREPARE, SETTLE, HOLD, DEAD, QUEUE, BATCH_MEMBER, EVENT, WAIT)
CHANGES = (OTHER_NAMES, GIVE_BACK, FINISH, FINISH_ALL, FREE, OVERTAKE, SETTLE_DEAD, RECORD_SENT, DELIVER, TELL)
"""They look at the rows that were written."""
QUESTIONS = (NEW_COPIES, ACKNOWLEDGE, EARLIER, STATES, HOLDERS, NUMBERS)
"""Numbers come last, because they lock their partner's counter."""

IN_ORDER: tuple[EntryWriter[Any], ...] = (*ROWS, *CHANGES, *QUESTIONS)
