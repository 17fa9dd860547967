"""A service with data in its database takes an update: what was stored is there, and served."""

import json

import pytest

from updates.conftest import Generate
from updates.projects import Project
from updates.repositories import NEXT, RELEASES, Template

WRITE = """
import sys
sys.path[:0] = ["src", "tests"]
import asyncio, asyncpg
from dev import laptop
from dev.database import Server
from dev.serve import prepared

NOTE = "INSERT INTO notes (tenant_id, title, body) VALUES ($1, $2, 'written before the update')"

async def write(url, tenants):
    connection = await asyncpg.connect(url)
    for name, tenant in tenants.items():
        for number in range(50):
            await connection.execute(NOTE, tenant, f"{name} {number}")
    await connection.close()

with prepared(laptop.FOLDER) as ready:
    url = Server(ready.admin_url, {}).admin(laptop.DATABASE)
    asyncio.run(write(url, ready.tenants))
"""
READ = """
import sys
sys.path[:0] = ["src", "tests"]
import asyncio, json
from dev import laptop
from dev.serve import prepared
from uuid import UUID
from callers import Client, Person
from service.chassis.app import create_app
from service.chassis.identity import Role
from service.chassis.settings import Settings
from service.product import FEATURES

async def titles(app, tenant):
    reader = Client(app, Person(app, UUID(tenant), Role.VIEWER))
    answer = await reader.get("/v1/notes", params={"limit": 100})
    return sorted(note["title"] for note in answer.json()["items"])

async def read(tenants):
    app = create_app(Settings(), FEATURES)
    async with app.router.lifespan_context(app) as app.state.given:
        return {name: await titles(app, tenant) for name, tenant in tenants.items()}

with prepared(laptop.FOLDER) as ready:
    print("FOUND", json.dumps(asyncio.run(read(ready.tenants))))
"""


def in_place(project: Project, code: str) -> str:
    done = project.python(code)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("version", RELEASES)
def test_what_was_stored_before_an_update_is_served_after_it(
    version: str, template: Template, generated: Generate
) -> None:
    project = generated(version)
    in_place(project, WRITE)
    assert project.status() == ""
    project.update(NEXT)
    assert project.stumbled() == set()
    said = in_place(project, READ).partition("FOUND ")[2].splitlines()[0]
    expected = {
        name: sorted(f"{name} {number}" for number in range(50)) for name in ("acme", "globex")
    }
    assert json.loads(said) == expected
    # The team's own tests, which are older than all that the update brought.
    done = project.python(
        "import pytest, sys; sys.path[:0] = ['src']; sys.exit(pytest.main(['tests/product']))"
    )
    assert done.returncode == 0, done.stdout[-3000:]
