"""The readers of rows, lines and lists beside the bare parsers that they stand on: what checking and mapping cost.

`python -m benchmarks.formats [MEGABYTES [WORDS]]`: each reader takes a body of that size, which is never held; memory
is what the process has more than before. With words only the lines that begin with them:
`python -m benchmarks.formats 1000 "csv: the same"`.
"""

from __future__ import annotations

import csv
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from hub.core.context import Context
from transformers import csv as rows
from transformers import json as lists
from transformers import ndjson

ORDER = b'{"number":"104582","partner":"ACME","lines":[{"number":"1","quantity":"2","unit":"EA","price":"9.50"}]}'
ROW = b"%d;ACME;2026-03-02;2;EA;9.50;Claw hammer 16 oz\r\n"
MAP = """{"number": "{{ body.order }}", "partner": "{{ body.partner }}", "date": {{ body.date | tojson }}, "lines": [{% for row in rows %}
{"quantity": {{ row.qty | tojson }}, "unit": "{{ row.unit }}", "price": {{ row.price | tojson }} }{{ "," if not loop.last }}{% endfor %}]}"""  # noqa: E501


@dataclass(frozen=True)
class Made:
    """A body made while it is read."""

    size: int
    part: bytes
    begin: bytes = b""
    end: bytes = b""

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        yield self.begin
        block = self.part * max(1, size // len(self.part))
        for _ in range(self.size // len(block)):
            yield block
        yield self.end


def built(plugin: Any, options: dict[str, Any]) -> Any:
    context = Context(site=None, text=lambda folder, name: MAP)
    return plugin.build("bench", plugin.options.model_validate(options), context)


def bare_csv(body: Made) -> int:
    lines = (line for chunk in body.chunks() for line in chunk.decode().splitlines(keepends=True))
    return sum(1 for _ in csv.reader(lines, delimiter=";"))


def bare_orjson(body: Made) -> int:
    return sum(1 for chunk in body.chunks() for line in chunk.splitlines() if orjson.loads(line))


def documents(reader: Any) -> Callable[[Made], int]:
    def count(body: Made) -> int:
        found = 0
        for reading in reader.read(body):
            assert reading.error is None, reading.error
            found += 1
        return found

    return count


def measured(what: str, run: Callable[[Made], int], body: Made) -> None:
    if not what.startswith(" ".join(sys.argv[2:])):
        return
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    count = run(body)
    took = time.perf_counter() - started
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{what:36} {body.size / took / 1e6:8.1f} MB/s {count / took:12,.0f}/s   {more:6.1f} MB more memory")


def main() -> None:
    size = int(float(sys.argv[1] if len(sys.argv) > 1 else "20") * 1_000_000)
    head = b"order;partner;date;qty;unit;price;text\r\n"
    four = b"".join(ROW % (n // 4) for n in range(8))
    table = Made(size, four, head)
    typed = {"types": {"qty": "integer", "price": "decimal", "date": "date %Y-%m-%d"}, "delimiter": ";"}
    one = {"document": "order@1"}
    mapped = {**one, "map": "m.json.j2", **typed, "group": ("order",)}
    measured("csv: bare module csv", bare_csv, table)
    measured("csv: orders of four rows, a template", documents(built(rows.PLUGINS[0], mapped)), table)
    items = {"quantity": "qty", "unit": "unit", "price": "price"}
    columns = {**one, "to": {"number": "order", "partner": "partner", "date": "date", "lines": items}, **typed}
    measured("csv: the same by columns", documents(built(rows.PLUGINS[0], {**columns, "group": ("order",)})), table)
    measured("lines: bare orjson", bare_orjson, Made(size, ORDER + b"\n"))
    measured("lines: orders", documents(built(ndjson.PLUGIN, one)), Made(size, ORDER + b"\n"))
    a_list = Made(size, ORDER + b",\n", b"[", ORDER + b"]")
    measured("a list: orders", documents(built(lists.PLUGIN, {**one, "each": "/"})), a_list)


if __name__ == "__main__":
    main()
