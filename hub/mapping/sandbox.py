"""Where templates of the site run: they reach what is listed, and their work is counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from types import BuiltinMethodType, MethodType
from typing import Any

from jinja2 import Undefined
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.runtime import BlockReference, Context, LoopContext, Macro
from jinja2.sandbox import SandboxedEnvironment, SandboxedEscapeFormatter, SandboxedFormatter
from jinja2.utils import Cycler, Joiner, Namespace
from markupsafe import Markup

from hub.documents.base import Part
from hub.mapping.counted_filters import (
    count_join,
    count_replace,
    counted_filters,
    counted_tests,
)
from hub.mapping.counting_compiler import CountingCompiler
from hub.mapping.meter import BITS, METER, TooMuchWork
from hub.mapping.reachable import is_method, is_reachable, properties, reachable
from hub.mapping.width import check_format, count_percent, width

_OWN = (Namespace, TemplateModule)
"""They hold what templates have put there. `import` gives a TemplateModule."""
_CALLED = (Macro, BlockReference, LoopContext, Cycler, Joiner)
_WIDENED = frozenset(("center", "ljust", "rjust", "zfill"))
_PIECES = 256
CALL = 5
"""Steps that a call counts for: it takes that much longer than a turn of a loop."""


class Sandbox(SandboxedEnvironment):
    """An environment whose templates reach declared names only (`hub.mapping.reachable`), and no further than the meter
    lets them."""

    code_generator_class = CountingCompiler
    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "**", "%"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.globals.pop("lipsum", None)
        self._functions = frozenset(map(id, self.globals.values()))
        self.filters: Any = counted_filters()
        self.tests: Any = counted_tests()

    # --- what the compiled code calls

    def step(self) -> None:
        METER.get().step()

    def made(self, value: Any) -> Any:
        return METER.get().made(value)

    def read(self, value: Any) -> Any:
        return METER.get().read(value)

    def joined(self, join: Any, values: tuple[Any, ...]) -> Any:
        meter = METER.get()
        for value in values:
            meter.read(value)
        return join(values)

    def concat(self, pieces: Iterable[str]) -> str:
        """A text of its pieces. They are counted before there are too many."""
        meter, waiting, found = METER.get(), iter(pieces), list[str]()
        while some := list(islice(waiting, _PIECES)):
            meter.text(sum(map(len, some)))
            found += some
        return "".join(found)

    # --- what templates may reach

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if attr.startswith("_"):
            return False
        return isinstance(obj, _OWN) or is_reachable(obj, attr)

    def is_safe_callable(self, obj: Any) -> bool:
        if isinstance(obj, (*_CALLED, Undefined, _Format)) or id(obj) in self._functions:
            return True
        return isinstance(obj, (MethodType, BuiltinMethodType)) and is_method(obj)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """What isn't listed is not even looked up: a property could do anything."""
        if isinstance(obj, Part):
            return self._of_part(obj, attribute)
        if isinstance(obj, Undefined) or self.is_safe_attribute(obj, attribute, None):
            return super().getattr(obj, attribute)
        return self._item(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Part):
            return self._of_part(obj, argument) if isinstance(argument, str) else self.undefined(obj=obj, name=argument)
        if isinstance(argument, str) and not (
            isinstance(obj, Undefined) or self.is_safe_attribute(obj, argument, None)
        ):
            return self._item(obj, argument)
        return super().getitem(obj, argument)

    def _of_part(self, part: Part, name: str) -> Any:
        kind = type(part)
        if name not in reachable(kind):
            return self.unsafe_undefined(part, name) if hasattr(kind, name) else self.undefined(obj=part, name=name)
        return METER.get().property(part, name) if name in properties(kind) else getattr(part, name)

    def _item(self, obj: Any, name: str) -> Any:
        try:
            if not isinstance(obj, type):
                return obj[name]
        except (TypeError, LookupError):
            pass
        there = isinstance(obj, type) or hasattr(type(obj), name)
        return self.unsafe_undefined(obj, name) if there else self.undefined(obj=obj, name=name)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        text = (
            f"templates can't reach {attribute!r} of {type(obj).__name__!r}: only what it declares as fields,"
            " properties and methods for them"
        )
        return self.undefined(text, name=attribute, obj=obj, exc=SecurityError)

    # --- what they do with it

    def call(self, context: Context, obj: Any, /, *args: Any, **named: Any) -> Any:
        meter = METER.get()
        meter.step(CALL)
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str) and is_method(obj):
            args = _before(owner, obj.__name__, args, named)
        else:
            for value in (*args, *(named[name] for name in named if not name.startswith("_"))):
                if not isinstance(value, (str, Iterator)):
                    meter.made(value)
        found = super().call(context, obj, *args, **named)
        return found if isinstance(obj, (Macro, BlockReference)) else meter.made(found)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        meter = METER.get()
        if isinstance(left, str) and operator == "%":
            count_percent(meter, left, right)
        elif operator == "*":
            for many, times in ((left, right), (right, left)):
                _check_times(many, times)
        elif operator == "**" and isinstance(left, int) and isinstance(right, int):
            _check_bits(max(left.bit_length(), 1) * abs(right))
        elif operator == "+" and isinstance(left, (str, list, tuple)) and isinstance(right, (str, list, tuple)):
            meter.looked_at(left)
            meter.looked_at(right)
        return meter.made(super().call_binop(context, operator, left, right))

    def wrap_str_format(self, value: Any) -> Any:
        if isinstance(value, (MethodType, BuiltinMethodType)) and value.__name__ in ("format", "format_map"):
            owner = value.__self__
            if isinstance(owner, str):
                return _Format(self, owner, value.__name__ == "format_map")
        return None


