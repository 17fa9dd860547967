"""A provider on a real socket that does whatever a test tells it to: the far edge, gone bad.

It starts honest. A test then changes what it publishes, signs or answers.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from chassis.sign_in.browser import parameters
from joserfc import jwt
from joserfc.jwk import ECKey, Key

Answer = tuple[int, bytes, float]


def new_key(kid: str = "k1") -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})


@dataclass
class Hostile:
    """`claims`, `header`, `metadata` and `answers` override what an honest provider says."""

    issuer: str
    keys: list[ECKey] = field(default_factory=lambda: [new_key()])
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Callable[[], Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[dict[str, str]] = field(default_factory=list)
    question: dict[str, str] = field(default_factory=dict)

    def reset(self) -> None:
        """Honest again, and without a memory. What it publishes stays: others remember that."""
        for told in (self.claims, self.header, self.answers, self.question):
            told.clear()
        self.asked.clear()
        self.bodies.clear()

    def approve(self, address: str, **more: str) -> str:
        """As if a person had agreed at `address`: where the browser is sent back to."""
        self.question = parameters(address)
        back = {"code": "a-code", "state": self.question["state"], "iss": self.issuer, **more}
        return f"{self.question['redirect_uri']}?{urlencode(back)}"

    def published(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }

    def signed(self, key: Key | None = None) -> str:
        now = int(time.time())
        honest = {
            "iss": self.issuer,
            "aud": "service",
            "sub": "mallory",
            "iat": now,
            "exp": now + 300,
            "nonce": self.question.get("nonce", ""),
            "email": "mallory@example.com",
            "email_verified": True,
            **self.claims,
        }
        claims = {name: value for name, value in honest.items() if value is not None}
        header = {"alg": "ES256", "kid": "k1", **self.header}
        return jwt.encode(header, claims, key or self.keys[0], algorithms=[header["alg"]])

    def answer(self, path: str, body: str) -> Answer:
        self.asked.append(path)
        if body:
            self.bodies.append({name: said[0] for name, said in parse_qs(body).items()})
        if path in self.answers:
            return self.answers[path]()
        if path == "/.well-known/openid-configuration":
            return shown(self.published())
        if path == "/jwks":
            return shown({"keys": [key.as_dict(private=False) for key in self.keys]})
        if path == "/token":
            token = {"access_token": "opaque", "token_type": "Bearer", "id_token": self.signed()}
            return shown(token)
        return 404, b"", 0


def shown(document: Any, status: int = 200, after_seconds: float = 0) -> Answer:
    return status, json.dumps(document).encode(), after_seconds


@asynccontextmanager
async def hostile(port: int = 0) -> AsyncGenerator[Hostile]:
    """On a free port of loopback, or on one that it had before."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = head.partition("content-length:")[2].partition("\r\n")[0].strip()
            body = (await reader.readexactly(int(length or 0))).decode()
            status, content, seconds = provider.answer(urlsplit(head.split()[1]).path, body)
            # Until then, or until the other side hangs up.
            with suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1), seconds)
            kind = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n"
            writer.write(f"{kind}content-length: {len(content)}\r\n\r\n".encode() + content)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            """The other side had enough."""
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    provider = Hostile(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    async with server:
        yield provider
