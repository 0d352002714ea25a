"""Python source from a grammar: one function per use of a segment, straight-line, with nothing left to interpret.

Each function checks the elements of its segment (presence, type, length, codes, rules) and puts them where they live.
What it can't take it refuses without saying why (`Refused`); `diagnose` then looks at the whole transaction again,
slowly.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.documents.base import Document
from transformers.x12.compiled.function_body import PARTS, FunctionBody
from transformers.x12.compiled.source_names import SourceNames
from transformers.x12.declarations.grammar import Grammar, GrammarState


class SetSource:
    """The source of a set's functions, and the names that they use. `handlers`: by the number of a state, the name of
    its function."""

    def __init__(self, grammar: Grammar, document: type[Document]) -> None:
        self.names = SourceNames(grammar, document)
        self._functions: dict[str, str] = {}
        self.handlers = [self._handler(state) if state.use else "" for state in grammar.states]

    def _handler(self, state: GrammarState) -> str:
        """The name of the function for a state; uses that come out the same share one."""
        body = "\n".join("    " + line for line in FunctionBody(self.names, state).lines())
        return self._functions.setdefault(body, f"h{state.number}")

    @property
    def parts(self) -> list[str]:
        """The names of the memories of parts by their text: one a function."""
        return [f"{name}{PARTS}" for body, name in self._functions.items() if PARTS in body]

    def text(self) -> Iterator[str]:
        for body, name in self._functions.items():
            yield f"def {name}(s):\n{body.replace(PARTS, name + PARTS)}"
