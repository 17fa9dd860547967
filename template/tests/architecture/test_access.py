"""Every cell of route, role, tenant, member and credential answers as people reviewed it."""

import asyncio
import re
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from uuid import uuid4

import pytest
from architecture.cells import CELLS, LISTED, PASSES, ROLES, STEPPED_UP, Cell, Maker, accesses

from callers import Client, Suspend
from service.chassis.app import Service, create_app
from service.chassis.contract.guards import Public, Route, routes_of
from service.chassis.identity import GRANTED, Permission, TenantId
from service.chassis.identity import STEPPED_UP as STEPPED_UP_IN_CODE
from service.chassis.settings import Settings
from service.product import FEATURES

AT_ONCE = 8


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def test_the_roles_are_what_was_reviewed() -> None:
    assert {role: sorted(may) for role, may in ROLES.items()} == {
        role: sorted(may) for role, may in GRANTED.items()
    }
    assert sorted(STEPPED_UP) == sorted(STEPPED_UP_IN_CODE)


@pytest.mark.case("Z-01")
def test_every_route_of_the_chassis_is_listed_with_what_it_declares(settings: Settings) -> None:
    for route in routes_of(create_app(settings, [])):
        assert named(route) in LISTED, f"review {named(route)}: it is not in access.toml"
        needs = LISTED[named(route)].partition(" by ")[0]
        declared = "public" if isinstance(route.access, Public) else str(route.access)
        assert declared == needs, f"{named(route)} declares {declared}; reviewed is {needs}"


@pytest.fixture
async def patient(settings: Settings) -> AsyncGenerator[Service]:
    """Remembers callers for as long as the matrix takes."""
    identity = settings.identity.model_copy(update={"revocation_seconds": 60})
    app = create_app(settings.model_copy(update={"identity": identity}), FEATURES)
    async with app.router.lifespan_context(app) as state:
        app.state.given = state
        yield app


@pytest.mark.case("Z-01", "Z-04")
async def test_every_cell_answers_as_reviewed(
    patient: Service,
    acme: TenantId,
    rival: TenantId,
    suspend: Suspend,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    routes = accesses(list(routes_of(patient)))
    maker, stranger = Maker(patient, _scopes(patient)), Client(patient, None)
    made = {False: await maker.credentials(acme), True: await maker.credentials(rival)}
    await suspend(rival)
    wrong: list[str] = []
    for route, access in routes.items():
        alone = route.endswith("end-all")
        for cells in batched(CELLS, 1 if alone else AT_ONCE):
            used = [made[each.suspended][each.role, each.disabled, each.proof] for each in cells]
            found = await asyncio.gather(*(asked(stranger, route, one) for one in used))
            for cell, status in zip(cells, found, strict=True):
                if status != cell.expected(access):
                    wrong.append(f"{route} {cell}: {status}")
            if alone and PASSES in found:
                # The asker ended everybody's session.
                made[False] = await maker.credentials(acme)
    assert not wrong, "\n".join(wrong[:20])
    record_testsuite_property("cells", len(routes) * len(CELLS))
    sys.stdout.write(f"{len(routes) * len(CELLS)} cells of {len(routes)} routes\n")


def batched(cells: list[Cell], size: int) -> Iterator[list[Cell]]:
    for start in range(0, len(cells), size):
        yield cells[start : start + size]


async def asked(stranger: Client, route: str, credential: str) -> int:
    method, path = route.split(" ")
    headers = {"authorization": f"Bearer {credential}"} if credential else {}
    url = re.sub(r"{\w+}", str(uuid4()), path)
    answer = await stranger.request(method, url, json={}, headers=headers)
    assert answer.status_code < 500, f"{route}: {answer.text}"
    return answer.status_code if answer.status_code in {401, 403} else PASSES


def _scopes(app: Service) -> tuple[str, ...]:
    """Everything that any route asks for, so that only the rules refuse a key."""
    needed = [route.access for route in routes_of(app)]
    return tuple({str(access) for access in needed if isinstance(access, Permission)})
