"""What each trusted issuer says of itself, and the keys that it signs with."""

import asyncio
from collections import OrderedDict
from urllib.parse import urlsplit

import httpx2
from joserfc.jwk import Key
from pydantic import BaseModel, ConfigDict, ValidationError

from service.chassis.application.answers import BoundedTransport
from service.chassis.application.keeping import Kept, Patience, Refused
from service.chassis.application.key_sets import Keys, keys_for
from service.chassis.errors import Unavailable
from service.chassis.telemetry.logs import log_failure

MOST_ISSUERS = 1_000
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Metadata(BaseModel):
    """The part of a discovery document that we use."""

    model_config = ConfigDict(frozen=True, strict=True)
    issuer: str
    jwks_uri: str
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    code_challenge_methods_supported: list[str] = ["S256"]
    authorization_response_iss_parameter_supported: bool = False

    def addresses(self) -> list[str]:
        given = (self.authorization_endpoint, self.token_endpoint, self.userinfo_endpoint)
        return [self.jwks_uri, *filter(None, given)]


class Issuer:
    """One issuer: its metadata and its keys, refreshed in the background and on rotation."""

    def __init__(
        self,
        url: str,
        algorithm: str,
        transport: BoundedTransport,
        *,
        patience: Patience,
        production: bool,
    ) -> None:
        self.url, self.algorithm, self.transport = url, algorithm, transport
        self._production = production
        self._metadata = Kept(f"metadata of {url}", self._discover, patience)
        self._keys = Kept(f"keys of {url}", self._fetch_keys, patience)

    async def metadata(self) -> Metadata:
        return await self._metadata.get()

    def known_key(self, kid: str) -> Key | None:
        """From memory, for the hot path; never asks anyone."""
        keys = self._keys.known()
        return keys.get(kid) if keys is not None else None

    async def key(self, kid: str) -> Key | None:
        """A `kid` never seen may be a new key: look, but only once in a while."""
        if (known := self.known_key(kid)) is None:
            await self._keys.ask_again()
            await self._keys.get()
            known = self.known_key(kid)
        return known

    async def refresh(self) -> None:
        """What is no longer fresh; an old answer stays when there is no new one."""
        for kept in (self._metadata, self._keys):
            if not kept.fresh():
                await kept.ask_again()

    async def _discover(self) -> Metadata:
        document = await self._get(f"{self.url.rstrip('/')}/.well-known/openid-configuration")
        try:
            metadata = Metadata.model_validate_json(document)
        except ValidationError as error:
            raise Refused("the discovery document lacks something") from error
        if metadata.issuer != self.url:
            raise Refused("the discovery document is another issuer's")
        if "S256" not in metadata.code_challenge_methods_supported:
            raise Refused("the provider has no PKCE with S256")
        for address in metadata.addresses():
            self._refuse_plain(address)
        return metadata

    async def _fetch_keys(self) -> Keys:
        metadata = await self._metadata.get()
        return keys_for(self.algorithm, await self._get(metadata.jwks_uri))

    async def _get(self, url: str) -> bytes:
        self._refuse_plain(url)
        response = await self.transport.handle_async_request(httpx2.Request("GET", url))
        # A redirect is no answer: it would lead where nobody looked.
        if response.status_code != httpx2.codes.OK:
            raise Refused(f"status {response.status_code}")
        return await response.aread()

    def _refuse_plain(self, url: str) -> None:
        """Only development may speak plain HTTP, and only with itself."""
        parts = urlsplit(url)
        developing = not self._production and parts.hostname in LOOPBACK
        if parts.scheme != "https" and not (developing and parts.scheme == "http"):
            raise Refused("an address is not https")


class Issuers:
    """Every issuer that was asked so far, in memory; the one place where transports are chosen."""

    def __init__(
        self,
        *,
        production: bool,
        trusted: httpx2.AsyncBaseTransport | None = None,
        guarded: httpx2.AsyncBaseTransport | None = None,
        patience: Patience = Patience(),  # noqa: B008
    ) -> None:
        """`trusted` reaches what operators configured, `guarded` what tenants typed."""
        self.production, self._patience = production, patience
        seconds = patience.answer_seconds
        self._trusted = BoundedTransport(trusted or httpx2.AsyncHTTPTransport(), seconds)
        self._guarded = BoundedTransport(guarded, seconds) if guarded else None
        self._configured: dict[tuple[str, str], Issuer] = {}
        self._typed: OrderedDict[tuple[str, str], Issuer] = OrderedDict()

    def configured(self, url: str, algorithm: str) -> Issuer:
        """One that the operator trusts; its keys are kept fresh in the background."""
        key = (url, algorithm)
        return self._configured.setdefault(key, self._issuer(url, algorithm, self._trusted))

    def typed(self, url: str, algorithm: str) -> Issuer:
        """One that a tenant typed: a stranger's address, reached through the guarded transport."""
        if self._guarded is None:
            raise Unavailable("Identity providers of tenants are not enabled here.")
        if (issuer := self._typed.pop((url, algorithm), None)) is None:
            issuer = self._issuer(url, algorithm, self._guarded)
        self._typed[url, algorithm] = issuer
        if len(self._typed) > MOST_ISSUERS:
            self._typed.popitem(last=False)
        return issuer

    async def keep_fresh(self) -> None:
        """For as long as the service runs."""
        while True:
            asking = (issuer.refresh() for issuer in self._configured.values())
            for outcome in await asyncio.gather(*asking, return_exceptions=True):
                if isinstance(outcome, Exception):
                    log_failure("provider_refresh_crashed", outcome)
            await asyncio.sleep(self._patience.again_seconds)

    async def aclose(self) -> None:
        await self._trusted.aclose()
        if self._guarded is not None:
            await self._guarded.aclose()

    def _issuer(self, url: str, algorithm: str, transport: BoundedTransport) -> Issuer:
        return Issuer(
            url, algorithm, transport, patience=self._patience, production=self.production
        )
