"""In development the routes can be read about; in production there is no map for strangers."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from callers import Client
from service.chassis.app import Service, create_app
from service.chassis.contract.api_page import page
from service.chassis.settings import Settings
from service.product import FEATURES

MAPS = [
    *("/docs", "/docs/", "/openapi.json", "/redoc", "/docs/oauth2-redirect", "/metrics", "/debug"),
    *("/v1/openapi.json", "/.env", "/debug/pprof", "/console", "/admin", "/__debug__/"),
]


@pytest.fixture
def public_client(settings: Settings, app: Service) -> Client:
    """What a stranger meets at the public port of production."""
    service = settings.service.model_copy(update={"environment": "production"})
    production = create_app(settings.model_copy(update={"service": service}), FEATURES)
    production.state.given = app.state.given
    return Client(production, None)


@pytest.mark.case("V-14")
@pytest.mark.parametrize("path", MAPS)
async def test_production_shows_strangers_no_map(public_client: Client, path: str) -> None:
    assert (await public_client.get("/livez")).status_code == 200
    assert (await public_client.get(path)).status_code == 404


@pytest.mark.case("V-14")
@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "DEBUG", "PROPFIND"])
async def test_a_method_that_mirrors_or_probes_gets_nothing_back(
    public_client: Client, method: str
) -> None:
    for path, status in (("/livez", 405), ("/nothing", 404)):
        answer = await public_client.request(method, path, headers={"x-secret": "mirrored"})
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert "mirrored" not in answer.text


class Reader(HTMLParser):
    """What a browser would load, run or follow, and the tags that are still open."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.ids: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "link", "img", "iframe", "form", "object", "base"}:
            self.loaded.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            if name == "href":
                self.anchors.add(value or "")
            assert not name.startswith("on")

    def handle_data(self, data: str) -> None:
        self.text += data


async def test_every_route_and_shape_can_be_read_about_without_the_internet(
    ana: Client,
) -> None:
    answer, document = await ana.get("/docs"), (await ana.get("/openapi.json")).json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    reader = Reader()
    reader.feed(answer.text)
    assert reader.loaded == []
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in reader.text
    assert set(document["components"]["schemas"]) <= reader.ids
    links = {link.removeprefix("#") for link in reader.anchors if link.startswith("#")}
    assert links
    assert links <= reader.ids
    assert not [link for link in reader.anchors if link.startswith(("http", "//"))]
    assert "const alive" in reader.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src ")


def test_what_a_document_says_is_shown_and_never_run() -> None:
    evil = "<script>alert(1)</script>'\" onload="
    schema = {"type": evil, "format": evil}
    document = {
        "info": {"title": evil, "version": evil, "description": evil},
        "paths": {
            f"/{evil}": {
                "get": {
                    "summary": evil,
                    "description": evil,
                    "parameters": [{"name": evil, "in": evil, "schema": schema}],
                    "requestBody": {"content": {evil: {"schema": schema}}},
                    "responses": {evil: {"description": evil}},
                }
            }
        },
        "components": {
            "schemas": {evil: {"properties": {evil: {"$ref": f"#/{evil}", "description": evil}}}}
        },
    }
    shown = page(document)
    reader = Reader()
    reader.feed(shown)
    assert reader.loaded == []
    assert shown.count("alert(1)") == unescape(shown).count("alert(1)") > 10
    assert not re.search(r"<script", shown)
