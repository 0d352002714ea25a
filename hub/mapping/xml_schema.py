"""An XML Schema of the site, compiled: what it includes or imports stands beside it, and is never fetched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lxml import etree

from hub.core.errors import ConfigError
from hub.core.replies.xml_parsing import SAFE
from hub.mapping.json_text import SCHEMAS, short

SITE = "site:"


class SiteResolver(etree.Resolver):  # type: ignore[misc]
    """Gives libxml2 files of one folder of the site; anything else is refused."""

    def __init__(self, folder: str, text: Callable[[str, str], str]) -> None:
        super().__init__()
        self._folder, self._text = folder, text

    def resolve(self, url: str, public: str, context: Any) -> Any:
        name = url.removeprefix(SITE)
        try:
            found = self._text(self._folder, name).encode()
        except (OSError, LookupError, ConfigError):
            raise ValueError(f"{name!r} is no file of {self._folder}") from None
        return self.resolve_string(found, context, base_url=url)


def site_xml(folder: str, name: str, text: Callable[[str, str], str]) -> Any:
    """A schema or stylesheet of the site, parsed. Raises ConfigError."""
    parser = etree.XMLParser(**SAFE)
    parser.resolvers.add(SiteResolver(folder, text))
    try:
        source = text(folder, name).encode()
        return etree.fromstring(source, parser, base_url=SITE + name)
    except (OSError, LookupError) as error:
        raise ConfigError(f"there is no file {folder}/{name}: {error}") from None
    except etree.XMLSyntaxError as error:
        raise ConfigError(f"{folder}/{name}: {error.msg}") from None


class XmlSchema:
    """Checks elements. Used by one thread at a time: each call makes its own errors."""

    def __init__(self, name: str, text: Callable[[str, str], str]) -> None:
        """Raises ConfigError."""
        self.name = name
        try:
            self._schema = etree.XMLSchema(site_xml(SCHEMAS, name, text))
        except (etree.XMLSchemaParseError, ValueError) as error:
            raise ConfigError(f"{SCHEMAS}/{name}: {error}") from None

    def wrong(self, element: Any) -> str | None:
        """What is wrong first, with its line; None when nothing is."""
        if self._schema.validate(element):
            return None
        errors = list(self._schema.error_log)
        first = errors[0]
        more = f"; {len(errors) - 1} more" if len(errors) > 1 else ""
        return f"line {first.line}: {short(first.message)}{more} (as {self.name} wants it)"
