"""Every way in which a sender proves who it is, and every way to lie about it."""

from __future__ import annotations

import base64
import hmac
import json
import ssl
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError
from yarl import URL

from adapters.http.auth_options import AuthOptions
from hub.core.errors import JournalUnavailable, TransientError
from hub.journal.journal import Journal
from tests.support.certificates import Authority
from tests.support.web import Takes, http_source

HMAC = {"hmac": {"secret": {"ACME": "acme-secret-0123456789", "BOLT": "bolt-secret-0123456789"}}}
BASIC = {"basic": {"ACME": {"password": "open:sesame"}, "BOLT": {"user": "böb", "password": "pässwört"}}}


async def post(url: str, headers: dict[str, str], body: bytes = b"{}", tls: ssl.SSLContext | None = None) -> int:
    named = {"Content-Type": "application/json", **headers}
    async with (
        aiohttp.ClientSession() as client,
        client.post(URL(url, encoded=True), data=body, headers=named, ssl=tls or True) as reply,
    ):
        assert await reply.read() is not None
        return reply.status


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


async def test_basic(tmp_path: Path, journal: Journal) -> None:
    takes = Takes()
    async with http_source(tmp_path, journal, takes, {"auth": BASIC}) as url:
        assert await post(url, basic("ACME:open:sesame")) == 202
        assert await post(url, basic("böb:pässwört")) == 202
        for wrong in ("ACME:open", "BOLT:päss", ":open:sesame", "ACME", "ACME:open:sesame\x00"):
            assert await post(url, basic(wrong)) == 401
        assert await post(url, {"Authorization": "Basic ***"}) == 401
        assert await post(url, {"Authorization": "Basic"}) == 401
        async with aiohttp.ClientSession() as client, client.post(url) as reply:
            assert reply.headers["WWW-Authenticate"] == 'Basic realm="hub", charset="UTF-8"'
    assert [arrival.partner for arrival in takes.arrivals] == ["ACME", "BOLT"]


