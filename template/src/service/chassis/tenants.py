"""`python -m service.chassis.tenants found "Acme" owner@example.org`: for operators."""

import argparse
import asyncio
import sys
from uuid import UUID

from service.chassis.application.founding import found, invite, suspend
from service.chassis.errors import ServiceError
from service.chassis.identity import TenantId
from service.chassis.settings import Settings, SettingsRefused, load_settings


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m service.chassis.tenants")
    commands = parser.add_subparsers(dest="command", required=True)
    founding = commands.add_parser("found", help="a new tenant with one invited owner")
    founding.add_argument("name")
    inviting = commands.add_parser("invite-owner", help="for a tenant without one, or once more")
    inviting.add_argument("tenant_id", type=UUID)
    for command in (founding, inviting):
        command.add_argument("owner_email", type=str.casefold)
    for name in ("suspend", "resume"):
        commands.add_parser(name).add_argument("tenant_id", type=UUID)
    asyncio.run(_done(load_settings(), parser.parse_args(arguments)))


async def _done(settings: Settings, asked: argparse.Namespace) -> None:
    if asked.command == "found":
        sys.stdout.write(f"{await found(settings, asked.name, asked.owner_email)}\n")
    elif asked.command == "invite-owner":
        await invite(settings, TenantId(asked.tenant_id), asked.owner_email)
    else:
        suspended = asked.command == "suspend"
        await suspend(settings, TenantId(asked.tenant_id), suspended=suspended)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (SettingsRefused, ServiceError) as refusal:
        sys.exit(str(refusal))
