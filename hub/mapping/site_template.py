"""Templates of the site: Jinja2 in a sandbox, where an undefined name is an error and what an expression gives is
escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from json.encoder import encode_basestring
from typing import Any

from jinja2 import (
    Environment,
    FunctionLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    Undefined,
    nodes,
)

from hub.core.errors import ConfigError, MappingError
from hub.core.options.work import DEFAULT_BOUNDS, WorkBounds
from hub.mapping.allowance import ALLOWANCE
from hub.mapping.code_table import TABLES, CodeTable, table_file
from hub.mapping.counted_filters import counted
from hub.mapping.json_text import Json
from hub.mapping.meter import METER, Meter, TooMuchWork
from hub.mapping.sandbox import Sandbox

TEMPLATES = "routes/templates"
FORMATS = ("json", "xml")
_MISTAKES = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
    TooMuchWork,
)


class SiteTemplate:
    """One template with what it includes. `format` is what its name says it makes: json, xml or text."""

    def __init__(self, name: str, text: Callable[[str, str], str], bounds: WorkBounds = DEFAULT_BOUNDS) -> None:
        """`text(folder, name)` is the text of a template or a code table. Raises ConfigError, also for a table that
        isn't there."""
        self.name = name
        self._bounds = bounds
        self.format = next((f for f in FORMATS if name.endswith((f".{f}.j2", f".{f}"))), "text")
        self._text = text
        self._tables: dict[str, CodeTable] = {}
        self._template = self._compiled()

    def render(self, names: Mapping[str, Any]) -> str:
        """Raises MappingError, which says the template's line: also where the template does more than its bounds, or
        the allowance in force, allow."""
        meter = Meter(self._bounds, ALLOWANCE.get())
        before = METER.set(meter)
        try:
            return self._template.render(names).strip()
        except _MISTAKES as error:
            raise MappingError(f"{_place(error, self.name)}: {_explain(error)}") from None
        finally:
            METER.reset(before)
            meter.close()

    def _compiled(self) -> Template:
        before = METER.set(Meter(self._bounds))
        try:
            return self._compile()
        finally:
            METER.reset(before)

    def _compile(self) -> Template:
        environment = Sandbox(
            loader=FunctionLoader(lambda wanted: self._load(environment, wanted)),
            undefined=StrictUndefined,
            autoescape=self.format == "xml",
            finalize=_in_json if self.format == "json" else _present,
            auto_reload=False,
            keep_trailing_newline=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["table"] = counted("table", self._look_up)
        try:
            made = environment.get_template(self.name)
            self._compile_parts(environment)
        except TemplateSyntaxError as error:
            raise ConfigError(f"{error.name or self.name}: line {error.lineno}: {error.message}") from None
        except TemplateError as error:
            raise ConfigError(f"{self.name}: the template {error} can't be read from {TEMPLATES}") from None
        return made

    def _compile_parts(self, environment: Environment) -> None:
        """What it includes, extends and imports by names that are written out, so that mistakes there are found now."""
        known, waiting = {self.name}, [self.name]
        while waiting:
            source = self._text(TEMPLATES, waiting.pop())
            for name in parts_in(environment, source) - known:
                environment.get_template(name)
                known.add(name)
                waiting.append(name)

    def _load(self, environment: Environment, wanted: str) -> tuple[str, str, Callable[[], bool]] | None:
        try:
            source = self._text(TEMPLATES, wanted)
        except (OSError, LookupError, ConfigError):
            return None
        for name in tables_in(environment, source, wanted):
            if name not in self._tables:
                self._tables[name] = self._table(name, wanted)
        return source, wanted, lambda: True

    def _table(self, name: str, wanted: str) -> CodeTable:
        try:
            return CodeTable.of(name, self._text(TABLES, table_file(name)))
        except ConfigError as error:
            raise ConfigError(f"{wanted}: {error.text}") from None

    def _look_up(self, key: Any, table: str, **options: Any) -> Any:
        """`{{ unit | table("uom") }}`, `{{ unit | table("uom", column="edi", default="EA") }}`."""
        return self._tables[table].find(key, **options)


def parts_in(environment: Environment, source: str) -> set[str]:
    """The templates, by names that are written out, that a template can't do without."""
    uses = environment.parse(source).find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport))
    names = (getattr(use, "template", None) for use in uses if not getattr(use, "ignore_missing", False))
    return {name.value for name in names if isinstance(name, nodes.Const) and isinstance(name.value, str)}


def tables_in(environment: Environment, source: str, name: str) -> set[str]:
    """The code tables that a template names. Raises ConfigError where it computes the name of one."""
    found = set()
    for use in environment.parse(source, name).find_all(nodes.Filter):
        if use.name != "table":
            continue
        first = use.args[0] if use.args else None
        if not isinstance(first, nodes.Const) or not isinstance(first.value, str):
            raise ConfigError(f"{name}: line {use.lineno}: `table` takes the name of a file of {TABLES}, written out")
        found.add(first.value)
    return found


def _present(value: Any) -> Any:
    """What an expression may give outside of JSON: anything but None."""
    if value is None:
        raise ValueError("a value is missing (None); say what should stand there instead")
    return METER.get().read(value)


def _in_json(value: Any) -> Any:
    """What an expression gives within a JSON document: JSON as it is, anything else as the inside of a string."""
    if isinstance(value, (Json, Undefined)):
        return str(METER.get().read(value))
    return encode_basestring(str(_present(value)))[1:-1]


def _place(error: BaseException, name: str) -> str:
    """`order.json.j2: line 7`: the innermost line of a template, this one or one that it includes."""
    place = name
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file == name or file.endswith(".j2"):
            place = f"{file}: line {trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _explain(error: BaseException) -> str:
    """A template's mistake as people say it: without the names of Python classes."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    words = (text or type(error).__name__).split(" ")
    for place, word in enumerate(words):
        if "hub.documents." in word:
            words[place] = "'" * word.startswith("'") + word.rpartition(".")[2]
    return " ".join(words).replace(" object'", "'")