def _check_bits(bits: int) -> None:
    if bits > BITS:
        raise TooMuchWork(f"a whole number of more than {BITS} bits; it is ended")


def _check_times(many: Any, times: Any) -> None:
    """Before `many * times`."""
    if not isinstance(times, int):
        return
    if isinstance(many, int):
        _check_bits(many.bit_length() + times.bit_length())
    elif isinstance(many, str):
        METER.get().text(len(many) * max(times, 0))
    elif isinstance(many, (list, tuple)):
        METER.get().step(len(many) * max(times, 0))


def _before(text: str, method: str, args: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Any, ...]:
    """Before a method of a text is called: the arguments, counted."""
    meter = METER.get()
    meter.text(len(text))
    if method in _WIDENED and args:
        meter.text(width(args[0]))
    elif method == "replace" and len(args) >= 2:
        count_replace(meter, text, args[0], args[1], args[2] if len(args) > 2 else named.get("count"))
    elif method == "join" and args:
        return (count_join(meter, text, args[0]), *args[1:])
    else:
        for value in args:
            meter.read(value)
    return args


class _Format:
    """`text.format` and `text.format_map`."""

    def __init__(self, environment: Sandbox, text: str, mapped: bool) -> None:
        kind = _EscapeFormatter if isinstance(text, Markup) else _Formatter
        options = {"escape": text.escape} if isinstance(text, Markup) else {}
        self._formatter: SandboxedFormatter = kind(environment, **options)
        self._text, self._mapped = text, mapped

    def __call__(self, *args: Any, **named: Any) -> str:
        if self._mapped:
            if named or len(args) != 1:
                raise TypeError("format_map() takes one argument")
            return self._format((), args[0])
        return self._format(args, named)

    def _format(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> str:
        return type(self._text)(self._formatter.vformat(self._text, args, named))


class _Counting:
    """Each field is counted when it is made."""

    def format_field(self, value: Any, spec: str) -> Any:
        check_format(spec)
        METER.get().read(value)
        return METER.get().made(super().format_field(value, spec))  # type: ignore[misc]

    def convert_field(self, value: Any, conversion: Any) -> Any:
        METER.get().read(value)
        return METER.get().made(super().convert_field(value, conversion)) if conversion else value  # type: ignore[misc]


class _Formatter(_Counting, SandboxedFormatter):
    pass


class _EscapeFormatter(_Counting, SandboxedEscapeFormatter):
    pass
