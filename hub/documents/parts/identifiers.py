"""An immutable mapping of qualifier to id."""

from __future__ import annotations

from typing import Any, NoReturn

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema


class Identifiers(dict[str, str]):
    """Ids by qualifier: `{"UP": "860001662184", "VN": "AB3542"}`. Keeps the order it came in; can't be changed.

    A dict in type only so that serialising stays native and fast: every method that would change it raises TypeError.
    """

    __slots__ = ()

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("the ids of a document can't be changed")

    __setitem__ = __delitem__ = _refuse
    clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __copy__(self) -> Identifiers:
        return self

    def __deepcopy__(self, memo: Any) -> Identifiers:
        return self

    def __reduce__(self) -> Any:
        return Identifiers, (dict(self),)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls, core_schema.dict_schema(core_schema.str_schema(), core_schema.str_schema())
        )


NO_IDS = Identifiers()
