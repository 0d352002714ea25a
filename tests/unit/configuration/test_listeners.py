"""Sources that listen, as `hub check` sees them: with the plug-ins as they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.app.plugin_discovery import discover
from hub.configuration.check import check_site

ROUTES = """\
format: 1
owner: order-desk
sources:
  posted:
    http: {endpoint: web, path: "/orders/{region}", auth: {api_key: {ACME: "${KEY}"}}}
    read: {json: order@1}
  called:
    soap: {endpoint: web, path: /soap, wsdl: orders.wsdl, security: {users: {ACME: {password: "${KEY}"}}}}
    read: {json: order@1}
routes:
  - id: orders
    when: {document: order}
    to: [out, copy]
"""
SITE = {
    "config/endpoints.yaml": 'web: {http: {listen: "127.0.0.1:8080"}}\n',
    "config/partners/acme.yaml": 'partner: ACME\nids: [{qualifier: "01", id: "043645501"}]\n',
    "config/destinations.yaml": "out:\n  file: {folder: var/out}\ncopy:\n  file: {folder: var/copy}\n",
    "routes/acme.yaml": ROUTES,
}
PUBLIC = ("127.0.0.1:8080", "0.0.0.0:8080")
KEY = '{api_key: {ACME: "${KEY}"}}'
POSTED, CALLED = "routes/acme.yaml:5", "routes/acme.yaml:8"

Said = Callable[..., list[str]]


@pytest.fixture
def said() -> Said:
    """What the checker says of the site with some texts replaced."""

    def run(*replacements: tuple[str, str]) -> list[str]:
        files = dict(SITE)
        for old, new in replacements:
            (holder,) = [name for name, text in files.items() if old in text]
            files[holder] = files[holder].replace(old, new, 1)
        content = {name: text.encode() for name, text in files.items()}
        checked = check_site(content, discover(), {"KEY": "0123456789abcdef"}, lambda name: name.endswith(".wsdl"))
        return [str(finding) for finding in checked.findings]

    return run


def test_the_sound_site_has_no_findings(said: Said) -> None:
    assert said() == []


@pytest.mark.parametrize(
    ("replacements", "finding"),
    [
        ([(f", auth: {KEY}", "")], f"{POSTED}:11: error: the key 'auth' is missing"),
        (
            [(KEY, "none"), PUBLIC],
            (
                f"{POSTED}:59: error: `auth: none` on 0.0.0.0:8080, which others than this machine reach "
                "(let the endpoint listen on 127.0.0.1, or name a way in `auth`)"
            ),
        ),
        (
            [PUBLIC],
            (
                f"{POSTED}:59: warning: keys and passwords travel in the clear to 0.0.0.0:8080 "
                "(give the endpoint `tls`, or say in `public` that HTTPS ends before it)"
            ),
        ),
        (
            [(KEY, "{mtls: {ACME: acme.example}}")],
            f"{POSTED}:59: error: `mtls` needs an endpoint with `tls: {{client_ca: ...}}`",
        ),
        (
            [("path: /soap", "path: /else"), ("/orders/{region}", "/other")],
            None,
        ),
        (
            [('path: "/orders/{region}"', "path: /soap")],
            f"{CALLED}:22: error: source called and source posted both take POST /soap of endpoint web",
        ),
        (
            [('{ACME: "${KEY}"}', '{ACEM: "${KEY}"}')],
            f"{POSTED}:11: error: there is no partner 'ACEM' (did you mean ACME?)",
        ),
        (
            [(KEY, "{api_key: {ACME: written-out-0123456}}")],
            (
                f"{POSTED}:76: error: a secret can only stand here by reference (write ${{NAME}} and set the"
                " environment variable)"
            ),
        ),
        (
            [(KEY, "{jwt: {jwks: keys.json, issuer: i, audience: a, partners: {ACME: x}}}")],
            f"{POSTED}:11: error: there is no file config/keys.json",
        ),
        (
            [("security: {users", "security: {digest: false, users"), PUBLIC, (KEY, "{mtls: {ACME: a}}")],
            (
                f"{CALLED}:69: error: passwords travel in the clear to 0.0.0.0:8080 (give the endpoint `tls`, or take"
                " digests alone)"
            ),
        ),
        (
            [(f"auth: {KEY}", f"reply: sync, auth: {KEY}")],
            (
                f"{POSTED}:60: error: source posted waits for an answer, and no destination does "
                "(write `answer: true` to exactly one destination of the routes that take its documents)"
            ),
        ),
        (
            [
                (f"auth: {KEY}", f"reply: sync, auth: {KEY}"),
                ("file: {folder: var/out}", "file: {folder: var/out}\n  answer: true"),
                ("file: {folder: var/copy}", "file: {folder: var/copy}\n  answer: true"),
            ],
            (
                f"{POSTED}:60: error: source posted waits for an answer, and 2 destinations do: copy, out "
                "(write `answer: true` to exactly one destination of the routes that take its documents)"
            ),
        ),
        (
            [
                (f"auth: {KEY}", f"reply: sync, auth: {KEY}"),
                ("file: {folder: var/out}", "file: {folder: var/out}\n  answer: true"),
            ],
            None,
        ),
    ],
)
def test_what_is_wrong_with_a_listener(said: Said, replacements: list[tuple[str, str]], finding: str | None) -> None:
    found = said(*replacements)
    assert (finding in found) if finding is not None else found == [], found