class TestTokens:
    """Signed by somebody else, with a key that the site has the public part of."""

    KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    CURVE = ec.generate_private_key(ec.SECP256R1())

    @pytest.fixture
    def auth(self, tmp_path: Path) -> dict[str, Any]:
        keys = [
            {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.KEY.public_key())), "kid": "k1", "alg": "RS256"},
            {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.CURVE.public_key())), "kid": "k2"},
            {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.OTHER.public_key())), "kid": "k4", "use": "enc"},
            {
                **json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.OTHER.public_key())),
                "kid": "k5",
                "key_ops": ["wrapKey"],
            },
            {"kty": "oct", "kid": "k3", "k": base64.urlsafe_b64encode(b"0" * 32).decode(), "alg": "HS256"},
        ]
        (tmp_path / "config").mkdir(exist_ok=True)
        (tmp_path / "config/jwks.json").write_text(json.dumps({"keys": keys}))
        options = {"jwks": "jwks.json", "issuer": "https://id.example", "audience": "hub", "partners": {"ACME": "c-17"}}
        return {"jwt": options}

    def token(self, key: Any = None, algorithm: str | None = "RS256", kid: str = "k1", **claims: Any) -> dict[str, str]:
        told = {"iss": "https://id.example", "aud": "hub", "sub": "c-17", "exp": int(time.time()) + 60, **claims}
        told = {name: value for name, value in told.items() if value is not None}
        made = jwt.encode(told, self.KEY if key is None else key, algorithm=algorithm, headers={"kid": kid})
        return {"Authorization": f"Bearer {made}"}

    async def test_a_good_one_and_those_that_are_not(
        self, tmp_path: Path, journal: Journal, auth: dict[str, Any]
    ) -> None:
        takes, now = Takes(), int(time.time())
        async with http_source(tmp_path, journal, takes, {"auth": auth}) as url:
            assert await post(url, self.token()) == 202
            refused = {
                "expired": self.token(exp=now - 60),
                "without an end": self.token(exp=None),
                "not yet": self.token(nbf=now + 600),
                "another audience": self.token(aud="else"),
                "no audience": self.token(aud=None),
                "another issuer": self.token(iss="https://evil.example"),
                "another key": self.token(self.OTHER),
                "an unknown key": self.token(kid="k9"),
                "another key's algorithm": self.token(self.CURVE, "ES256", "k2"),
                "a shared secret of the file": self.token(b"0" * 32, "HS256", "k3"),
                "a key for encryption": self.token(self.OTHER, kid="k4"),
                "a key for wrapping keys": self.token(self.OTHER, kid="k5"),
                "nothing": {"Authorization": "Bearer "},
                "garbage": {"Authorization": "Bearer a.b.c"},
                "too long": {"Authorization": "Bearer " + "a" * 9000},
            }
            for why, headers in refused.items():
                assert await post(url, headers) == 401, why
            assert await post(url, self.token(sub="c-18")) == 403
            assert await post(url, self.token(sub=None)) == 403
        assert [arrival.partner for arrival in takes.arrivals] == ["ACME"]

    async def test_none_and_the_public_key_as_a_secret(
        self, tmp_path: Path, journal: Journal, auth: dict[str, Any]
    ) -> None:
        public = self.KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        claims = self.token()["Authorization"].split(".")[1]
        takes = Takes()
        async with http_source(tmp_path, journal, takes, {"auth": auth}) as url:
            for name in ("none", "None", "nOnE", ""):
                head = encoded({"alg": name, "typ": "JWT", "kid": "k1"})
                assert await post(url, {"Authorization": f"Bearer {head}.{claims}."}) == 401
            signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': 'k1'})}.{claims}"
            mac = base64.urlsafe_b64encode(hmac.new(public, signed.encode(), sha256).digest()).rstrip(b"=").decode()
            assert await post(url, {"Authorization": f"Bearer {signed}.{mac}"}) == 401
            embedded = {"alg": "RS256", "jwk": json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.OTHER.public_key()))}
            head = encoded(embedded)
            mac = base64.urlsafe_b64encode(b"x" * 256).decode()
            assert await post(url, {"Authorization": f"Bearer {head}.{claims}.{mac}"}) == 401
        assert takes.arrivals == []

    async def test_a_file_that_changes_is_read_again(
        self, tmp_path: Path, journal: Journal, auth: dict[str, Any]
    ) -> None:
        file = tmp_path / "config/jwks.json"
        async with http_source(tmp_path, journal, Takes(), {"auth": auth}) as url:
            assert await post(url, self.token(self.OTHER, kid="new")) == 401
            key = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.OTHER.public_key())), "kid": "new"}
            file.write_text(json.dumps({"keys": [key]}))
            assert await post(url, self.token(self.OTHER, kid="new")) == 202
            assert await post(url, self.token()) == 401
            file.write_text("{")
            assert await post(url, self.token(self.OTHER, kid="new")) == 401

    def test_no_algorithm_with_a_shared_secret_can_be_configured(self, auth: dict[str, Any]) -> None:
        for algorithm in ("HS256", "none", "NONE"):
            auth["jwt"]["algorithms"] = [algorithm]
            with pytest.raises(ValidationError):
                AuthOptions.model_validate_json(json.dumps(auth))


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class TestSignatures:
    """Webhooks."""

    def signed(
        self, body: bytes, at: float, secret: str = "acme-secret-0123456789", form: str = "{}"
    ) -> dict[str, str]:
        mac = hmac.new(secret.encode(), f"{int(at)}.".encode() + body, sha256)
        return {"X-Signature": form.format(mac.hexdigest()), "X-Timestamp": str(int(at))}

    async def test_good_ones_of_two_partners(self, tmp_path: Path, journal: Journal) -> None:
        takes, now = Takes(), time.time()
        async with http_source(tmp_path, journal, takes, {"auth": HMAC}) as url:
            assert await post(url, self.signed(b"{}", now)) == 202
            assert await post(url, self.signed(b"{}", now - 1, "bolt-secret-0123456789", "sha256={}")) == 202
            mac = hmac.new(b"acme-secret-0123456789", f"{int(now)}.".encode() + b"[1]", sha256).digest()
            told = {"X-Signature": base64.b64encode(mac).decode(), "X-Timestamp": str(int(now))}
            assert await post(url, told, b"[1]") == 202
        assert [arrival.partner for arrival in takes.arrivals] == ["ACME", "BOLT", "ACME"]

    async def test_a_large_body(self, tmp_path: Path, journal: Journal) -> None:
        takes, body = Takes(), b"x" * 900_000
        async with http_source(tmp_path, journal, takes, {"auth": HMAC}) as url:
            assert await post(url, self.signed(body, time.time()), body) == 202
        assert takes.bodies == [body]

    async def test_bad_old_and_repeated_ones(self, tmp_path: Path, journal: Journal) -> None:
        takes, now = Takes(), time.time()
        async with http_source(tmp_path, journal, takes, {"auth": HMAC}) as url:
            good = self.signed(b"{}", now)
            assert await post(url, good, b"{} ") == 401
            assert await post(url, {**good, "X-Timestamp": str(int(now) - 1)}) == 401
            assert await post(url, {"X-Signature": good["X-Signature"]}) == 401
            assert await post(url, {**good, "X-Timestamp": "soon"}) == 401
            assert await post(url, {**good, "X-Signature": "no signature at all"}) == 401
            assert await post(url, self.signed(b"{}", now - 400)) == 401
            assert await post(url, self.signed(b"{}", now + 400)) == 401
            assert await post(url, {}) == 401
            assert takes.arrivals == []
            assert await post(url, good) == 202
            assert await post(url, good) == 401
            assert await post(url, {**good, "X-Signature": good["X-Signature"].upper()}) == 401
        async with http_source(tmp_path, journal, takes, {"auth": HMAC}) as url:
            assert await post(url, good) == 401, "also after a restart"
        assert len(takes.arrivals) == 1

    async def test_a_signature_is_good_for_one_source_alone(self, tmp_path: Path, journal: Journal) -> None:
        takes, good = Takes(), self.signed(b"{}", time.time())
        async with http_source(tmp_path, journal, takes, {"auth": HMAC}, name="first") as url:
            assert await post(url, good) == 202
        longer = {"hmac": {**HMAC["hmac"], "window": "1h"}}
        async with http_source(tmp_path, journal, takes, {"auth": longer, "path": "/other"}, name="second") as url:
            assert await post(url, good) == 401
        assert len(takes.arrivals) == 1

    async def test_a_signature_of_the_whole_request_fits_one_address(self, tmp_path: Path, journal: Journal) -> None:
        takes, at = Takes(), str(int(time.time()))
        whole = {"hmac": {**HMAC["hmac"], "covers": "request"}, "trusted": True}

        def signed(begin: str) -> dict[str, str]:
            mac = hmac.new(b"acme-secret-0123456789", f"{begin}.{{}}".encode(), sha256)
            return {"X-Signature": mac.hexdigest(), "X-Timestamp": at}

        async with http_source(tmp_path, journal, takes, {"auth": whole, "path": "/in/{region}"}) as url:
            path = "/in/n%C3%B6rth?shop=1%2C2"
            url = url.replace("/in/{region}", "")
            assert await post(url + path, signed(f"{at}.POST.{path}")) == 202
            assert await post(url + "/in/south?shop=1%2C2", signed(f"{at}.POST.{path}")) == 401
            assert await post(url + path, signed(f"{at}.PUT.{path}")) == 401
            assert await post(url + path, signed(at)) == 401
        assert len(takes.arrivals) == 1

    async def test_a_signature_whose_request_was_not_taken_may_come_again(
        self, tmp_path: Path, journal: Journal
    ) -> None:
        takes, good = Takes(), self.signed(b"{}", time.time())
        async with http_source(tmp_path, journal, takes, {"auth": HMAC}) as url:
            takes.error = TransientError("the broker is away", "unreachable")
            assert await post(url, good) == 503
            takes.error = None
            assert await post(url, good) == 202


