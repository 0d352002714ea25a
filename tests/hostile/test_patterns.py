"""Each regular expression that meets a stranger's text takes a time that grows with the text alone.

Whoever adds a pattern names it here: with its worst inputs, or among those that meet only what the site itself has
written.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hub.core.routing.condition import Condition
from hub.core.routing.facts import BUILT_IN
from tests.hostile.patterns import Use, uses, uses_in
from transformers.x12.envelope.boundaries import boundaries
from transformers.x12.envelope.delimiters import Delimiters, as_text

SIZE = 8_000
"""Characters; and eight times as many. A pattern that takes their square takes a tenth of a second for these."""

TIMES = 20
LEAST = 0.001
"""Seconds of CPU that count as nothing at the smaller size."""

ROUNDS = 5
"""A busy machine spoils one measurement, and not five."""

Input = tuple[str, str, str]
"""What stands before, what is repeated, what stands behind."""

OWN = {
    "hub/app/x12/partner_scaffold.py:VERSION",
    "hub/app/x12/partner_scaffold.py:_as_name()",
    "hub/app/x12/partner_scaffold.py:[^A-Z0-9_-]+",
    "hub/app/plugin_contract.py:REFERENCE",
    "hub/cli/new/plugin_scaffold.py:NAME",
    "hub/core/replies/captures.py:KIND",
    "hub/core/network/clear_text.py:LETS_IN",
    "hub/core/routing/expression.py:ESCAPE",
    "hub/core/routing/expression.py:TOKEN",
    "hub/core/routing/facts.py:FACT_NAME",
    "hub/core/options/name_pattern.py:_PLACE",
    "hub/core/options/naming.py:PLACE",
    "hub/core/replies/replies.py:STATUS_PATTERN",
    "hub/core/retry.py:DURATION",
    "hub/core/options/secret_names.py:CAMEL",
    "hub/core/options/secret_names.py:SCHEME",
    "hub/core/options/secret_names.py:SECRET_KEY",
    "hub/core/options/size.py:SIZE",
    "hub/core/options/window.py:CLOCK",
    "hub/mapping/column.py:_IMPLIED",
    "hub/mapping/width.py:_DIGITS",
    "hub/mapping/width.py:_FILLED",
    "transformers/x12/declarations/catalogue.py:\\n#\\s*",
    "transformers/x12/declarations/catalogue.py:^# source: ((?:.*\\n)(?:#  ?.*\\n)*)",
    "transformers/x12/declarations/overlay.py:[A-Z][A-Z0-9]{1,2}",
    "transformers/xml/reader.py:_STEP",
    "adapters/http/about.py:\\{(\\w+)\\}",
    "adapters/http/source_options.py:PATH",
    "adapters/http/source_options.py:[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+",
    "adapters/http/source_options.py:\\{(\\w+)\\}",
    "adapters/http/source_options.py:{.*?}",
    "adapters/sftp/endpoint.py:FINGERPRINT",
    "adapters/sftp/endpoint.py:PUBLIC_KEY",
    "adapters/sftp_server/options.py:PUBLIC_KEY",
    "adapters/soap/serving/options.py:PATH",
    "adapters/soap/serving/schemas.py:FILE",
    "hub/core/options/form.py:check()",
}
"""They meet the site's own files and options only."""

OF_THE_SITE = "hub/configuration/"
"""Code that reads the site's own files, and nothing else."""

