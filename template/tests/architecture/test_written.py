"""What the pages say of accounts, sessions and cost is what the code does."""

import re
from pathlib import Path

from architecture.chassis_code import ROOT

from dev.settings_pages import variables
from service.chassis.app import create_app
from service.chassis.application.accounts import KNOWN_DAYS, sign_in_buckets
from service.chassis.application.attempts import LONGEST_WAIT_SECONDS
from service.chassis.application.one_time import LIFETIMES, Purpose
from service.chassis.application.outbound import Bounds
from service.chassis.application.passwords import LONGEST, SHORTEST, WAITING
from service.chassis.contract.guards import Public, routes_of
from service.chassis.identity import FRESH_SECONDS
from service.chassis.sections import IdentitySettings
from service.chassis.settings import Settings


def words(page: str) -> str:
    """Without its line breaks."""
    return " ".join((ROOT / "docs" / page).read_text("utf-8").split())


def absent(page: str, said: list[str]) -> list[str]:
    text = words(page)
    return [each for each in said if each not in text]


def test_the_page_on_identity_says_the_figures_of_the_code() -> None:
    at_address, of_account, of_address = sign_in_buckets("a@example.org", "192.0.2.1", known=False)
    default = {name: field.default for name, field in IdentitySettings.model_fields.items()}
    said = [
        f"{SHORTEST} to {LONGEST} characters",
        f"{at_address.free} attempts on one account from one address",
        f"{of_account.free} on one account from everywhere",
        f"{of_address.free} from one address on all accounts",
        f"up to {LONGEST_WAIT_SECONDS // 60} minutes",
        f"within {KNOWN_DAYS} days",
        f"{FRESH_SECONDS // 60} minutes",
        f"{default['refresh_idle_days']} days unused, {default['session_days']} in all",
        f"dies after {default['access_token_seconds'] // 60} minutes",
        f"{LIFETIMES[Purpose.RESET].seconds // 60} minutes for a reset",
        f"{LIFETIMES[Purpose.INVITATION].days} days for an invitation",
    ]
    assert absent("identity.md", said) == []
    assert absent("identity.md", ["11 to 200 characters"]) == ["11 to 200 characters"]


def test_the_page_on_identity_names_every_way_in(settings: Settings) -> None:
    public = [route for route in routes_of(create_app(settings, [])) if _opens(route.access)]
    ways = {f"{route.method} {route.path}" for route in public if route.path.startswith("/v1")}
    assert len(ways) >= 9
    assert absent("identity.md", [f"`{way}`" for way in sorted(ways)]) == []


def _opens(access: object) -> bool:
    return isinstance(access, Public)


def test_the_page_on_limits_names_what_is_costly() -> None:
    said = [f"{WAITING} wait", f"{Bounds().seconds:.0f} seconds", f"{Bounds().connections} at once"]
    assert absent("limits.md", said) == []
    costly = Path(ROOT / "docs" / "limits.md").read_text("utf-8").partition("## What is costly")[2]
    named = set(re.findall(r"`([A-Z_]+)`", costly))
    assert named >= {"DATABASE_STATEMENT_TIMEOUT_SECONDS", "LIMITS_MODEL_CALLS_PER_MINUTE"}
    assert named <= {variable for _, variable, _ in variables()}
