"""What the tests of the application layer share."""

import pytest

from callers import Client
from service.chassis.app import Service
from service.chassis.application.sessions import Granted, Sessions


@pytest.fixture
def sessions(app: Service) -> Sessions:
    found: Sessions = app.state.given["sessions"]
    return found


@pytest.fixture
async def granted(ana: Client) -> Granted:
    return await ana.me.sign_in()
