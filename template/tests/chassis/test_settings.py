"""The service starts with settings that are right, and says by name what is wrong."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from dev.settings_pages import EXAMPLE, PAGE, example, page, variables
from service.chassis.limits_settings import networks, plans
from service.chassis.sections import origins_in
from service.chassis.settings import SettingsRefused, load_settings

KEYS = ("TENANCY_KEY", "HTTP_CURSOR_KEY", "IDENTITY_SIGNING_KEY")


@pytest.fixture
def given(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> pytest.MonkeyPatch:
    """An environment that is complete; a test takes away or spoils one thing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path / "secrets"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def refusal() -> str:
    with pytest.raises(SettingsRefused) as refused:
        load_settings()
    return str(refused.value)


def test_a_complete_environment_is_accepted_and_frozen(given: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.database.pool_size = 3  # type: ignore[misc]


PLACEHOLDERS = ["change-me", "postgresql://app:change%20me@host/db", "<secret>", "Change_Me"]
REQUIRED = [variable for _, variable, field in variables() if field.is_required()]


@pytest.mark.parametrize("variable", REQUIRED)
def test_a_missing_variable_is_named(given: pytest.MonkeyPatch, variable: str) -> None:
    given.delenv(variable)
    assert f"{variable}: missing" in refusal()


@pytest.mark.case("S-07")
@pytest.mark.parametrize("variable", REQUIRED)
@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_a_placeholder_is_named(given: pytest.MonkeyPatch, variable: str, value: str) -> None:
    given.setenv(variable, value)
    assert f"{variable}: still holds a placeholder" in refusal()


@pytest.mark.parametrize("variable", KEYS)
@pytest.mark.parametrize("value", ["short", "a" * 64])
def test_a_weak_key_is_named(given: pytest.MonkeyPatch, variable: str, value: str) -> None:
    given.setenv(variable, value)
    assert f"{variable}: too weak" in refusal()


INEXACT = [
    *("*", "null", "https://*.example.com", "https://a.example/", "https://a.example/path"),
    *("https://A.example", "https://a.example:443", "a.example", "ftp://a.example", "https://"),
    *("https://a.example,*", "https://a.example https://b.example", "https://u@a.example"),
]


@pytest.mark.case("A-19", "S-07")
@pytest.mark.parametrize("origins", INEXACT)
def test_an_origin_that_is_not_exact_is_named(given: pytest.MonkeyPatch, origins: str) -> None:
    given.setenv("HTTP_CORS_ORIGINS", "https://a.example, http://localhost:5173")
    assert origins_in(load_settings().http.cors_origins)[1] == "http://localhost:5173"
    given.setenv("HTTP_CORS_ORIGINS", origins)
    assert "HTTP_CORS_ORIGINS: list whole origins" in refusal()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTP_TRUSTED_PROXIES", "10.0.0.0/8, everyone"),
        ("HTTP_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("LIMITS_TENANT_PER_MINUTE", "standard=many"),
        ("LIMITS_TENANT_PER_MINUTE", "standard"),
        ("LIMITS_TENANT_PER_MINUTE", "standard=0"),
        ("LIMITS_TENANT_PER_MINUTE", "=5"),
        ("LIMITS_ADDRESS_PER_MINUTE", "0"),
    ],
)
def test_a_limit_that_would_not_bind_is_named(
    given: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    given.setenv(variable, value)
    assert f"{variable}: " in refusal()


def test_plans_and_proxies_are_lists(given: pytest.MonkeyPatch) -> None:
    given.setenv("LIMITS_TENANT_PER_MINUTE", "free=600, standard=6000")
    given.setenv("HTTP_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8")
    settings = load_settings()
    assert plans(settings.limits.tenant_per_minute) == {"free": 600, "standard": 6000}
    assert len(networks(settings.http.trusted_proxies)) == 2


def test_an_unknown_name_is_named_wherever_it_stands(given: pytest.MonkeyPatch) -> None:
    given.setenv("DATABASE_POOLSIZE", "3")
    Path(".env").write_text("HTTP_PROT=8000\nUNHEARD_OF=1\n")
    said = refusal()
    for name in ("DATABASE_POOLSIZE", "HTTP_PROT", "UNHEARD_OF"):
        assert f"{name}: unknown" in said


def test_every_mistake_is_told_at_once_and_no_value_is_repeated(given: pytest.MonkeyPatch) -> None:
    given.setenv("DATABASE_POOL_SIZE", "many-secret")
    given.setenv("TENANCY_KEY", "weak-secret")
    given.delenv("VALKEY_URL")
    said = refusal()
    assert all(name in said for name in ("DATABASE_POOL_SIZE", "TENANCY_KEY", "VALKEY_URL"))
    assert "secret" not in said


def test_a_secret_may_be_a_file(given: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given.delenv("TENANCY_KEY")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "TENANCY_KEY").write_text("fedcba9876543210" * 4 + "\n")
    assert load_settings().tenancy.key.get_secret_value() == "fedcba9876543210" * 4


@pytest.mark.case("S-07")
def test_production_refuses_what_is_only_fit_for_a_laptop(given: pytest.MonkeyPatch) -> None:
    given.setenv("SERVICE_ENVIRONMENT", "production")
    given.setenv("SERVICE_DEBUG", "true")
    given.setenv("HTTP_CORS_ORIGINS", "https://a.example, http://a.example")
    said = refusal()
    assert "SERVICE_DEBUG" in said
    assert "HTTP_CURSOR_KEY: the same as TENANCY_KEY" in said
    for number, name in enumerate(KEYS):
        assert f"{name}: this key is public" in refusal()
        given.setenv(name, f"77a{number}" * 8 + "0b1c2d3e4f5a6b7c8d9e")
    assert "the same as" not in refusal()
    assert "HTTP_CORS_ORIGINS: a page without https" in said
    given.delenv("SERVICE_DEBUG")
    given.setenv("HTTP_CORS_ORIGINS", "https://a.example,https://b.example:8443")
    assert "HTTP_ALLOWED_HOSTS: name the hosts" in refusal()
    given.setenv("HTTP_ALLOWED_HOSTS", " , ")
    assert "HTTP_ALLOWED_HOSTS" in refusal()
    given.setenv("HTTP_ALLOWED_HOSTS", "api.example.com")
    assert load_settings().production


def test_a_file_that_lies_about_does_not_make_production_a_laptop(
    given: pytest.MonkeyPatch,
) -> None:
    given.delenv("SERVICE_ENVIRONMENT")
    Path(".env").write_text("SERVICE_ENVIRONMENT=development\n")
    assert "TENANCY_KEY: this key is public" in refusal()


@pytest.mark.parametrize("name", ["DATABASE", "HTTP"])
def test_a_variable_that_no_parser_can_read_is_a_refusal_too(
    given: pytest.MonkeyPatch, name: str
) -> None:
    given.setenv(name, "secret-text")
    said = refusal()
    assert name.lower() in said.lower()
    assert "secret-text" not in said


@pytest.mark.parametrize("url", ["postgresql://service_app:Xk39@h/todo", "postgresql://a:b@todo/x"])
def test_an_honest_value_is_no_placeholder(given: pytest.MonkeyPatch, url: str) -> None:
    given.setenv("DATABASE_URL", url)
    assert load_settings().database.url.get_secret_value() == url


def test_an_environment_that_is_not_named_is_production(given: pytest.MonkeyPatch) -> None:
    given.delenv("SERVICE_ENVIRONMENT")
    assert "IDENTITY_SIGNING_KEY: this key is public" in refusal()


def test_secrets_do_not_show_when_settings_are_printed(given: pytest.MonkeyPatch) -> None:
    shown = repr(load_settings())
    assert "0123456789abcdef" not in shown
    assert "password-of-a-test" not in shown


def test_the_example_and_the_page_are_written_from_the_settings() -> None:
    assert EXAMPLE.read_text("utf-8") == example(), "run: make settings"
    assert PAGE.read_text("utf-8") == page(), "run: make settings"
