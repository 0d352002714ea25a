"""Secrets stand in the environment: an inline one is an error, and no value of a variable is ever shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.core.options.secret_names import is_secret_key

Said = Callable[..., list[str]]
INLINE = "a secret can only stand here by reference (write ${NAME} and set the environment variable)"
IN_URL = "the URL holds a password; it can only stand by reference (write ${NAME} and set the environment variable)"


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ('bearer: "${ERP_TOKEN}"', "bearer: abc", f"config/endpoints.yaml:1:49: error: {INLINE}"),
        ('bearer: "${ERP_TOKEN}"', 'bearer: "${ERP_TOKEN:-abc}"', f"config/endpoints.yaml:1:49: error: {INLINE}"),
        ("broker: embedded", "amqp: amqps://hub:s3cret@host/", f"config/hub.yaml:1:7: error: {IN_URL}"),
        ("broker: embedded", "journal: postgresql://u:pw@db/hub", f"config/hub.yaml:1:10: error: {IN_URL}"),
        ("broker: embedded", "broker: {amqp: '${X:-amqps://u:pw@h}'}", f"config/hub.yaml:1:16: error: {IN_URL}"),
    ],
)
def test_an_inline_secret_is_an_error(said: Said, old: str, new: str, finding: str) -> None:
    assert said({}, (old, new)) == [finding]


@pytest.mark.parametrize("url", ["${URL}", "amqps://hub:${PW}@host/", "amqp://host/"])
def test_a_reference_is_fine(said: Said, url: str) -> None:
    from tests.unit.configuration.conftest import ENVIRON

    environ = {**ENVIRON, "URL": "amqps://hub:hush@host/", "PW": "hush"}
    assert said({}, ("broker: embedded", f'amqp: "{url}"'), environ=environ) == []


def test_what_a_variable_holds_is_never_shown(check: Callable[..., object]) -> None:
    environ = {"ERP_URL": "ftp://hush-hush", "ERP_TOKEN": "hush-hush"}
    checked = check({}, ("bearer:", "bearr:"), environ=environ)
    shown = repr(checked) + "".join(str(finding) for finding in checked.findings)  # type: ignore[attr-defined]
    assert "hush" not in shown
    assert "${ERP_URL}" in shown


def test_a_site_does_not_show_its_secrets(check: Callable[..., object]) -> None:
    assert "hush" not in repr(check())


@pytest.mark.parametrize(
    "name", ["token", "password", "client_secret", "passphrase", "X-Api-Key", "Authorization", "bearer"]
)
def test_keys_of_secrets(name: str) -> None:
    assert is_secret_key(name)


@pytest.mark.parametrize("name", ["key", "key_header", "password_file", "tokens_per_minute", "user", "monkey"])
def test_keys_of_other_things(name: str) -> None:
    assert not is_secret_key(name)
