"""The development services start, answer, keep their passwords and stop."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import redis

from dev import postgres, valkey
from dev.children import free_port
from dev.errors import FolderNotOurs, ServicesBusy, StartFailed
from dev.services import running


def refused(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", urlsplit(url).port or 0)) != 0


@pytest.fixture
def taken() -> Iterator[int]:
    """Occupy a port as somebody else would."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_both_servers_answer_and_leave_no_process_behind(
    folder: Path, ask: Any, commands: Any
) -> None:
    with running(folder, disposable=True) as services:
        assert ask(services.admin_url, "SELECT rolsuper FROM pg_roles WHERE rolname = 'postgres'")
        assert redis.from_url(services.valkey_url).ping()
        assert len(commands(folder)) == 2
    assert refused(services.admin_url)
    assert refused(services.valkey_url)
    assert commands(folder) == []
    assert (folder / ".gitignore").read_text() == "*\n"


def test_nobody_gets_in_without_the_password(folder: Path, ask: Any) -> None:
    with running(folder, disposable=True) as services:
        port = urlsplit(services.admin_url).port
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(f"postgresql://postgres:guess@127.0.0.1:{port}/postgres", "SELECT 1")
        with pytest.raises(redis.AuthenticationError):
            redis.from_url(f"redis://127.0.0.1:{urlsplit(services.valkey_url).port}").ping()


def test_no_password_shows_in_a_command_line_or_a_readable_file(
    folder: Path, commands: Any
) -> None:
    with running(folder) as services:
        for url in (services.admin_url, services.valkey_url):
            secret = str(urlsplit(url).password)
            assert secret not in " ".join(commands(folder))
            files = [file for file in folder.rglob("*") if file.is_file()]
            holders = [file for file in files if secret.encode() in file.read_bytes()]
            assert [file.stat().st_mode & 0o777 for file in holders] == [0o600]
    logs = [folder / "postgres.log", *(folder / "valkey" / "appendonlydir").iterdir()]
    assert {file.stat().st_mode & 0o077 for file in logs} == {0}


def test_what_the_environment_gives_is_not_started(tmp_path: Path, commands: Any) -> None:
    given = {"ADMIN_DATABASE_URL": "postgresql://given", "VALKEY_URL": "redis://given"}
    with running(tmp_path, environ=given) as services:
        assert (services.admin_url, services.valkey_url) == tuple(given.values())
        assert commands(tmp_path) == []


def test_folders_of_any_name_run_side_by_side(folder: Path, tmp_path: Path, ask: Any) -> None:
    odd = tmp_path / 'ünï cödé 漢 "quoted" it\'s'
    with running(folder, disposable=True) as first, running(odd, disposable=True) as second:
        for services, place in ((first, folder), (second, odd)):
            shown = ask(services.admin_url, "SHOW data_directory")
            assert Path(shown) == place / "postgres" / "data"
            assert redis.from_url(services.valkey_url).ping()


def test_only_a_disposable_database_trades_safety_for_speed(folder: Path, ask: Any) -> None:
    for disposable, shown in ((True, "off"), (False, "on")):
        with running(folder, disposable=disposable) as services:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                assert ask(services.admin_url, f"SHOW {setting}") == shown


def test_a_second_start_on_a_folder_names_the_process_that_holds_it(
    folder: Path, parent: Any, urls: Any, ask: Any
) -> None:
    holder = parent(folder)
    admin_url, _ = urls(holder)
    with pytest.raises(ServicesBusy, match=f"kill {holder.pid}"), running(folder):
        pass
    assert ask(admin_url, "SELECT 1") == 1


def test_a_folder_that_another_user_filled_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    if os.geteuid() == 0:
        os.chown(tmp_path / "lock", 65534, 65534)
    else:
        (tmp_path / "lock").chmod(0)
    with pytest.raises(FolderNotOurs, match="remove it"), running(tmp_path):
        pass


def test_postgres_is_stopped_again_when_valkey_cannot_start(folder: Path, commands: Any) -> None:
    (folder / "postgres.log").unlink()
    snapshot = folder / "valkey" / "dump.rdb"
    snapshot.write_text("not a snapshot")
    with pytest.raises(StartFailed, match="Valkey did not start"):
        running(folder, disposable=True).__enter__()
    snapshot.unlink()
    assert "ready to accept connections" in (folder / "postgres.log").read_text()
    assert commands(folder) == []


def test_a_port_taken_between_choosing_and_binding_is_replaced(
    folder: Path, taken: int, ask: Any
) -> None:
    for server in (postgres, valkey):
        ports = iter([taken, taken, free := free_port()])
        with server.running(folder, disposable=True, choose_port=ports.__next__) as url:
            assert urlsplit(url).port == free
            answer = ask(url, "SELECT 1") if server is postgres else redis.from_url(url).ping()
            assert answer == 1
