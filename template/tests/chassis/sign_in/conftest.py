"""Two providers that nobody here wrote, and a service that trusts them."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager

import httpx2
import pytest
from chassis.sign_in import children, installs
from chassis.sign_in.browser import HOME, Browser
from chassis.sign_in.hostile import Hostile, hostile
from fastapi import Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from callers import KEY
from service.chassis.app import Service, create_app
from service.chassis.application.issuers import Issuers
from service.chassis.application.keeping import Patience
from service.chassis.contract.identities import ExternalIdentity
from service.chassis.contract.sign_in import SignedIn, join
from service.chassis.sections import IdentitySettings
from service.chassis.settings import Settings
from service.product import FEATURES

# A test does not wait for what takes minutes in production.
IMPATIENT = Patience(fresh_seconds=0.2, again_seconds=0.05, kept_seconds=60, answer_seconds=1)
SECRET = "secret-of-the-service"
# The discard port: nothing listens there.
NOBODY = "http://127.0.0.1:9"


async def show_identity(_request: Request, identity: ExternalIdentity) -> Response:
    """Who was verified; that a session begins is shown in `test_joining.py`."""
    return JSONResponse(jsonable_encoder(identity))


def callback(key: str) -> str:
    return f"{HOME}/v1/sign-in/callback/{key}"


@pytest.fixture(scope="session")
def oidc_provider(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The issuer of npm's oidc-provider."""
    log = tmp_path_factory.mktemp("oidc-provider") / "log"
    back = [callback("panva"), callback("panva-lenient")]
    with children.running("oidc-provider", installs.oidc_provider(), back, log) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def canaille(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The issuer of PyPI's Canaille."""
    log = tmp_path_factory.mktemp("canaille") / "log"
    back = [callback("canaille"), callback("canaille-strict")]
    with children.running("canaille", installs.canaille(), back, log) as port:
        yield f"http://localhost:{port}"


@asynccontextmanager
async def serving(
    settings: Settings, signed_in: SignedIn = show_identity, **identity: object
) -> AsyncGenerator[Service]:
    """A service with these providers and issuers; tenants may add their own on loopback."""
    given = {"sealing_key": KEY[::-1], "signing_key": KEY, **identity}
    trusting = settings.model_copy(
        update={
            "identity": IdentitySettings.model_validate(given),
            "http": settings.http.model_copy(update={"public_url": HOME}),
        }
    )
    issuers = Issuers(production=False, guarded=httpx2.AsyncHTTPTransport(), patience=IMPATIENT)
    app = create_app(trusting, FEATURES, issuers=issuers, signed_in=signed_in)
    async with app.router.lifespan_context(app) as state:
        app.state.given = state
        yield app


def provider(name: str, issuer: str, **more: object) -> dict[str, object]:
    known = {"client_id": "service", "client_secret": SECRET}
    return {"name": name, "issuer": issuer, **known, **more}


@pytest.fixture(scope="session")
async def trusting(
    settings: Settings, oidc_provider: str, canaille: str
) -> AsyncGenerator[Service]:
    providers = [
        provider("panva", oidc_provider),
        provider("panva-lenient", oidc_provider, verified_email_only=False),
        provider("canaille", canaille, verified_email_only=False),
        provider("canaille-strict", canaille),
    ]
    machine = {"issuer": oidc_provider, "audience": "urn:service", "algorithm": "ES256"}
    async with serving(settings, providers=providers, issuers=[machine]) as app:
        yield app


@pytest.fixture
async def joined(settings: Settings, oidc_provider: str) -> AsyncGenerator[Browser]:
    """At a service whose sessions really begin."""
    async with serving(settings, join, providers=[provider("panva", oidc_provider)]) as app:
        browser = Browser(app)
        yield browser
        await browser.close()


@pytest.fixture
async def browser(trusting: Service) -> AsyncGenerator[Browser]:
    browser = Browser(trusting)
    yield browser
    await browser.close()


@pytest.fixture(scope="session")
async def hostiles() -> AsyncGenerator[dict[str, Hostile]]:
    """`quiet` never names itself in its answers, and says so; at `mute` nobody can sign in."""
    async with hostile() as good, hostile() as evil, hostile() as quiet, hostile() as mute:
        quiet.metadata = {"authorization_response_iss_parameter_supported": False}
        mute.metadata = {"authorization_endpoint": ""}
        yield {"good": good, "evil": evil, "quiet": quiet, "mute": mute}


@pytest.fixture(scope="session")
async def besieged(settings: Settings, hostiles: dict[str, Hostile]) -> AsyncGenerator[Service]:
    issuers = {**{name: at.issuer for name, at in hostiles.items()}, "gone": NOBODY}
    providers = [provider(name, url, algorithm="ES256") for name, url in issuers.items()]
    async with serving(settings, providers=providers) as app:
        yield app


@pytest.fixture
def good(hostiles: dict[str, Hostile]) -> Hostile:
    """Honest until a test tells it otherwise."""
    hostiles["good"].reset()
    return hostiles["good"]


@pytest.fixture
def evil(hostiles: dict[str, Hostile]) -> Hostile:
    hostiles["evil"].reset()
    return hostiles["evil"]


@pytest.fixture
async def victim(besieged: Service) -> AsyncGenerator[Browser]:
    browser = Browser(besieged)
    yield browser
    await browser.close()
