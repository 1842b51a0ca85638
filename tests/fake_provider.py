"""An OpenID provider on loopback: real HTTP, real keys; as honest or as hostile as a test wants it."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "robot", "a secret of the robot's"
Claims = dict[str, Any]


def part(content: Any) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class FakeProvider:
    """`person` says who sits at its sign-in page; `twist` may spoil the claims, `sign` the token, `serve` an answer."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        self.kid = "first"
        self.person: Claims = {"sub": "s-1", "email": "ann@example.com", "email_verified": True}
        self.issuer = ""
        self.twist: Callable[[Claims], Claims] = lambda claims: claims
        self.sign: Callable[[Claims], str] = self.honestly
        self.delay: dict[str, float] = {}
        self.broken: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []
        self.questions: dict[str, dict[str, str]] = {}
        self.extra: Claims = {}
        self.answer: dict[str, str] = {}

    def honestly(self, claims: Claims) -> str:
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.kid})

    def unsigned(self, claims: Claims) -> str:
        return f"{part({'alg': 'none', 'kid': self.kid})}.{part(claims)}."

    def with_the_public_key_as_secret(self, claims: Claims) -> str:
        pem = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        body = f"{part({'alg': 'HS256', 'kid': self.kid})}.{part(claims)}"
        return f"{body}.{part(hmac.new(pem, body.encode(), hashlib.sha256).digest())}"

    def by_a_stranger(self, claims: Claims) -> str:
        stranger = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        return jwt.encode(claims, stranger, algorithm="RS256", headers={"kid": self.kid})

    def with_new_key(self) -> None:
        self.key, self.kid = rsa.generate_private_key(public_exponent=65_537, key_size=2_048), secrets.token_hex(4)

    def claims(self, **more: Any) -> Claims:
        now = int(time.time())
        return {"iss": self.issuer, "sub": self.person["sub"], "aud": CLIENT, "iat": now, "exp": now + 300} | more

    def access_token(self, **more: Any) -> str:
        return self.honestly(self.claims(**more))

    def description(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/logout",
        } | self.extra

    def public_keys(self) -> Claims:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [public | {"kid": self.kid, "use": "sig", "alg": "RS256"}]}

    def authorized(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to; nobody is asked for a password."""
        code = secrets.token_urlsafe(8)
        self.questions[code] = query
        words = {"code": code, "state": query["state"]} | self.answer
        return f"{query['redirect_uri']}?{urlencode(words)}"

    def token(self, form: dict[str, str], basic: str) -> tuple[int, Claims]:
        asked = self.questions.pop(form.get("code", ""), None)
        if asked is None or basic != base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode():
            return 400, {"error": "invalid_grant"}
        proof = part(hashlib.sha256(form["code_verifier"].encode()).digest())
        if asked["code_challenge"] != proof or asked["redirect_uri"] != form["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        claims = self.twist(self.claims(nonce=asked["nonce"]) | self.person)
        return 200, {"id_token": self.sign(claims), "access_token": "opaque", "token_type": "Bearer"}


class Desk(BaseHTTPRequestHandler):
    provider: FakeProvider

    def do_GET(self) -> None:
        self.serve({})

    def do_POST(self) -> None:
        self.serve(plain(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))

    def serve(self, form: dict[str, str]) -> None:
        provider, parts = self.provider, urlsplit(self.path)
        name = parts.path.rsplit("/", 1)[-1]
        provider.asked.append(name)
        time.sleep(provider.delay.get(name, 0))
        if name in provider.broken:
            return self.answer(*provider.broken[name])
        if name == "authorize":
            return self.redirect(provider.authorized(plain(parts.query)))
        if name == "logout":
            return self.answer(200, b"<!doctype html><title>Signed out</title>")
        status, body = (
            200,
            {
                "openid-configuration": provider.description,
                "keys": provider.public_keys,
                "userinfo": lambda: provider.person,
                "token": lambda: provider.token(form, self.headers.get("Authorization", "").removeprefix("Basic ")),
            }[name](),
        )
        if name == "token":
            status, body = body
        self.answer(status, json.dumps(body).encode())

    def redirect(self, address: str) -> None:
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if body.startswith(b"<") else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: Any) -> None:
        """Tests need no access log."""


def plain(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


@contextmanager
def running_provider() -> Iterator[FakeProvider]:
    provider = FakeProvider()
    desk = type("DeskOfThis", (Desk,), {"provider": provider})
    server = ThreadingHTTPServer(("127.0.0.1", 0), desk)
    server.daemon_threads = True
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
