"""`make surface`: everything that an attacker could touch, on two pages that a test holds true.

The template's part is in docs/attack-surface.md; yours is in docs/product/attack-surface.md, so
that an update never writes where you do.
"""

import asyncio
from collections.abc import Mapping
from importlib import import_module
from pkgutil import walk_packages

import asyncpg

import service.chassis
from dev import surface_code as code
from dev.database import ROOT
from dev.migrations import migrated_database
from dev.surface_code import Row
from service.chassis.application.tables import Table
from service.product import FEATURES

OF_THE_CHASSIS = ("wall.", "schema ", "audit_")
CHASSIS, PRODUCT = "docs/attack-surface.md", "docs/product/attack-surface.md"
SECTIONS = {
    "Routes": ("method", "path", "who may use it", "where"),
    "Listening": ("what", "how", "which"),
    "Ways out": ("module", "by"),
    "Secrets": ("setting", "needed", "what it is for"),
    "Roles of the database": ("role", "logs in", "is a member of"),
    "Grants": ("role", "on", "may"),
}
Surface = Mapping[str, set[Row]]
ROLES = """
SELECT r.rolname, r.rolcanlogin, r.rolsuper OR r.rolbypassrls AS above, coalesce(string_agg(
    g.rolname, ', ' ORDER BY g.rolname), '') AS member_of
FROM pg_roles r LEFT JOIN pg_auth_members m ON m.member = r.oid
LEFT JOIN pg_roles g ON g.oid = m.roleid
WHERE r.rolname ~ '^service_' GROUP BY r.oid, r.rolname, r.rolcanlogin, r.rolsuper, r.rolbypassrls
"""
GRANTS = """
WITH objects (name, own_name, acl, owner) AS (
    SELECT c.oid::regclass::text, c.relname, c.relacl, c.relowner FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname IN ('public', 'wall')
    UNION ALL
    SELECT c.oid::regclass || '.' || a.attname, c.relname, a.attacl, c.relowner
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('public', 'wall')
    UNION ALL
    SELECT p.oid::regprocedure::text, p.proname,
        coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('public', 'wall')
    UNION ALL
    SELECT 'schema ' || nspname, nspname, nspacl, nspowner FROM pg_namespace
    WHERE nspname IN ('public', 'wall')
)
SELECT coalesce(r.rolname, 'PUBLIC') AS role, o.name, o.own_name,
    string_agg(DISTINCT a.privilege_type, ', ' ORDER BY a.privilege_type) AS may
FROM objects o CROSS JOIN LATERAL aclexplode(o.acl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE a.grantee <> o.owner GROUP BY 1, 2, 3
"""


def write() -> None:
    """Rewrites both pages, and says what changed."""
    with migrated_database() as url:
        chassis, product = asyncio.run(_surface_at(url))
    for path, found in ((CHASSIS, chassis), (PRODUCT, product)):
        before, now = listed(path), page(path, found)
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(now, "utf-8")
        for line in sorted(before ^ _rows(now)):
            print(f"{path}: {'no longer' if line in before else 'new'}: {line}")


async def _surface_at(database_url: str) -> tuple[Surface, Surface]:
    connection = await asyncpg.connect(database_url)
    try:
        return await surface(connection)
    finally:
        await connection.close()


async def surface(connection: asyncpg.Connection) -> tuple[Surface, Surface]:
    """The template's part, and yours."""
    chassis: dict[str, set[Row]] = {title: set() for title in SECTIONS}
    product: dict[str, set[Row]] = {title: set() for title in SECTIONS}
    chassis["Routes"] = code.routes(())
    product["Routes"] = code.routes(FEATURES) - chassis["Routes"]
    chassis["Secrets"], chassis["Listening"] = code.secrets(), code.ports()
    for module, tree in code.modules():
        found = chassis if module.startswith("service.chassis") else product
        found["Ways out"] |= {(f"`{module}`", f"`{name}`") for name in code.ways_out(tree)}
        servers = {("a server", f"`{name}`", f"in `{module}`") for name in code.listeners(tree)}
        found["Listening"] |= servers
    ours = tables_of_the_chassis()
    for row in await connection.fetch(ROLES):
        how = "above the wall!" if row["above"] else ("yes" if row["rolcanlogin"] else "no")
        chassis["Roles of the database"].add((f"`{row['rolname']}`", how, row["member_of"]))
    for row in await connection.fetch(GRANTS):
        of_chassis = row["name"].startswith(OF_THE_CHASSIS) or row["own_name"] in ours
        found = chassis if of_chassis else product
        found["Grants"].add((f"`{row['role']}`", f"`{row['name']}`", row["may"]))
    return chassis, product


def tables_of_the_chassis() -> set[str]:
    for module in walk_packages(service.chassis.__path__, "service.chassis."):
        import_module(module.name)
    mapped = {
        str(mapper.local_table)
        for mapper in Table.registry.mappers
        if mapper.class_.__module__.startswith("service.chassis")
    }
    return mapped | {"alembic_version"}


def page(path: str, found: Surface) -> str:
    title, other = {
        CHASSIS: ("Attack surface", f"what your features add is in {PRODUCT}"),
        PRODUCT: ("Attack surface of the features", f"the template's part is in {CHASSIS}"),
    }[path]
    lines = [f"# {title}", "", f"Written by `make surface`; {other}."]
    for section, head in SECTIONS.items():
        if found[section]:
            lines += ["", f"## {section}", "", _line(head), _line(("---",) * len(head))]
            lines += map(_line, sorted(found[section]))
    return "\n".join(lines) + "\n"


def listed(path: str) -> set[str]:
    """The rows of a page as it is; none of a page that is not there."""
    file = ROOT / path
    return _rows(file.read_text("utf-8")) if file.exists() else set()


def unlisted(found: Surface, known: set[str]) -> list[str]:
    """What is there and on no page. What is on a page and gone can do no harm."""
    return sorted({_line(row) for rows in found.values() for row in rows} - known)


def _rows(text: str) -> set[str]:
    heads = {_line(head) for head in SECTIONS.values()}
    lines = {line for line in text.splitlines() if line.startswith("| ")}
    return {line for line in lines - heads if not line.startswith("| ---")}


def _line(cells: Row) -> str:
    return f"| {' | '.join(cells)} |"
