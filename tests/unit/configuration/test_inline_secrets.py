"""Every spelling of a secret that is written out, with the plug-ins as they are; and credentials that travel in the
clear."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hub.app.plugin_discovery import discover
from hub.configuration.check import check_site
from hub.core.options.secret_names import is_secret_key
from hub.core.plugin import WRITE_ONLY

ENVIRON = {"S": "0123456789abcdef", "URL": "https://erp.example"}
INLINE = [
    "a: {rest: {base: 'https://h', auth: {bearer: hunter22}}}",
    "a: {rest: {base: 'https://h', auth: {bearer: 'x${S}'}}}",
    "a: {rest: {base: 'https://h', auth: {bearer: '${S:-hunter22}'}}}",
    "a:\n  rest:\n    base: https://h\n    auth:\n      bearer: |\n        hunter22\n",
    "a:\n  rest:\n    base: https://h\n    auth:\n      bearer: >-\n        hunter22\n        ${S}\n",
    "a: {rest: {base: 'https://h', auth: {basic: {user: u, password: hunter22}}}}",
    "a: {rest: {base: 'https://h', auth: {header: {name: X-Key, secret: hunter22}}}}",
    "a: {rest: {base: 'https://h', auth: {oauth2: {token_url: 'https://h/t', client_id: c, client_secret: hunter22}}}}",
    "a: {rest: {base: 'https://h', tls: {certificate: c.pem, key: k.pem, passphrase: hunter22}}}",
    "a: {rest: {base: 'https://u:hunter22@h'}}",
    "a: {rest: {base: 'https://u:${S:-hunter22}@h'}}",
    "a: {rest: {base: 'https://u:hunter22${S}@h'}}",
    "a: {rest: {base: 'https://u:hun@ter22@h'}}",
    "a: {rest: {base: 'https://h/x?api_key=hunter22'}}",
    "a: {rest: {base: 'https://h/x?sv=1&sig=hunter22'}}",
    "a: {rest: {base: 'https://h/x?accessToken=hunter22'}}",
    "a: {sftp: {host: h, user: u, password: hunter22, host_key: x}}",
    "a: {sftp: {host: h, user: u, key: k, passphrase: hunter22, host_key: x}}",
    "a: {mail: {host: h, user: u, password: hunter22}}",
    "a: {soap: {wsdl: w.wsdl, security: {user: u, password: hunter22}}}",
    "a: {amqp: {url: 'amqps://u:hunter22@h/'}}",
    "a: {bridge: {url: 'redis://:hunter22@h/0'}}",
    "a: {bridge: {url: 'sqs://', options: {aws_secret_access_key: hunter22}}}",
    "a: {bridge: {url: 'sqs://', options: {secretKey: hunter22}}}",
    "a: {store: {url: 's3://b', options: {secret: hunter22}}}",
    "a: {store: {url: 's3://b', options: {client_kwargs: {aws_session_token: hunter22}}}}",
    "a: {store: {url: 'abfs://b', options: {account_key: hunter22}}}",
    "a: {store: {url: 'abfs://b', options: {connection_string: 'AccountName=a;AccountKey=hunter22;'}}}",
    "a: {store: {url: 'abfs://b', options: {dsn: 'AccountName=a;AccountKey=hunter22;'}}}",
    "a: {store: {url: 'sftp://h', options: {pkey: '-----BEGIN OPENSSH PRIVATE KEY-----'}}}",
]
IN_ROUTES = [
    "http: {endpoint: web, path: /in, auth: {api_key: {ACME: hunter2hunter2hunter2}}}",
    "http: {endpoint: web, path: /in, auth: {api_key: {file: hunter2hunter2hunter2}}}",
    "http: {endpoint: web, path: /in, auth: {hmac: {secret: {user: hunter2hunter2hunter2}}}}",
    "http: {endpoint: web, path: /in, auth: {basic: {ACME: {password: hunter22}}}}",
    "sftp_server: {accounts: {acme: {password: hunter22}}}",
    "soap: {endpoint: web, path: /in, wsdl: w.wsdl, security: {users: {ACME: {password: hunter22}}}}",
    "rest: {endpoint: erp, call: 'GET /orders?api_key=hunter22', every: 1m}",
    "rest: {endpoint: erp, call: GET /orders, headers: {Authorization: Bearer hunter22}, every: 1m}",
    "rest: {endpoint: erp, call: GET /orders, headers: {X-Something: Bearer hunter22}, every: 1m}",
    "rest: {endpoint: erp, call: GET /orders, headers: {Ocp-Apim-Subscription-Key: hunter22}, every: 1m}",
]
FINE = [
    "a: {rest: {base: '${URL}', auth: {bearer: '${S}'}}}",
    "a: {rest: {base: 'https://u:${S}@h/x?page=1&token=${S}'}}",
    (
        "a: {rest: {base: 'https://h:8443/@x', auth: {oauth2: {token_url: 'https://h/token', client_id: c,"
        " client_secret: '${S}', send_secret: body}}}}"
    ),
    "a: {store: {url: 's3://b', options: {key: '${S}', secret: '${S}', client_kwargs: {region_name: eu}}}}",
    "a: {amqp: {url: 'amqps://u:${S}@h/'}}",
]
FINE_IN_ROUTES = [
    (
        "rest: {endpoint: erp, call: 'GET /orders?token={number}', headers: {Authorization: 'Bearer ${S}'}, next:"
        " {token: /next, parameter: page}, every: 1m, items: /items}"
    ),
    "soap: {endpoint: web, path: /in, wsdl: w.wsdl, before_token: 32KB, security: {users: {ACME: {password: '${S}'}}}}",
]


def secrets_found(endpoints: str, source: str = "") -> list[str]:
    routes = f"format: 1\nowner: desk\nsources:\n  in:\n    {source}\n    read: {{json: order@1}}\n" if source else ""
    files = {"config/endpoints.yaml": endpoints.encode(), **({"routes/a.yaml": routes.encode()} if routes else {})}
    found = [str(one) for one in check_site(files, discover(), ENVIRON, lambda name: True).findings]
    assert "hunter2" not in "".join(found)
    return [one for one in found if "by reference" in one]


@pytest.mark.parametrize("endpoint", INLINE)
def test_a_secret_of_an_endpoint_that_is_written_out_is_found(endpoint: str) -> None:
    assert secrets_found(endpoint), endpoint


@pytest.mark.parametrize("source", IN_ROUTES)
def test_a_secret_of_a_source_that_is_written_out_is_found(source: str) -> None:
    assert secrets_found("erp: {rest: {base: 'https://h'}}\nweb: {http: {}}\n", source), source


@pytest.mark.parametrize("endpoint", FINE)
def test_references_and_what_only_sounds_like_a_secret_are_fine(endpoint: str) -> None:
    assert secrets_found(endpoint) == []


@pytest.mark.parametrize("source", FINE_IN_ROUTES)
def test_references_of_sources_are_fine(source: str) -> None:
    assert secrets_found("erp: {rest: {base: 'https://h'}}\nweb: {http: {}}\n", source) == []


def fields(model: type[BaseModel], seen: tuple[type, ...] = ()) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        yield name, field
        for inner in models_in(field.annotation):
            if inner not in seen:
                yield from fields(inner, (*seen, inner))


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def test_every_option_that_sounds_like_a_secret_says_whether_it_is_one() -> None:
    silent = [
        f"{kind} {plugin.name}: {name}"
        for kind, plugins in discover().by_kind.items()
        for plugin in plugins.values()
        for name, field in fields(plugin.options)
        if is_secret_key(name)
        and not (isinstance(field.json_schema_extra, dict) and WRITE_ONLY in field.json_schema_extra)
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"endpoints": "a: {rest: {base: 'http://erp.example', auth: {bearer: '${S}'}}}"},
            "in the clear to erp.example",
        ),
        ({"endpoints": "a: {rest: {base: 'http://127.0.0.1:1', auth: {bearer: '${S}'}}}"}, ""),
        ({"endpoints": "a: {rest: {base: 'http://erp.example'}}"}, ""),
        (
            {
                "endpoints": (
                    "a: {rest: {base: 'https://h', auth: {oauth2: {token_url: 'http://idp.example/t', client_id: c,"
                    " client_secret: '${S}'}}}}"
                )
            },
            "in the clear to idp.example",
        ),
        ({"endpoints": "a: {amqp: {url: 'amqp://u:${S}@rabbit.example/'}}"}, "in the clear to rabbit.example"),
        ({"endpoints": "a: {bridge: {url: 'redis://:${S}@redis.example/0'}}"}, "in the clear to redis.example"),
        ({"endpoints": "a: {store: {url: 'ftp://u:${S}@files.example/x'}}"}, "in the clear to files.example"),
        (
            {"endpoints": "a: {store: {url: 's3://b', options: {secret: '${S}', endpoint_url: 'http://s3.example'}}}"},
            "in the clear to s3.example",
        ),
        ({"hub": "amqp: 'amqp://u:${S}@rabbit.example/'"}, "in the clear to rabbit.example"),
        ({"hub": "console: {listen: '0.0.0.0:8025'}"}, "nobody has to prove who it is"),
        ({"hub": "console: {listen: '[::1]:8025'}"}, ""),
        ({"endpoints": "a: {http: {public: 'https://edi.example'}}"}, "trusted_proxies"),
        ({"endpoints": "a: {http: {public: 'https://edi.example', trusted_proxies: []}}"}, ""),
    ],
)
def test_what_strangers_may_read_is_a_warning(tmp_path: Path, files: dict[str, str], told: str) -> None:
    content = {f"config/{name}.yaml": text.encode() for name, text in files.items()}
    checked = check_site(content, discover(), ENVIRON, lambda name: True, folder=tmp_path)
    assert [str(one) for one in checked.errors] == []
    warnings = [str(one) for one in checked.warnings if "is used by nothing" not in str(one)]
    assert [told in warning for warning in warnings] == ([True] if told else []), warnings
