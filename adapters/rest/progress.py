"""How far a list has been read, as a source remembers it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from adapters.rest.list_options import RestSourceOptions
from adapters.rest.page import Page


@dataclass(frozen=True, slots=True)
class ListProgress:
    """`cursor`: everything before it has been taken. `page`: the URL to go on with, when a list of several pages is
    being read; `coming` becomes the cursor with its last page. `call` and `start` are the options that this holds
    for."""

    call: str
    start: str = ""
    cursor: str = ""
    page: str | None = None
    coming: str | None = None

    @classmethod
    def begin(cls, options: RestSourceOptions) -> ListProgress:
        start = options.cursor.start if options.cursor is not None else ""
        return cls(options.call, start, start)

    @classmethod
    def remembered(cls, text: str | None, options: RestSourceOptions) -> ListProgress:
        """A changed `start` begins anew; a changed `call` begins with the cursor that there is."""
        fresh = cls.begin(options)
        found = cls(**json.loads(text)) if text else fresh
        if found.start != fresh.start:
            return fresh
        return found if found.call == fresh.call else replace(fresh, cursor=found.cursor)

    def text(self) -> str:
        return json.dumps(asdict(self))

    def after(self, page: Page) -> ListProgress:
        """Everything on the page has been taken."""
        coming = page.cursor if page.cursor is not None else self.coming
        if page.next is not None:
            return replace(self, page=page.next, coming=coming)
        return replace(self, cursor=coming if coming is not None else self.cursor, page=None, coming=None)

    def at_the_cursor(self) -> ListProgress:
        """Its page is no more."""
        return replace(self, page=None, coming=None)
