"""What is wrong on a laptop is said with the way out."""

from pathlib import Path

import pytest

from dev.errors import DevError
from dev.laptop import remembered_secrets
from dev.serve import PREFERRED_PORT, preferred_port


def test_secrets_are_made_once_and_completed(tmp_path: Path) -> None:
    made = remembered_secrets(tmp_path)
    assert remembered_secrets(tmp_path) == made
    (tmp_path / "secrets.json").write_text('{"TENANCY_KEY": "kept"}')
    completed = remembered_secrets(tmp_path)
    assert completed["TENANCY_KEY"] == "kept"
    assert completed.keys() == made.keys()


@pytest.mark.parametrize("torn", ["", "{", "[]", "null"])
def test_secrets_that_are_damaged_are_named(tmp_path: Path, torn: str) -> None:
    (tmp_path / "secrets.json").write_text(torn)
    with pytest.raises(DevError, match=r"secrets\.json is damaged; remove"):
        remembered_secrets(tmp_path)


def test_a_port_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTP_PORT", raising=False)
    assert preferred_port() == PREFERRED_PORT
    monkeypatch.setenv("HTTP_PORT", "many")
    with pytest.raises(DevError, match="HTTP_PORT: 'many' is no port"):
        preferred_port()