async def test_client_certificates(tmp_path: Path, journal: Journal) -> None:
    authority, stranger = Authority(tmp_path / "ca"), Authority(tmp_path / "other")
    certificate, key = authority.server()
    tls = {"certificate": str(certificate), "key": str(key), "client_ca": str(authority.file)}
    takes = Takes()

    def client(*pair: Path) -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(authority.file))
        if pair:
            made.load_cert_chain(*pair)
        return made

    async with http_source(tmp_path, journal, takes, {"auth": {"mtls": {"ACME": "acme.example"}}}, tls=tls) as url:
        url = url.replace("127.0.0.1", "localhost")
        assert await post(url, {}, tls=client(*authority.client("acme.example"))) == 202
        assert await post(url, {}, tls=client(*authority.client("bolt.example"))) == 403
        assert await post(url, {}, tls=client()) == 401
        with pytest.raises(aiohttp.ClientError):
            await post(url, {}, tls=client(*stranger.client("acme.example")))
    assert [arrival.partner for arrival in takes.arrivals] == ["ACME"]


async def test_a_system_of_our_own_speaks_for_any_partner(tmp_path: Path, journal: Journal) -> None:
    takes = Takes()
    auth = {"api_key": {"SHOP": "shop-key-0123456789"}, "trusted": True}
    async with http_source(tmp_path, journal, takes, {"auth": auth}) as url:
        assert await post(url, {"X-Api-Key": "shop-key-0123456789"}) == 202
    assert [arrival.partner for arrival in takes.arrivals] == [""]


@pytest.mark.parametrize(
    "error",
    [
        TransientError("the broker is away", "unreachable"),
        TransientError("later", "busy", 17.0),
        JournalUnavailable("the journal is away"),
    ],
)
async def test_what_can_not_be_taken_is_to_be_sent_again(tmp_path: Path, journal: Journal, error: Exception) -> None:
    takes = Takes()
    takes.error = error
    async with http_source(tmp_path, journal, takes, {"auth": BASIC}) as url:
        headers = {**basic("ACME:open:sesame"), "Idempotency-Key": "k", "Content-Type": "application/json"}
        async with aiohttp.ClientSession() as client, client.post(url, data=b"{}", headers=headers) as reply:
            assert reply.status == 503
            assert reply.headers["Retry-After"] == ("17" if getattr(error, "retry_after", None) else "5")
            assert (await reply.json())["detail"] == "nothing was taken; send it again"
        takes.error = None
        assert await post(url, headers) == 202, "the key is free again"


@pytest.mark.parametrize(
    ("auth", "wrong"),
    [
        ({}, "give at least one"),
        ({"api_key": {"ACME": "short"}}, "fewer than 16"),
        ({"api_key": {"ACME": "k" * 16, "BOLT": "k" * 16}}, "the same key"),
    ],
)
def test_options_that_are_refused(auth: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        AuthOptions.model_validate_json(json.dumps(auth))