WORST: dict[str, tuple[Input, ...]] = {
    "hub/app/x12/x12_answers.py:_LINES": (("", "\r\n", ""), ("", "\r", ""), ("", "\nGS", "")),
    "hub/broker/rabbit/publisher.py:_MISSING_EXCHANGE": (
        ("no exchange '", "x", ""),
        ("no exchange '", "' in vhos", ""),
    ),
    "hub/core/network/visible.py:CONTROLS": (("", "\n", ""), ("", "\x9b", ""), ("", "\r\n", "")),
    "adapters/rest/request.py:STEPS": (("", "/", ""), ("", "a\\", "")),
    "hub/core/options/naming.py:UNSAFE": (("", "/", ""), ("", "a/", "")),
    "hub/documents/codec.py:_FRACTION": (
        ("", ",", ""),
        (":", " ", ""),
        (":", "1", ""),
        ("", "[1", ""),
        ("", ":-1", ""),
    ),
    "hub/documents/codec.py:_NAME": (
        ("", " ", ""),
        ("{", " ", ""),
        ('{"document"', " ", ""),
        ('{"document":"', "a", ""),
    ),
    "hub/journal/interchanges/answers.py:_TRANSACTION": (
        ("", "1", ""),
        ("", "1.", ""),
        ("1.1.1", "+", "x"),
        ("1.1.1", ".part1", "x"),
    ),
    "hub/mapping/column.py:_INTEGER": (("", " ", ""), ("1", " ", "x"), ("", "1", "x"), (" ", "-", "")),
    "hub/mapping/json_list.py:_TOKEN": (('"', "a", ""), ('"', "\\", ""), ('"', '\\"', ""), ("", " ", "")),
    "hub/mapping/json_list.py:_DEEPER": (('"', "a", ""), ("", '""', ""), ("", 'a"b"', ""), ('"', "\\\\", "")),
    "transformers/fixed_width/writer.py:_CONTROL": (("", "a", ""),),
    "transformers/split.py:PLAIN": (("", "a", "-"),),
    "transformers/unpack/unpacking.py:_MIME": (
        ("", "message-id", ""),
        ("message-id", " ", ""),
        ("message-id", "\t ", ""),
    ),
    "transformers/x12/envelope/binary.py:_WHOLE": (("", "1", "x"),),
    "transformers/x12/envelope/boundaries.py:SPACE": (("", " ", "x"),),
    "transformers/x12/envelope/boundaries.py:ISA": (("", "IS", ""), ("", "ISA", "")),
    "transformers/x12/envelope/boundaries.py:NEXT": (
        *(("", "\nISA", ""), ("", "ISA*", ""), ("", "ISA*" + "1*" * 11, ""), ("", "ISA*" + "1*" * 10 + "a", "")),
        *(("ISA*" + "1*" * 11 + "00401*1", " ", ""), ("ISA*" + "1*" * 11 + "00401*1*0*P*>~", " \n", "")),
        ("", "ISA*" + "1*" * 11 + "00401*1*0*P*>~ ", ""),
    ),
    "transformers/x12/envelope/boundaries.py:_LINE_END": (("", "\r", ""),),
    "transformers/x12/terms/observation.py:\\r?\\n": (("", "\r", ""),),
    "transformers/x12/terms/observation.py:[\r\n]": (("", "\r", ""),),
    "transformers/x12/declarations/element_value.py:_WHOLE": (("", "1", "x"), ("-", "1", "")),
    "transformers/x12/declarations/element_value.py:_DECIMAL": (("", "1", "x"), ("1.", "1", "x"), (".", "1", "x")),
    "transformers/x12/declarations/element_value.py:_TIME": (("12", "1", "x"), ("123456", "7", "")),
    "transformers/x12/declarations/element_value.py:_DIGITS": (("", "1", "x"),),
    "transformers/xml/elements.py:_DOCTYPE": (
        *(
            ("", " ", "x"),
            ("", "<!---->", "x"),
            ("", "<?a?>", "x"),
            ("", "<!-- ", ""),
            ("<!--", "-->", ""),
            ("", "<!----> ", "<"),
        ),
        *(("<!--", "a-", ""), ("<?", "a?", "")),
    ),
    "adapters/http/client_address.py:FOR": (("", " ", ""), (";", " ", ""), ("", ";for=", ""), ("for=", "a", "")),
    "adapters/http/client_address.py:WITH_PORT": (("[", "a", ""), ("", "1.", "x"), ("[a]", ":1", "")),
    "adapters/mail/finished.py:TOKEN": (("", "a", "!"),),
    "adapters/mail/finished.py:\\r?\\n(?=[ \\t])": (("", "\r", ""), ("", "\r\n", ""), ("", "\n ", "")),
    "adapters/http/reading.py:KEY": (("", "a", ""),),
    "adapters/http/status.py:ID": (("", "a", ""),),
    "adapters/mail/notice.py:ADDRESS": (("", "a", ""), ("a@", "a", "!"), ("a@", "a.", "!"), ("a@a", ".a", ".")),
    "adapters/rest/auth.py:TOKEN": (("", "a", " "),),
    "adapters/rest/page.py:LINK": (
        *(
            ("", "<", ""),
            ("", "<a", ""),
            ("<a>", " ", ""),
            ("<a>", ";a", "="),
            ("<a>;a", " ", ""),
            ("<a>", '; a="', ""),
        ),
        *(("<a>", ";a=b ", ""), ("", "<a>;", ""), ("<a>;a=", " ", '"'), ("<a>", '; rel="a"', ";")),
    ),
    "adapters/rest/page.py:REL": (
        ("", ";", ""),
        (";", " ", ""),
        ("", ";rel", ""),
        ("", ';rel="', ""),
        (";rel=", " ", ""),
    ),
    "adapters/soap/serving/envelope.py:ACTION": (
        ("", ";", ""),
        (";", " ", ""),
        ("", ";action=", ""),
        (';action="', "a", ""),
    ),
}

