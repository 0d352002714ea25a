"""A source in the words of OpenAPI 3.1."""

from __future__ import annotations

import re
from typing import Any

from adapters.http.auth_options import AuthOptions
from adapters.http.source_options import HttpSourceOptions

PROBLEM = {"application/problem+json": {"schema": {"type": "object"}}}
TAKEN = {
    "type": "object",
    "required": ["id", "status_url", "documents", "refused"],
    "properties": {
        "id": {"type": "string"},
        "status_url": {"type": "string"},
        "documents": {"type": "integer", "description": "Documents that the hub is responsible for from now on."},
        "refused": {"type": "integer", "description": "Parts that can't be read; a person will look at them."},
    },
}
REFUSALS = {
    "400": "The request is broken.",
    "401": "It doesn't prove who sends it.",
    "403": "Who sends it may not send here.",
    "408": "It came too slowly.",
    "413": "The body is too large.",
    "415": "The content type is not taken.",
    "422": "The body can't be read, names another partner, or came with a key that was used for another body.",
    "429": "Too many requests; see Retry-After.",
    "503": "Nothing was taken; send it again after Retry-After seconds.",
}


def about_post(name: str, options: HttpSourceOptions) -> dict[str, Any]:
    answers: dict[str, Any] = {code: {"description": text, "content": PROBLEM} for code, text in REFUSALS.items()}
    answers["202"] = {
        "description": "The hub is responsible for it now.",
        "headers": {"Location": {"schema": {"type": "string"}, "description": "Where to ask what becomes of it."}},
        "content": {"application/json": {"schema": TAKEN}},
    }
    if options.reply == "sync":
        answers["200"] = {"description": f"The answer, when it comes within {options.within}; else 202."}
        answers["409"] = {"description": "Held for a person, a duplicate, or in work already.", "content": PROBLEM}
    elif options.idempotent:
        answers["409"] = {"description": "The first request with this key is in work.", "content": PROBLEM}
    return {
        "summary": f"Takes documents for {name}.",
        "parameters": [*path_parameters(options), *given_parameters(options), *key_parameter(options)],
        "requestBody": {"required": True, "content": {one: {"schema": {}} for one in options.accept}},
        "responses": dict(sorted(answers.items())),
        "security": required(options),
    }


def about_status(options: HttpSourceOptions) -> dict[str, Any]:
    told = {
        code: {"description": text, "content": PROBLEM} for code, text in REFUSALS.items() if code in ("401", "403")
    }
    return {
        "summary": "Tells what has become of a request.",
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {
            "200": {"description": "Its documents, and where each stands.", "content": {"application/json": {}}},
            **told,
            "404": {"description": "There is none of that name.", "content": PROBLEM},
        },
        "security": required(options),
    }


def path_parameters(options: HttpSourceOptions) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", options.path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def given_parameters(options: HttpSourceOptions) -> list[dict[str, Any]]:
    origins = [origin.partition(".") for origin in dict.fromkeys(options.facts.values())]
    return [
        {"name": name, "in": where, "required": False, "schema": {"type": "string"}}
        for where, _, name in origins
        if where in ("header", "query")
    ]


def key_parameter(options: HttpSourceOptions) -> list[dict[str, Any]]:
    if not options.idempotent:
        return []
    text = f"The same key and body get the first answer again, for {options.remember}."
    schema = {"type": "string", "maxLength": 255}
    return [{"name": "Idempotency-Key", "in": "header", "required": False, "description": text, "schema": schema}]


def required(options: HttpSourceOptions) -> list[dict[str, list[str]]]:
    return [{name: []} for name in security_of(options)]


def security_of(options: HttpSourceOptions) -> dict[str, Any]:
    """The security schemes of the source, by name."""
    auth = options.auth
    if not isinstance(auth, AuthOptions):
        return {}
    found: dict[str, Any] = {}
    if auth.api_key:
        header = auth.api_key_header
        found[f"key-{header}"] = {"type": "apiKey", "in": "header", "name": header}
    if auth.basic:
        found["basic"] = {"type": "http", "scheme": "basic"}
    if auth.jwt is not None:
        found["bearer"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    if auth.mtls:
        found["mtls"] = {"type": "mutualTLS"}
    if auth.hmac is not None:
        covered = "method, path with query, " if auth.hmac.covers == "request" else ""
        text = (
            f"HMAC-{auth.hmac.algorithm.upper()} over {auth.hmac.timestamp}, {covered}and the body, with full stops in"
            " between."
        )
        header = auth.hmac.header
        found[f"signature-{header}"] = {"type": "apiKey", "in": "header", "name": header, "description": text}
    return found
