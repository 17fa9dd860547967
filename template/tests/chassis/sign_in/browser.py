"""A browser without a window: it follows redirects, keeps cookies and fills in forms."""

from collections.abc import Mapping
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit
from uuid import UUID

import httpx2

from callers import Client
from service.chassis.app import Service

HOME = "https://service.example"
MOST_PAGES = 12
# What a provider says in its own words, which nobody is to read here.
WORDS = "words-of-the-provider"


class Form(HTMLParser):
    """The first form of a page that is sent by POST, with what stands in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method", "").lower() == "post" and self.action is None:
            self._inside, self.action = True, given.get("action", "")
        elif self._inside and tag in ("input", "button") and given.get("name"):
            self.fields.setdefault(given["name"], given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"


class Browser:
    def __init__(self, app: Service) -> None:
        self.app = app
        self.service = Client(app, None)
        self.service.base_url = httpx2.URL(HOME)
        self._elsewhere = httpx2.AsyncClient(trust_env=False)

    async def close(self) -> None:
        await self._elsewhere.aclose()

    async def begin(self, tenant: UUID, provider: str) -> httpx2.Response:
        return await self.service.get(f"/v1/sign-in/{tenant}/{provider}")

    async def address(self, tenant: UUID, provider: str) -> str:
        """Where a sign-in that was begun sends this browser."""
        begun = await self.begin(tenant, provider)
        assert begun.status_code == 303, begun.text
        return begun.headers["location"]

    async def answered(self, address: str, **typed: str) -> str:
        """The address that the provider sends us back to, its pages filled in with `typed`."""
        response = await self._elsewhere.get(address)
        for _ in range(MOST_PAGES):
            if "location" in response.headers:
                address = urljoin(str(response.url), response.headers["location"])
                if address.startswith(HOME):
                    return address
                response = await self._elsewhere.get(address)
            else:
                response = await self._submit(response, typed)
        raise AssertionError(f"no way back from {response.url}: {response.text[-2000:]}")

    async def _submit(self, page: httpx2.Response, typed: Mapping[str, str]) -> httpx2.Response:
        form = Form(page.text)
        assert form.action is not None, f"{page.status_code} {page.url}: {page.text[-2000:]}"
        filled = {name: typed.get(name, value) for name, value in form.fields.items()}
        return await self._elsewhere.post(urljoin(str(page.url), form.action), data=filled)

    async def come_back(self, address: str) -> httpx2.Response:
        return await self.service.get(address)

    async def sign_in(self, tenant: UUID, provider: str, **typed: str) -> httpx2.Response:
        there = await self.address(tenant, provider)
        return await self.come_back(await self.answered(there, **typed))


def parameters(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def failed(response: httpx2.Response) -> bool:
    """A typed refusal, in our own words."""
    assert WORDS not in response.text
    assert response.headers["content-type"] == "application/problem+json"
    return (response.status_code, response.json()["code"]) == (400, "sign-in-failed")