HANDED_ON = {"transformers/x12/envelope/boundaries.py:SPACE": {"match"}}
"""How a pattern is asked that another function is given."""

TERMINATORS = ("\n", "\r", "\t", "\x0c", "\x1c", "~")


def _bounded(terminator: str) -> Iterator[Callable[[bytes], object]]:
    patterns = boundaries(Delimiters(b"*", b">", b"^", terminator.encode("latin-1")))
    for marks in (patterns.close, patterns.binary, patterns.odd):
        yield lambda data, marks=marks: marks.search(bytearray(data), 0)
        yield lambda data, marks=marks: marks.search(bytearray(data), 1)
    yield lambda data: patterns.control.match(data)
    yield lambda data: patterns.blank.match(data)


def _text_marks(terminator: str) -> Iterator[Callable[[bytes], object]]:
    for basic in (False, True):
        marks = as_text(Delimiters(b"*", b">", b"^", terminator.encode("latin-1")), basic)
        for pattern in (marks.forbidden, marks.padded, marks.indented):
            yield lambda data, pattern=pattern: pattern.search(data.decode("latin-1"))


MADE: dict[str, Callable[[str], Iterator[Callable[[bytes], object]]]] = {
    "transformers/x12/envelope/boundaries.py:__init__()": _bounded,
    "transformers/x12/envelope/boundaries.py:boundaries()": _bounded,
    "transformers/x12/envelope/delimiters.py:as_text()": _text_marks,
}
"""Patterns that are made of the delimiters of an interchange."""

IN_RUNS = (
    "{t}",
    "{t} ",
    " {t}",
    "\r\n",
    "\n",
    " ",
    "{t}S",
    "{t}SE",
    "{t} ISA",
    "{t}B",
    "ISA*",
    "\nISA",
    "ISA*" + "1*" * 11,
)

BOUNDED = {
    "transformers/x12/writing/writer.py:_ta1()": "values of at most 256 characters, and patterns of fixed widths",
}

ANY: tuple[Input, ...] = tuple(
    (before, unit, behind)
    for unit in (
        " ",
        "\n",
        "\r\n",
        "a",
        "A",
        "1",
        "0",
        "1.",
        "-",
        ".",
        '"',
        "\\",
        "<",
        "<!---->",
        "[",
        "{",
        ";",
        "=",
        "/",
        "'",
        ",",
    )
    for before, behind in (("", ""), ("", "\0"))
)
"""What every pattern meets."""

