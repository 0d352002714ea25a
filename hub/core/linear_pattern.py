"""Regular expressions whose time grows with the text alone: Rust's `regex`, as pydantic brings it.

A pattern of the site meets a stranger's text. Python's `re` can take exponential time there. This engine never does;
it has no look-around and no back-references.
"""

from __future__ import annotations

from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema


@lru_cache(maxsize=1024)
def compile_pattern(text: str) -> SchemaValidator:
    """Raises ValueError, which says what of the pattern this engine refuses."""
    try:
        return SchemaValidator(core_schema.str_schema(pattern=text, regex_engine="rust-regex", strict=True))
    except SchemaError as error:
        last = str(error).strip().splitlines()[-1].strip().removeprefix("SchemaError: ").removeprefix("error: ")
        raise ValueError(
            f"the pattern {text[:80]!r} isn't taken, because it could take for ever on a long text: {last}"
        ) from None


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern occurs anywhere in the text."""
    return compile_pattern(pattern).isinstance_python(text)
