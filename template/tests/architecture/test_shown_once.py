"""No answer that holds a secret is kept for a retry: who reads the database would read it."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import TypeAdapter

from service.chassis.app import Service, create_app
from service.chassis.contract.guards import Route, allow, routes_of
from service.chassis.contract.idempotency import UNSAFE
from service.chassis.contract.shapes import Shown
from service.chassis.identity import Action, Permission
from service.chassis.settings import Settings

# As the last word of a field's name; `public_key` is none.
SECRET = {"codes", "key", "keys", "passphrase", "password", "secret", "secrets", "token", "tokens"}
PUBLIC = ("public_", "next_")


def fields(schema: Any) -> set[str]:
    """Of the answer and of all that is inside it."""
    if isinstance(schema, list):
        return set().union(*map(fields, schema))
    if not isinstance(schema, dict):
        return set()
    return set(schema.get("properties", ())) | fields(list(schema.values()))


def secrets_in(answer: Any) -> set[str]:
    if answer is None:
        return set()
    names = fields(TypeAdapter(answer).json_schema(mode="serialization"))
    return {n for n in names if n.rpartition("_")[2] in SECRET and not n.startswith(PUBLIC)}


def kept(route: Route) -> bool:
    """Only under a permission has a key an effect."""
    known = isinstance(route.access, Permission)
    return known and route.method in UNSAFE and not route.unstored


async def test_no_answer_with_a_secret_is_kept(app: Service) -> None:
    routes = list(routes_of(app))
    told = {f"{r.method} {r.path}": secrets_in(r.answer) for r in routes if kept(r)}
    assert {route: found for route, found in told.items() if found} == {}
    shown = {f"{r.method} {r.path}" for r in routes if r.unstored and secrets_in(r.answer)}
    new = {"POST /v1/account/totp", "POST /v1/account/totp/confirm", "POST /v1/api-keys"}
    assert shown >= new


def test_an_answer_with_a_secret_is_noticed(settings: Settings) -> None:
    class Inner(Shown):
        recovery_codes: list[str]
        public_key: str

    class Outer(Shown):
        inner: list[Inner]

    router = APIRouter(prefix="/vault")

    @router.post("")
    async def opened(_: Annotated[Any, allow("vault", Action.WRITE)]) -> Outer:
        return Outer(inner=[])

    (route,) = (r for r in routes_of(create_app(settings, [router])) if r.path == "/v1/vault")
    assert kept(route)
    assert secrets_in(route.answer) == {"recovery_codes"}
