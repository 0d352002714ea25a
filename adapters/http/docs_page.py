"""A page for people, made of the OpenAPI description. It needs nothing but itself: no script, no other site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "h2{border-top:1px solid #ccc;padding-top:1rem}code,b.m{font-family:ui-monospace,monospace}"
    "table{border-collapse:collapse}td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}"
)


def docs_page(told: Mapping[str, Any]) -> bytes:
    """UTF-8."""
    title = escape(told["info"]["title"])
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>"
    intro = (
        f"<h1>{title}</h1><p>For programs: <a href=openapi.json>openapi.json</a> (OpenAPI"
        f" {escape(told['openapi'])}).</p>"
    )
    parts = [
        operation(method, path, about)
        for path, methods in told.get("paths", {}).items()
        for method, about in methods.items()
    ]
    return "".join((head, intro, *parts)).encode()


def operation(method: str, path: str, about: Mapping[str, Any]) -> str:
    lines = [f"<h2><b class=m>{escape(method.upper())}</b> <code>{escape(path)}</code></h2>"]
    lines += [f"<p>{escape(about[key])}</p>" for key in ("summary", "description") if about.get(key)]
    lines += table("Parameters", parameters(about))
    lines += table("Body", ((name, "") for name in about.get("requestBody", {}).get("content", {})))
    lines += table("Authentication, any of", ((name, "") for each in about.get("security", ()) for name in each))
    lines += table("Answers", ((code, one.get("description", "")) for code, one in about.get("responses", {}).items()))
    return "".join(lines)


def parameters(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for one in about.get("parameters", ()):
        needed = ", required" if one.get("required") else ""
        yield one["name"], f"in the {one['in']}{needed}. {one.get('description', '')}"


def table(title: str, rows: Any) -> list[str]:
    made = [f"<tr><th><code>{escape(name)}</code><td>{escape(text)}" for name, text in rows]
    return [f"<h3>{title}</h3><table>{''.join(made)}</table>"] if made else []
