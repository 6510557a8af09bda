"""An identity provider (OpenID Connect) of this machine that vouches for whomever a test names, without asking."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CLIENT, SECRET = "socml", "a client's secret"


@dataclass
class Provider:
    """Where it is, and what it says of whoever comes: the claims of its next tokens."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)


@contextmanager
def oidc_provider() -> Iterator[Provider]:
    """Serve until the block ends: discovery, consent (given at once), tokens signed with a key of its own."""
    provider, key, nonces = Provider(), rsa.generate_private_key(65537, 2048), {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            if path == "/authorize":
                code = f"code{len(nonces)}"
                nonces[code] = query.get("nonce", [""])[0]
                back = {"code": code, "state": query["state"][0]}
                self.answer({}, 302, f"{query['redirect_uri'][0]}?{urlencode(back)}")
            else:
                self.answer(_metadata(provider.url) if path.startswith("/.well-known") else {"keys": [_public(key)]})

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            now = int(time.time())
            claims = {"iss": provider.url, "aud": CLIENT, "sub": "s1", "iat": now, "exp": now + 600}
            claims |= {"nonce": nonces[form["code"][0]], **provider.claims}
            self.answer({"access_token": "a", "token_type": "Bearer", "id_token": _signed(claims, key)})

        def answer(self, body: dict[str, Any], status: int = 200, location: str = "") -> None:
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()


def _metadata(url: str) -> dict[str, Any]:
    return {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "jwks_uri": f"{url}/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def _public(key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    parts = {"n": numbers.n, "e": numbers.e}
    texts = {name: _base64(value.to_bytes((value.bit_length() + 7) // 8, "big")) for name, value in parts.items()}
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k1", **texts}


def _signed(claims: dict[str, Any], key: rsa.RSAPrivateKey) -> str:
    parts = [{"alg": "RS256", "kid": "k1"}, claims]
    text = ".".join(_base64(json.dumps(part).encode()) for part in parts)
    return f"{text}.{_base64(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
