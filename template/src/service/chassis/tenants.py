"""`python -m service.chassis.tenants found "Acme" owner@example.org`: for operators."""

import argparse
import asyncio
import sys
from uuid import UUID

from service.chassis.application.founding import found, suspend
from service.chassis.identity import TenantId
from service.chassis.settings import SettingsRefused, load_settings


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m service.chassis.tenants")
    commands = parser.add_subparsers(dest="command", required=True)
    founding = commands.add_parser("found", help="a new tenant with one invited owner")
    founding.add_argument("name")
    founding.add_argument("owner_email", type=str.casefold)
    for name in ("suspend", "resume"):
        commands.add_parser(name).add_argument("tenant_id", type=UUID)
    asked = parser.parse_args(arguments)
    settings = load_settings()
    if asked.command == "found":
        tenant_id = asyncio.run(found(settings, asked.name, asked.owner_email))
        sys.stdout.write(f"{tenant_id}\n")
    else:
        suspended = asked.command == "suspend"
        asyncio.run(suspend(settings, TenantId(asked.tenant_id), suspended=suspended))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SettingsRefused as refusal:
        sys.exit(str(refusal))
