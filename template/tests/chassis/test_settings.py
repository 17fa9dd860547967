"""The service starts with settings that are right, and says by name what is wrong."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from dev.settings_pages import EXAMPLE, PAGE, example, page, variables
from service.chassis.settings import SettingsRefused, load_settings

KEYS = ("TENANCY_KEY", "HTTP_CURSOR_KEY", "IDENTITY_DEVELOPMENT_KEY")


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


def test_production_refuses_what_is_only_fit_for_a_laptop(given: pytest.MonkeyPatch) -> None:
    given.setenv("SERVICE_ENVIRONMENT", "production")
    given.setenv("SERVICE_DEBUG", "true")
    said = refusal()
    assert "IDENTITY_DEVELOPMENT_KEY" in said
    assert "SERVICE_DEBUG" in said
    for name in ("TENANCY_KEY", "HTTP_CURSOR_KEY"):
        assert f"{name}: this key is public" in said
        given.setenv(name, "77aa" * 8 + "0b1c2d3e4f5a6b7c8d9e")
    assert "HTTP_CURSOR_KEY: the same as TENANCY_KEY" in said
    assert "HTTP_CURSOR_KEY: the same as TENANCY_KEY" in refusal()
    given.setenv("HTTP_CURSOR_KEY", "88bb" * 8 + "0b1c2d3e4f5a6b7c8d9e")
    given.delenv("IDENTITY_DEVELOPMENT_KEY")
    given.delenv("SERVICE_DEBUG")
    assert load_settings().production


def test_a_file_that_lies_about_does_not_make_production_a_laptop(
    given: pytest.MonkeyPatch,
) -> None:
    given.delenv("SERVICE_ENVIRONMENT")
    given.delenv("IDENTITY_DEVELOPMENT_KEY")
    lines = "SERVICE_ENVIRONMENT=development\nIDENTITY_DEVELOPMENT_KEY=" + "7a" * 32
    Path(".env").write_text(lines)
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
    assert "IDENTITY_DEVELOPMENT_KEY" in refusal()


def test_secrets_do_not_show_when_settings_are_printed(given: pytest.MonkeyPatch) -> None:
    shown = repr(load_settings())
    assert "0123456789abcdef" not in shown
    assert "password-of-a-test" not in shown


def test_the_example_and_the_page_are_written_from_the_settings() -> None:
    assert EXAMPLE.read_text("utf-8") == example(), "run: make settings"
    assert PAGE.read_text("utf-8") == page(), "run: make settings"
