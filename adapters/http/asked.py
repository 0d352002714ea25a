"""A request of the framework as `hub.core.network.web.WebRequest`."""

from __future__ import annotations

from fastapi import Request

from hub.core.network.web import WebRequest


def web_request(request: Request, secure: bool) -> WebRequest | None:
    """None for one whose address is no text."""
    texts = (request.url.path, *request.path_params.values(), *request.query_params, *request.query_params.values())
    if any("\ufffd" in text or not text.isprintable() for text in texts):
        return None
    headers: dict[str, str] = {}
    for name, raw in request.headers.raw:
        key, value = name.decode("latin-1").lower(), text_of(raw)
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return WebRequest(
        request.method,
        request.url.path,
        dict(request.path_params),
        dict(request.query_params),
        headers,
        request.client.host if request.client is not None else "",
        request.scope.get("state", {}).get("certificate", ()),
        secure or request.url.scheme == "https",
        target_of(request),
    )


def target_of(request: Request) -> str:
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope.get("query_string", b"")
    return (raw.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")


def text_of(raw: bytes) -> str:
    """A header's value: UTF-8 where it is that, else Latin-1, without control characters."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return "".join(character if character.isprintable() else "?" for character in text)
