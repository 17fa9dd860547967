"""The canaries find what they are for: three services that are wrong on purpose."""

from uuid import UUID, uuid4

import pytest
from chassis.wall import feature
from chassis.wall.comparison import everything, side
from chassis.wall.examples import Unknown
from chassis.wall.matrix import Matrix, leaked
from fastapi import APIRouter

from service.chassis.app import Service, create_app
from service.chassis.contract.guards import public
from service.chassis.errors import Conflict, NotFound
from service.chassis.identity import TenantId
from service.chassis.settings import Settings

naive = APIRouter(prefix="/naive", dependencies=[public("tests")])
remembered: dict[str, dict[str, str]] = {}


@naive.post("", status_code=201)
async def remember(draft: feature.ParentDraft) -> dict[str, str]:
    return remembered.setdefault(str(uuid4()), {"id": "", "slug": draft.slug})


@naive.get("")
async def all_of_them() -> list[dict[str, str]]:
    return list(remembered.values())


async def test_the_same_matrix_finds_a_service_that_mixes_its_tenants_up(
    probe_app_settings: Settings, probed: Service, ours: TenantId, theirs: TenantId
) -> None:
    app = create_app(probe_app_settings, [naive])
    app.state.given = probed.state.given
    us, them, matrix = side(app, ours), side(app, theirs), Matrix(app.openapi())
    await everything(matrix, us, them)
    assert leaked(matrix.answers, [us, them])


telling = APIRouter(prefix="/parents")


@telling.put("/{parent_id}")
async def tell(tenancy: feature.CanWrite, parent_id: UUID, draft: feature.ParentDraft) -> None:
    sql = "SELECT id FROM parents WHERE id = :id"
    if not await feature.rows(tenancy, sql, id=parent_id):
        raise Conflict("taken") if str(parent_id) in created else NotFound("free")


created: set[str] = set()


@telling.post("", status_code=201)
async def create(tenancy: feature.CanWrite, draft: feature.ParentDraft) -> feature.Parent:
    parent = await feature.create_parent(tenancy, draft)
    created.add(str(parent.id))
    return parent


async def test_the_same_matrix_finds_a_service_that_tells_what_exists(
    probe_app_settings: Settings, probed: Service, ours: TenantId, theirs: TenantId
) -> None:
    app = create_app(probe_app_settings, [telling])
    app.state.given = probed.state.given
    us, them, matrix = side(app, ours), side(app, theirs), Matrix(app.openapi())
    with pytest.raises(AssertionError, match="parent_id tells what exists"):
        await everything(matrix, us, them)


strange = APIRouter(prefix="/strange")


@strange.get("/{strange_id}")
async def read_strange(tenancy: feature.CanRead, strange_id: UUID) -> None: ...


async def test_an_id_that_cannot_be_made_up_says_what_to_add(
    probe_app_settings: Settings, probed: Service, ours: TenantId, theirs: TenantId
) -> None:
    app = create_app(probe_app_settings, [strange])
    app.state.given = probed.state.given
    us, them, matrix = side(app, ours), side(app, theirs), Matrix(app.openapi())
    with pytest.raises(Unknown, match=r"GET /v1/strange/.*add a POST .* at /v1/strange"):
        await everything(matrix, us, them)
