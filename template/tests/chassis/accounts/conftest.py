from pathlib import Path

import pytest
from chassis.accounts.people import World

from service.chassis.app import Service
from service.chassis.identity import TenantId


@pytest.fixture
def world(app: Service, acme: TenantId, outbox: Path) -> World:
    return World(app, acme, outbox)
