"""The only way to call an address that a user gave.

A name is resolved once, all of its addresses must be public, and the connection goes to the one
that was checked: whatever the name means a moment later, nobody asks it again.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import httpx2

from service.chassis.application.reach import Reach
from service.chassis.errors import AddressRefused, AddressUnreachable
from service.chassis.intelligence.gateway import transaction_is_open
from service.chassis.settings import about

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

PORTS = {"https": 443, "http": 80}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 3
MAX_URL = 2048
# The same words for a name that is unknown and for one that is ours: neither is to be learnt.
NOT_PUBLIC = "The address must lead to a public place on the internet."


class CalledInTransaction(RuntimeError):
    """A stranger may take seconds; inside a transaction that would hold a connection."""


@dataclass(frozen=True)
class Bounds:
    seconds: float = 10.0
    head_bytes: int = 16_384
    body_bytes: int = 1_000_000
    connections: int = 20


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class _Call:
    method: str
    url: httpx2.URL
    headers: Mapping[str, str]
    body: bytes = b""

    def redirected_to(self, location: str) -> "_Call":
        """What the caller sent along was for the first origin only."""
        url = _parsed(location, self.url)
        same = _origin(url) == _origin(self.url)
        return replace(self, url=url, headers=self.headers if same else {})


async def ask_the_system(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=1)
    return [str(address[0]) for *_, address in found]


@cache
def _own_headers() -> dict[str, str]:
    # No compression: a small answer could unpack into an endless one.
    return {"user-agent": about().name, "accept-encoding": "identity"}


class Outbound:
    """Calls strangers, and believes nothing of what they say about themselves."""

    def __init__(
        self,
        reach: Reach | None = None,
        bounds: Bounds | None = None,
        *,
        resolve: Resolve = ask_the_system,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._reach = reach or Reach()
        self._bounds = bounds or Bounds()
        self._resolve = resolve
        # A transport and no client: it has no proxies, cookies or passwords to bring along. And
        # no connection is kept: the next call could be to another name at the same address.
        self._transport = httpx2.AsyncHTTPTransport(
            verify=tls or True,
            trust_env=False,
            limits=httpx2.Limits(
                max_connections=self._bounds.connections, max_keepalive_connections=0
            ),
        )

    async def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, redirects: int = 0
    ) -> Answer:
        """Follows up to `redirects` (three at most), each checked like the first address."""
        call = _Call("GET", _parsed(url), headers or {})
        return await self._within_bounds(call, min(redirects, MAX_REDIRECTS))

    async def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Never follows a redirect: the body was meant for this address."""
        return await self._within_bounds(_Call("POST", _parsed(url), headers or {}, body), 0)

    async def check(self, url: str) -> None:
        """For a form that takes an address. No permission: each call checks again."""
        await self._checked(_parsed(url))

    async def close(self) -> None:
        await self._transport.aclose()

    async def _within_bounds(self, call: _Call, redirects: int) -> Answer:
        if transaction_is_open.get():
            raise CalledInTransaction("leave the transaction before calling a stranger")
        try:
            async with asyncio.timeout(self._bounds.seconds):
                return await self._followed(call, redirects)
        except (TimeoutError, httpx2.TransportError) as error:
            raise AddressUnreachable("The address did not answer as it should.") from error

    async def _followed(self, call: _Call, redirects: int) -> Answer:
        answer = await self._answered(call)
        location = answer.headers.get("location")
        if not redirects or answer.status not in REDIRECTS or location is None:
            return answer
        return await self._followed(call.redirected_to(location), redirects - 1)

    async def _answered(self, call: _Call) -> Answer:
        pinned = await self._checked(call.url)
        headers = httpx2.Headers(call.headers)
        headers.update(_own_headers())
        request = httpx2.Request(call.method, call.url, headers=headers, content=call.body)
        request.url = call.url.copy_with(host=pinned)
        request.extensions = {"sni_hostname": call.url.raw_host.decode("ascii")}
        response = await self._transport.handle_async_request(request)
        try:
            return Answer(response.status_code, response.headers, await self._bounded(response))
        finally:
            await response.aclose()

    async def _checked(self, url: httpx2.URL) -> str:
        """The address to connect to, if every address of that name may be called."""
        port = _port(url)
        if url.scheme not in self._reach.schemes or port not in self._reach.ports:
            raise AddressRefused("The address must start with https:// and name no other port.")
        if url.userinfo or not url.host:
            raise AddressRefused("The address must name a host, and hold no password.")
        try:
            addresses = await self._resolve(url.raw_host.decode("ascii"), port)
        except (OSError, UnicodeError):
            addresses = ()
        if not addresses or not all(map(self._reach.covers, addresses)):
            raise AddressRefused(NOT_PUBLIC)
        return addresses[0]

    async def _bounded(self, response: httpx2.Response) -> bytes:
        head = sum(len(name) + len(value) for name, value in response.headers.raw)
        if head > self._bounds.head_bytes or "content-encoding" in response.headers:
            raise AddressUnreachable("The address answers with headers that are not accepted.")
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > self._bounds.body_bytes:
                raise AddressUnreachable("The address answers with more than is accepted.")
        return bytes(body)


def _parsed(url: str, base: httpx2.URL | None = None) -> httpx2.URL:
    if len(url) > MAX_URL:
        raise AddressRefused("The address is too long.")
    try:
        return base.join(url) if base else httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        raise AddressRefused("This is no address that can be called.") from None


def _port(url: httpx2.URL) -> int | None:
    return PORTS.get(url.scheme) if url.port is None else url.port


def _origin(url: httpx2.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, _port(url)