ALL = list(uses())


def described(use: Use) -> str:
    return use.key


@pytest.mark.parametrize("use", [use for use in ALL if not use.file.startswith(OF_THE_SITE)], ids=described)
def test_every_pattern_is_reviewed(use: Use) -> None:
    assert sum(use.key in table for table in (OWN, WORST, MADE, BOUNDED)) == 1, (
        f"{use.key} is new: give its worst inputs in WORST, or say in OWN that it meets only what the site has written"
    )


def test_what_is_reviewed_is_there() -> None:
    assert {*OWN, *WORST, *MADE, *BOUNDED} <= {use.key for use in ALL}


def test_a_pattern_is_found_wherever_it_is_written() -> None:
    source = (
        "import re\nA = re.compile('a')\ndef f(x):\n    return re.search(x, 'y')\nclass B:\n    c = re.sub('b', '',"
        " '')\n"
    )
    assert [use.key for use in uses_in("m.py", source)] == ["m.py:A", "m.py:f()", "m.py:b"]


@pytest.mark.parametrize("key", sorted(WORST))
def test_a_pattern_is_linear(key: str) -> None:
    use = next(use for use in ALL if use.key == key)
    pattern = use.pattern()
    assert pattern is not None
    methods = use.methods() or HANDED_ON.get(key)
    assert methods
    for given in (*WORST[key], *ANY):
        for method in sorted(methods):
            check_linear(asking(pattern, method), given, isinstance(pattern.pattern, bytes))


def asking(pattern: re.Pattern[Any], method: str) -> Callable[[Any], object]:
    if method == "finditer":
        return lambda text: sum(1 for _ in pattern.finditer(text))
    if method in ("sub", "subn"):
        return lambda text: pattern.sub(b"_" if isinstance(text, bytes) else "_", text)
    asked: Callable[[Any], object] = getattr(pattern, method)
    return asked


@pytest.mark.parametrize("terminator", TERMINATORS)
@pytest.mark.parametrize(
    "key", ["transformers/x12/envelope/boundaries.py:boundaries()", "transformers/x12/envelope/delimiters.py:as_text()"]
)
def test_patterns_made_of_delimiters_are_linear(key: str, terminator: str) -> None:
    for asked in MADE[key](terminator):
        for run in IN_RUNS:
            for begin in ("", "x"):
                check_linear(asked, (begin, run.replace("{t}", terminator), ""), raw=True)


def check_linear(asked: Callable[[Any], object], given: Input, raw: bool, size: int = SIZE) -> None:
    few, many = (text_of(given, each, raw) for each in (size, 8 * size))
    for _ in range(ROUNDS):
        took = _took(asked, many)
        if took <= TIMES * LEAST or took <= TIMES * _took(asked, few):
            return
    raise AssertionError(given, asked)


def text_of(given: Input, size: int, raw: bool) -> str | bytes:
    before, unit, behind = given
    text = before + unit * (size // len(unit)) + behind
    return text.encode("latin-1") if raw else text


def _took(asked: Callable[[Any], object], text: str | bytes) -> float:
    began = time.thread_time()
    asked(text)
    return time.thread_time() - began


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(a|aa)+$", "(.*a){12}b", "a*a*a*b"])
def test_a_pattern_of_the_site_is_linear_whatever_it_is(pattern: str) -> None:
    condition = Condition(f"partner.matches('{pattern}')", BUILT_IN)
    check_linear(lambda text: condition.holds({"partner": text}), ("", "a", "!"), raw=False)


@pytest.mark.parametrize(("pattern", "unit"), [(r"\n\s*X", "\n"), (r"<([^>]*)>", "<"), (r"a*b", "a")])
def test_the_check_finds_what_is_not_linear(pattern: str, unit: str) -> None:
    with pytest.raises(AssertionError):
        check_linear(re.compile(pattern).search, ("", unit, "\0"), raw=False, size=1000)
