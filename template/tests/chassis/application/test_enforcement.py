"""The guard and the use case each refuse alone: a mistake in one opens no door."""

import ast
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import pytest
from chassis.application.acting import tenancy_of
from fastapi import APIRouter

from callers import Client, Person
from service.chassis.app import Service, create_app
from service.chassis.application import (
    api_keys,
    audit,
    audit_export,
    members,
    session_control,
)
from service.chassis.application.tenancy import Tenancy
from service.chassis.contract.guards import allow
from service.chassis.errors import Forbidden, NotFound, SignInAgain
from service.chassis.identity import FRESH_SECONDS, Action, Caller, Permission, Role, TenantId
from service.chassis.settings import Settings

ROOT = Path(__file__).parents[3]
SOURCES = [
    *(ROOT / "src/service/chassis/application").glob("*.py"),
    *(ROOT / "src/service/product/notes").glob("application.py"),
]
CanOnlyRead = Annotated[Tenancy, allow("members", Action.READ)]
A_DAY = timedelta(days=1)
Work = Callable[[Tenancy], Any]
ADMINISTER: dict[str, Work] = {
    "invite": lambda t: members.invite_member(t, "x@example.org", "x", Role.VIEWER),
    "change role": lambda t: members.change_role(t, uuid4(), Role.ADMIN),
    "disable": lambda t: members.disable_member(t, uuid4()),
    "enable": lambda t: members.enable_member(t, uuid4()),
    "list keys": api_keys.list_keys,
    "create key": lambda t: api_keys.create_key(t, "k", Role.VIEWER, ["notes:read"], A_DAY),
    "rotate key": lambda t: api_keys.rotate_key(t, uuid4()),
    "revoke key": lambda t: api_keys.revoke_key(t, uuid4()),
    "sign a member out": lambda t: session_control.end_sessions_of_member(t, uuid4()),
    "sign everybody out": session_control.end_all_sessions,
    "read the record": lambda t: audit.list_audit(t, 1, None),
    "verify the record": audit.verify_audit,
    "export the record": lambda t: audit_export.begin_export(t, 1, 9, "csv"),
    "read an export": lambda t: anext(audit_export.pages(t, audit_export.Export(1, 9))),
}


@pytest.mark.case("Z-04")
@pytest.mark.parametrize("work", ADMINISTER.values(), ids=ADMINISTER.keys())
async def test_an_administrative_use_case_refuses_without_any_guard(
    app: Service, acme: TenantId, work: Work
) -> None:
    for role in (Role.VIEWER, Role.EDITOR):
        with pytest.raises(Forbidden, match="needs the permission"):
            await work(await tenancy_of(app, acme, role))
    with pytest.raises(SignInAgain):
        await work(await tenancy_of(app, acme, Role.OWNER, authenticated_at=1.0))
    with pytest.raises(Forbidden, match="Only a person"):
        await work(await tenancy_of(app, acme, Role.OWNER, session_id=None))
    # An owner gets as far as the row that may not be there.
    with suppress(NotFound):
        await work(await tenancy_of(app, acme, Role.OWNER))


@pytest.mark.case("Z-04")
async def test_a_route_with_the_wrong_guard_opens_nothing(
    settings: Settings, acme: TenantId
) -> None:
    wrong = APIRouter()

    @wrong.post("/wrong")
    async def end_everybody(tenancy: CanOnlyRead) -> None:
        await session_control.end_all_sessions(tenancy)

    @wrong.post("/nothing")
    async def nothing(tenancy: CanOnlyRead) -> None:
        assert tenancy

    app = create_app(settings, [wrong])
    async with app.router.lifespan_context(app) as state:
        app.state.given = state
        viewer = Client(app, Person(app, acme, Role.VIEWER))
        assert (await viewer.post("/v1/nothing")).status_code == 200, "the guard lets it pass"
        assert (await viewer.post("/v1/wrong")).status_code == 403
        assert (await viewer.get("/v1/sessions")).status_code == 200, "and nobody is signed out"


@pytest.mark.case("Z-04")
async def test_a_guard_refuses_in_front_of_a_use_case_that_asks_for_nothing(
    settings: Settings, acme: TenantId
) -> None:
    reached: list[Tenancy] = []
    open_inside = APIRouter()

    @open_inside.post("/guarded")
    async def guarded(tenancy: Annotated[Tenancy, allow("members", Action.ADMINISTER)]) -> None:
        async with tenancy.transaction():
            reached.append(tenancy)

    app = create_app(settings, [open_inside])
    async with app.router.lifespan_context(app) as state:
        app.state.given = state
        for role, status in ((Role.VIEWER, 403), (Role.EDITOR, 403), (Role.ADMIN, 200)):
            client = Client(app, Person(app, acme, role))
            assert (await client.post("/v1/guarded")).status_code == status
    assert [tenancy.caller.role for tenancy in reached] == [Role.ADMIN]


def openings(source: Path) -> Iterator[tuple[str, int]]:
    """Where a use case opens a transaction, and how many permissions it names."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "tenancy.transaction":
            yield f"{source.name}:{node.lineno}", len(node.args)


def test_every_use_case_of_the_chassis_names_its_permission() -> None:
    found = [opening for source in SOURCES for opening in openings(source)]
    assert len(found) >= 15
    assert [place for place, named in found if named != 1] == []


class Unsure(Caller):
    """A policy that cannot answer."""

    def may(self, permission: Permission) -> bool:
        raise TimeoutError(permission)


@pytest.mark.case("Z-10")
async def test_a_policy_that_fails_denies(app: Service, acme: TenantId) -> None:
    known = await tenancy_of(app, acme, Role.OWNER)
    unsure = Unsure(**vars(known.caller))
    with pytest.raises(Forbidden, match="could not be decided"):
        unsure.require(Permission("notes", Action.READ))
    unknown: list[Any] = ["superuser", None, ["owner"]]
    for role in unknown:
        caller = Caller("x", acme, role)
        with pytest.raises(Forbidden):
            caller.require(Permission("notes", Action.READ))
    known.caller.require(Permission("notes", Action.READ))


@pytest.mark.parametrize("age", [0, FRESH_SECONDS - 5, FRESH_SECONDS + 5])
async def test_a_proof_of_who_one_is_grows_old(app: Service, acme: TenantId, age: int) -> None:
    tenancy = await tenancy_of(app, acme, Role.ADMIN)
    older = replace(tenancy.caller, authenticated_at=tenancy.caller.authenticated_at - age)
    older.require(Permission("members", Action.READ))
    fresh = nullcontext() if age < FRESH_SECONDS else pytest.raises(SignInAgain)
    with fresh:
        older.require(Permission("members", Action.ADMINISTER))
